import { mutateBytes } from "./bytes.ts";
import { below, pick, type Random } from "./random.ts";

/** What stands in place of a word or a number. */
const hostile: readonly string[] = [
  "",
  "0",
  "-0",
  "-1",
  "1",
  "1e999",
  "-1e999",
  "NaN",
  "nan",
  "Infinity",
  "-inf",
  "1e-320",
  "0x10",
  "1_000",
  "1,5",
  "١",
  "9007199254740993",
  "99999999999999999999",
  "4294967296",
  "0.1.2",
  "null",
  "~",
  "true",
  "no",
  "undefined",
  "[]",
  "{}",
  "[[[[[[[[]]]]]]]]",
  '"',
  "'",
  "\\",
  "\u0000",
  "\u001b[31m",
  "\u202e",
  "\ud83d\ude00",
  "\u2028",
  "\r",
  "\t",
  "a\nb",
  "../../etc/passwd",
  "/dev/zero",
  "/proc/self/mem",
  "C:\\x",
  "-rf",
  "$(id)",
  "`id`",
  "%s%n",
  "<script>",
  "]]>",
  "&x;",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "*a",
  "&a [*a, *a]",
  "<<: *a",
  "!!js/function x",
  "!!binary x",
  "a".repeat(70_000),
  "[".repeat(2000),
  "{a: ".repeat(500),
  "<a>".repeat(3000),
  "é",
  "e\u0301",
  "名前",
];

type Edit = (text: string, random: Random) => string;

/** A word, number or sign of the text, or undefined where it has none. */
const token = (text: string, random: Random): { readonly from: number; readonly to: number } | undefined => {
  const found = [...text.matchAll(/[\p{L}\p{N}_.+-]+|[^\s\p{L}\p{N}]/gu)];
  const match = found[below(random, found.length)];
  return match && { from: match.index, to: match.index + match[0].length };
};

const inPlace: (make: (old: string, random: Random) => string) => Edit = (make) => (text, random) => {
  const at = token(text, random);
  return at ? text.slice(0, at.from) + make(text.slice(at.from, at.to), random) + text.slice(at.to) : text;
};

const onLines: (edit: (lines: string[], random: Random) => void) => Edit = (edit) => (text, random) => {
  const lines = text.split("\n");
  edit(lines, random);
  return lines.join("\n");
};

const edits: readonly Edit[] = [
  inPlace((_, random) => pick(random, hostile)),
  inPlace((_, random) => pick(random, hostile)),
  inPlace((old, random) => old + pick(random, hostile)),
  inPlace((old, random) =>
    Number.isNaN(Number(old)) ? old.toUpperCase() : String(Number(old) * pick(random, [-1, 0.5, 2, 1e6, 1.0000001])),
  ),
  inPlace(() => ""),
  inPlace((old, random) => old.repeat(pick(random, [2, 3, 300]))),
  (text, random) => {
    const [a, b] = [token(text, random), token(text, random)];
    if (!a || !b || a.to > b.from) return text;
    const [left, right] = [text.slice(a.from, a.to), text.slice(b.from, b.to)];
    return text.slice(0, a.from) + right + text.slice(a.to, b.from) + left + text.slice(b.to);
  },
  onLines((lines, random) => lines.splice(below(random, lines.length), 1)),
  onLines((lines, random) => lines.splice(below(random, lines.length), 0, lines[below(random, lines.length)]!)),
  onLines((lines, random) => lines.splice(below(random, lines.length), 0, pick(random, hostile))),
  onLines((lines, random) => {
    lines[below(random, lines.length)] = `  ${lines[below(random, lines.length)]!}`;
  }),
  onLines((lines, random) => {
    lines.push(...new Array<string>(pick(random, [10, 1000])).fill(lines[below(random, lines.length)]!));
  }),
  (text) => text.replaceAll("\n", "\r\n"),
  (text) => `\ufeff${text}`,
  (text, random) => text.slice(0, below(random, text.length + 1)),
];

/** One to three changes of words, numbers, lines and ends, seldom of bytes. */
export const mutateText = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (random() < 0.1) return mutateBytes(bytes, random);
  let text = new TextDecoder().decode(bytes);
  for (let n = pick(random, [1, 1, 2, 3]); n > 0; n--) text = pick(random, edits)(text, random);
  return new TextEncoder().encode(text);
};

/** Values in place of a value of JSON. */
const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 53,
  2 ** 31,
  "",
  "x",
  "NaN",
  "1",
  "\u0000",
  "\u001b[2J",
  "</script><script>alert(1)",
  "../../x",
  "/etc/passwd",
  "a".repeat(70_000),
  [],
  {},
  [[]],
  [null],
  { "": {} },
  [1, "2", [3]],
];

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

const placesOf = (value: unknown, found: Place[] = []): Place[] => {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push({ holder: value as Record<string, unknown>, key });
    placesOf(inner, found);
  }
  return found;
};

const jsonEdits: readonly ((place: Place, random: Random, all: readonly Place[]) => void)[] = [
  ({ holder, key }, random) => {
    holder[key] = structuredClone(pick(random, values)); // a later change must not change the table
  },
  ({ holder, key }, random) => {
    holder[key] = structuredClone(pick(random, values)); // a later change must not change the table
  },
  ({ holder, key }) => {
    delete holder[key];
  },
  ({ holder, key }, random, all) => {
    const { holder: other, key: from } = pick(random, all);
    holder[key] = structuredClone(other[from]);
  },
  ({ holder, key }, random) => {
    holder[pick(random, ["x", "", "__proto__ ", "constructor", "toString", key.toUpperCase()])] = holder[key];
  },
  ({ holder, key }) => {
    const { [key]: value } = holder;
    if (Array.isArray(value)) value.push(...(value as unknown[]));
  },
  ({ holder, key }) => {
    if (typeof holder[key] === "number") holder[key] = -holder[key];
  },
  ({ holder, key }) => {
    if (Array.isArray(holder[key])) holder[key] = [];
  },
];

/** One to three changes of values of JSON, seldom of its text; `reshape` comes after them. */
export const mutateJson = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (random() < 0.25) return mutateText(bytes, random);
  const value = { top: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
  for (let n = pick(random, [1, 1, 2, 3]); n > 0; n--) {
    const places = placesOf(value);
    if (places.length > 0) pick(random, jsonEdits)(pick(random, places), random, places);
  }
  return new TextEncoder().encode(JSON.stringify(value.top) ?? "");
};
