import { isAlias, isMap, isScalar, isSeq, type Document } from "yaml";
import { quotedName } from "../../escape/names.ts";

interface UnclearName {
  readonly message: string;
  /** Where it stands in the text. */
  readonly offset: number;
}

/**
 * The first class name (or number) of a data.yaml that is not what stands there, without quotes, for every reader: trainers read YAML 1.1 (PyYAML) and
 * take `yes` for True and 12:30 for 750, this one reads 1.2 and takes 1e3 for 1000.
 */
export const unclearName = (document: Document): UnclearName | undefined => {
  const names = resolved(document, document.get("names", true));
  if (isSeq(names)) return firstOf(names.items, (item) => unclear(document, item, "name"));
  if (!isMap(names)) return undefined;
  return firstOf(names.items, ({ key, value }) => unclear(document, key, "number") ?? unclear(document, value ?? key, "name", value === null));
};

const firstOf = <Item>(items: readonly Item[], find: (item: Item) => UnclearName | undefined): UnclearName | undefined => {
  for (const item of items) {
    const found = find(item);
    if (found) return found;
  }
  return undefined;
};

const resolved = (document: Document, node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);

const unclear = (document: Document, given: unknown, what: "name" | "number", isEmpty = false): UnclearName | undefined => {
  const node = resolved(document, given);
  if (!isScalar(node) || !node.range) return undefined; // a list or a map: the schema says it
  const offset = node.range[0];
  if (isEmpty) return { message: "a class has no name", offset };
  if (node.tag !== undefined && node.tag !== "tag:yaml.org,2002:str") return { message: `the class ${what} ${quotedName(String(node.source ?? node.value))} has the tag ${quotedName(node.tag)}`, offset };
  if (node.type !== "PLAIN" || node.tag !== undefined) return undefined;
  const text = typeof node.value === "string" ? node.value : (node.source ?? ""); // a text of several lines is one line in its value
  const readAs = what === "number" ? (/^(?:0|[1-9]\d*|[^-+.\d].*)$/.test(text) ? undefined : "another number, or none,") : (readBy11(text) ?? (String(node.value) === text ? undefined : String(node.value)));
  return readAs === undefined ? undefined : { message: text === "" ? "a class has no name" : `the class ${what} ${quotedName(text)} is read as ${readAs} by some YAML readers`, offset };
};

/** What PyYAML's resolver makes of plain text; the first row that matches holds. */
const rows: readonly (readonly [pattern: RegExp, readAs: string, isSame?: (text: string) => boolean])[] = [
  [/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/, "True", (text) => text === "True"],
  [/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/, "False", (text) => text === "False"],
  [/^(?:~|null|Null|NULL|)$/, "nothing"],
  [/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/, "a number that is not finite"],
  [/^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][\d_]*|0x[\da-fA-F_]+|[1-9][\d_]*(?::[0-5]?\d)+)$/, "a whole number of another spelling", (text) => /^(?:0|-?[1-9]\d*)$/.test(text)],
  [/^(?:[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?|\.\d[\d_]*(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*)$/, "a number of another spelling", (text) => isShortest(text)],
  [/^\d{4}-\d\d-\d\d$/, "a day that no calendar has", (text) => isDay(text)],
  [/^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/, "a time of another spelling"],
  [/^(?:=|<<)$/, "a command of YAML"],
];

/** In words; undefined where text stays text, or the value has the same text again. */
const readBy11 = (text: string): string | undefined => {
  const row = rows.find(([pattern]) => pattern.test(text));
  return row && row[2]?.(text) !== true ? row[1] : undefined;
};

/** Whether Python and JavaScript both write the number like this. */
const isShortest = (text: string): boolean => {
  const value = Number(text);
  return String(value) === text && Math.abs(value) >= 1e-4 && Math.abs(value) < 1e16;
};

const isDay = (text: string): boolean => {
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};
