/**
 * One policy for text that comes from outside and that we print, draw or write into other files: class names, tensor, file and
 * device names. What a name may not hold is refused where it comes in, with its place, so that no writer has to guess.
 *
 * Where it is asked:
 * - class names: `vision/datasets/name-check.ts` (data.yaml, classes.txt, obj.names, COCO JSON, VOC XML, names that a caller
 *   gives), `detection/class-names.ts` (a model's metadata, `--names`, `classes` of the config), `bundle/manifest-schema.ts`
 * - all text of a config and of an inventory: `pipeline/config.ts`, `targets/inventory.ts`
 * - files' names: `vision/datasets/open.ts` (pictures), `bundle/checksums.ts` (bundles and their archives)
 * - a model's text (values, nodes, ops, free sizes, metadata keys): `onnx/load.ts`, `bundle/manifest-schema.ts`
 * - what devices say of themselves: `shown` cleans it (`targets/linux/probe.ts`, `targets/jetson/device.ts`, `targets/device/run.ts`), since a board's odd
 *   name is no reason not to measure
 *
 * The same name twice is the business of each list: data sets and models join them, with a note; a config refuses them.
 */

/** Most UTF-16 units of a class name, and of a path or the name of a tensor. */
export const longestName = 256;
const longestPath = 4096;

/** Control characters (C0, DEL, C1), line and paragraph separators, halves of surrogate pairs, noncharacters. */
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/u;
/** What turns the direction of the text around it: an embedding, override or isolate. */
const turning = /[\u202a-\u202e\u2066-\u2069]/u;
/** What nobody sees: two names would look alike. Joiners, variation selectors and the tags of flags belong to scripts and emoji. */
const invisible =
  /(?![\u200c\u200d\ufe00-\ufe0f\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}])[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;

const codeOf = (text: string, pattern: RegExp): string => {
  const found = pattern.exec(text)?.[0].codePointAt(0) ?? 0;
  return `U+${found.toString(16).toUpperCase().padStart(4, "0")}`;
};

/** Why a file's, tensor's or device's name is refused; undefined where it is fine. Empty ones are the caller's matter. */
export const plainProblem = (text: string, longest = longestPath): string | undefined => {
  if (control.test(text)) return `it holds the control character ${codeOf(text, control)}`;
  if (turning.test(text)) return `it holds ${codeOf(text, turning)}, which turns the direction of the text around it`;
  return text.length > longest ? `it has ${text.length} characters (at most ${longest})` : undefined;
};

/** Why free text is refused: as `plainProblem`, but lines and tabs are its own. */
export const textProblem = (text: string): string | undefined => plainProblem(text.replace(/\r?\n|\t/g, " "), 1 << 20);

/** Why a class name is refused; undefined where it is fine. */
export const nameProblem = (name: string): string | undefined => {
  if (name.trim() === "") return "it is empty";
  const problem = plainProblem(name, longestName);
  if (problem !== undefined) return problem;
  if (name === "__proto__") return "records cannot hold that name";
  if (name.includes("\ufffd")) return "it is not written in UTF-8";
  return invisible.test(name) ? `it holds ${codeOf(name, invisible)}, which nobody sees` : undefined;
};

/** One thing wrong with a list of names: where, and why. */
export interface NameProblem {
  readonly index: number;
  readonly name: string;
  readonly problem: string;
}

/** The first thing wrong with a list of class names: a name, or two that read alike and differ in bytes only (Unicode's NFC). */
export const listProblem = (names: readonly string[]): NameProblem | undefined => {
  const seen = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const problem = nameProblem(name);
    if (problem !== undefined) return { index, name, problem };
    const other = seen.get(name.normalize("NFC"));
    if (other !== undefined && other !== name)
      return { index, name, problem: "it reads as another of the names and has other bytes (Unicode normalization)" };
    seen.set(name.normalize("NFC"), name);
  }
  return undefined;
};

const anyControl = new RegExp(`${control.source}|${turning.source}`, "gu");

/** Text that only people read, with "�" for what would be refused in a name: what a device says about itself. */
export const shown = (text: string): string => text.replace(anyControl, "\ufffd");

/** As `shown`, for text of lines: line breaks and tabs are its own. */
export const shownLines = (text: string): string =>
  text.replace(anyControl, (found) => (/[\n\r\t]/.test(found) ? found : "\ufffd"));

/** A refused name as an error may show it: quoted, short, its control characters as JSON writes them. */
export const quotedName = (name: string): string => {
  const short = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return JSON.stringify(short).replace(
    anyControl,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
};
