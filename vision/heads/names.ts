/**
 * Class names as exporters write them into the metadata: a Python dict or list, or JSON; in the order of their
 * indexes. Null where there are none.
 */
export const classNames = (metadata: ReadonlyMap<string, string>): string[] | null => {
  const text = metadata.get("names")?.trim();
  if (text === undefined || text === "") return null;
  const value = parsedJson(text);
  if (value === undefined) return fromPython(text);
  if (Array.isArray(value)) return texts(value);
  return typeof value === "object" && value !== null
    ? inOrder(Object.entries(value).map(([key, name]) => [Number(key), name]))
    : null;
};

/** The value, or undefined where the text is no JSON. */
const parsedJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Names as text or number, or objects that have a name (COCO's categories). */
const texts = (values: readonly unknown[]): string[] | null => {
  const named = values.map((value) =>
    typeof value === "object" && value !== null && "name" in value ? value.name : value,
  );
  return named.length > 0 && named.every((value) => typeof value === "string" || typeof value === "number")
    ? named.map(String)
    : null;
};

const quoted = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`;

/** `{0: 'person', …}` or `['person', …]` (a tuple too). */
const fromPython = (text: string): string[] | null => {
  const value = (single: string | undefined, double: string | undefined): string => unescaped(single ?? double ?? "");
  if (text.startsWith("{")) {
    const entries = [...text.matchAll(new RegExp(String.raw`(?:^\{|,)\s*['"]?(\d+)['"]?\s*:\s*(?:${quoted})`, "g"))];
    return entries.length === 0
      ? null
      : inOrder(entries.map(([, key, single, double]) => [Number(key), value(single, double)]));
  }
  if (!/^[[(]/.test(text)) return null;
  const items = [...text.matchAll(new RegExp(quoted, "g"))];
  return items.length === 0 ? null : items.map(([, single, double]) => value(single, double));
};

/** Names by index; null where the indexes have gaps, which would shift every later class. */
const inOrder = (entries: readonly (readonly [number, unknown])[]): string[] | null => {
  const sorted = [...entries].sort(([a], [b]) => a - b);
  return sorted.every(([key], index) => key === index) ? texts(sorted.map(([, name]) => name)) : null;
};

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v" };

/** Python's escapes: \xhh, \uhhhh, \Uhhhhhhhh, \ooo, \n and the like, a backslash before anything else. A number beyond Unicode is no character. */
const unescaped = (text: string): string =>
  text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (_, x?: string, u?: string, U?: string, octal?: string, other?: string) => {
      const code = x ?? u ?? U ?? (octal === undefined ? undefined : Number.parseInt(octal, 8).toString(16));
      return code === undefined
        ? (escapes[other ?? ""] ?? other ?? "")
        : character(Number.parseInt(code, 16));
    },
  );

const character = (code: number): string => (code > 0x10ffff ? "\ufffd" : String.fromCodePoint(code));
