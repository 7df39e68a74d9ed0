import { inputLimits } from "./limits.ts";

/**
 * As JSON.parse, for text from outside: levels beyond the limit are refused, which later walks through the value could not end, and so is the key
 * `__proto__`, which can change what a copy of the value is. Throws SyntaxError.
 */
export const parseJson = (text: string): unknown => {
  const given = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const line = tooDeepAt(given);
  if (line !== undefined) throw new SyntaxError(`more than ${inputLimits.depth} levels of lists and maps (line ${line})`);
  return /__proto__|\\u005f/i.test(given) ? (JSON.parse(given, withoutPrototype) as unknown) : (JSON.parse(given) as unknown);
};

const withoutPrototype = (key: string, value: unknown): unknown => {
  if (key === forbiddenKey) throw new SyntaxError(forbidden);
  return value;
};

export const forbiddenKey = "__proto__";
export const forbidden = `no key or class may be called ${forbiddenKey}`;

const [quote, backslash, newline] = [0x22, 0x5c, 0x0a];
const opens = (code: number): boolean => code === 0x5b || code === 0x7b;
const closes = (code: number): boolean => code === 0x5d || code === 0x7d;

/** Line of the first bracket below the limit; undefined where there is none. */
const tooDeepAt = (text: string): number | undefined => {
  let [depth, line] = [0, 1];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === newline) line++;
    else if (opens(code) && ++depth > inputLimits.depth) return line;
    else if (closes(code)) depth--;
  }
  return undefined;
};

/** Where the string that begins at `start` ends. */
const endOfString = (text: string, start: number): number => {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== quote) at += text.charCodeAt(at) === backslash ? 2 : 1;
  return at;
};
