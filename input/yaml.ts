import { isScalar, LineCounter, parseDocument, visit, type Document } from "yaml";
import { forbidden, forbiddenKey } from "./json.ts";
import { inputLimits } from "./limits.ts";

export interface YamlProblem {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export interface YamlFile {
  readonly document: Document;
  readonly lines: LineCounter;
  /** Undefined where there are problems. */
  readonly value: unknown;
  readonly problems: readonly YamlProblem[];
}

/**
 * Reads YAML from outside. What is not YAML, nested too deeply, grown by aliases (directly or in a circle), or has the key `__proto__` is a problem with
 * its line; nothing is thrown.
 */
export const readYaml = (text: string): YamlFile => {
  const lines = new LineCounter();
  const problem = (message: string, line = 1) => ({ line, message });
  const deep = deepLine(text);
  if (deep !== undefined) return { document: parseDocument(""), lines, value: undefined, problems: [problem(tooDeep, deep)] };
  try {
    // the parser's own check of repeated keys, and its errors with a picture of the place, take time with the square of their number
    const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, prettyErrors: false, logLevel: "error" });
    const problems = [...document.errors.slice(0, mostProblems).map((error) => problem(wordsOf(error), lines.linePos(error.pos[0]).line)), ...repeatedKeys(document, lines)];
    if (problems.length > 0) return { document, lines, value: undefined, problems };
    const value: unknown = document.toJS({ maxAliasCount: inputLimits.yamlAliases });
    const wrong = faultOf(value);
    return { document, lines, value: wrong === undefined ? value : undefined, problems: wrong === undefined ? [] : [problem(wrong)] };
  } catch (cause) {
    return { document: parseDocument(""), lines, value: undefined, problems: [problem(wordsOf(cause))] };
  }
};

const mostProblems = 20;
const tooDeep = `more than ${inputLimits.depth} levels of lists and maps`;
const tooLarge = `more values than a file may have (${inputLimits.yamlValues}), or aliases that repeat themselves`;

const wordsOf = (cause: unknown): string => {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof RangeError || /call stack/i.test(message)) return tooDeep;
  return /alias/i.test(message) && !/^Map keys/.test(message) ? `aliases (*name) stand for too much, for nothing or for themselves: ${message.replace(/\.$/, "")}` : (message.split("\n")[0] ?? message).slice(0, 200);
};

/** Keys that stand twice in a map. */
const repeatedKeys = (document: Document, lines: LineCounter): YamlProblem[] => {
  const problems: YamlProblem[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value) && problems.length < mostProblems) problems.push({ line: key.range ? lines.linePos(key.range[0]).line : 1, message: `Map keys must be unique: "${String(key.value).slice(0, 80)}" stands twice` });
        seen.add(key.value);
      }
    },
  });
  return problems;
};

/**
 * The parser's time grows with the square of the depth, so what is certainly too deep is found before it: brackets (counted without closing ones in
 * text, which never makes more of them), and lists within lists on one line.
 */
const deepLine = (text: string): number | undefined => {
  let depth = 0;
  for (const [index, line] of text.split("\n").entries()) {
    for (const character of line) {
      if (character === "[" || character === "{") depth++;
      else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
      else if (character === "#" && depth === 0) break;
      if (depth > inputLimits.depth) return index + 1;
    }
    if (depth > 0 && /^\S[^[{\]}]*:(\s|$)/.test(line)) depth = 0; // a key at the margin: what was open were brackets in text
    if ((/^\s*((?:[-?] )+)/.exec(line)?.[1]?.length ?? 0) > 2 * inputLimits.depth) return index + 1;
    if ((/^ */.exec(line)?.[0].length ?? 0) > 50 * inputLimits.depth) return index + 1;
  }
  return undefined;
};

/** What is wrong with a value, walked without recursion. */
const faultOf = (root: unknown): string | undefined => {
  const pending: (readonly [value: object, depth: number])[] = typeof root === "object" && root !== null ? [[root, 1]] : [];
  for (let count = 0, next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [value, depth] = next;
    if (depth > inputLimits.depth) return tooDeep;
    if (Object.hasOwn(value, forbiddenKey)) return forbidden;
    for (const child of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) {
      if (++count > inputLimits.yamlValues) return tooLarge;
      if (typeof child === "object" && child !== null) pending.push([child, depth + 1]);
    }
  }
  return undefined;
};
