import path from "node:path";
import { UserError } from "../../graph/error.ts";
import type { ClassName } from "../types.ts";
import { canonicalClass } from "./classes.ts";
import { cocoClasses } from "./coco-names.ts";
import type { DatasetOptions } from "./dataset.ts";
import { kindOf, readIfPresent, relativeId } from "./files.ts";
import { checkClassNames } from "./name-check.ts";
import { readDataYamlNames } from "./yolo-yaml.ts";

export interface NamedClasses {
  readonly names: readonly ClassName[];
  readonly note: string;
}

/** The note of labels that are read with `labelNames`. */
export const givenNamesNote = "class numbers of the labels are read with the names that were given";

/** Files with a class name a line, in the data set's folder or one of the two above. */
const nameLists = ["classes.txt", "labels/classes.txt", "obj.names", "_darknet.labels"];

/**
 * What YOLO class numbers are called, where no data.yaml was given: classes.txt, obj.names, the data.yaml of a folder above, or the caller's names.
 * Names of the model stand in only where the labels themselves show that they are COCO's. Throws UserError NO_CLASS_NAMES.
 */
export async function yoloClassNames(root: string, options: DatasetOptions, highestNumber: () => Promise<number>): Promise<NamedClasses> {
  if (options.labelNames) return { names: options.labelNames, note: givenNamesNote };
  const above = [root, path.dirname(root), path.dirname(path.dirname(root))];
  for (const file of above.flatMap((folder) => nameLists.map((name) => path.join(folder, name)))) {
    const names = await readNames(file);
    if (names.length > 0) return { names, note: `class names from ${relativeId(root, file)}` };
  }
  for (const file of above.slice(1).flatMap((folder) => ["data.yaml", "data.yml", "dataset.yaml"].map((name) => path.join(folder, name))))
    if ((await kindOf(file)) === "file") return { names: await readDataYamlNames(file), note: `class names from ${relativeId(root, file)}` };
  if (options.modelNames && isCoco(options.modelNames) && reachesCoco(await highestNumber())) return { names: cocoClasses, note: "no class names in the folder: its class numbers go as far as COCO's 80 and the model has those, so they are read as COCO's" };
  throw noClassNames(root);
}

/** A class a line; none where there is no such file. Throws UserError BAD_CLASS_NAMES for an empty line among them, which would shift the numbers, and for a name that is refused. */
export async function readNames(file: string): Promise<string[]> {
  const lines = ((await readIfPresent(file)) ?? "").replace(/^\uFEFF/, "").trimEnd().split(/\r\n|\n|\r/).map((line) => line.trim());
  if (lines.length === 1 && lines[0] === "") return [];
  const empty = lines.indexOf("");
  if (empty >= 0) throw new UserError("BAD_CLASS_NAMES", `"${file}" line ${empty + 1} is empty, so that the class numbers are not sure.`, "write one class a line, without empty lines.");
  checkClassNames(`"${file}"`, lines, ({ index }) => index + 1);
  return lines;
}

const isCoco = (names: readonly ClassName[]) => names.length === cocoClasses.length && names.every((name, index) => canonicalClass(name) === canonicalClass(cocoClasses[index]!));
/** Class lists of 65 to 80 classes other than COCO's are not in use. */
const reachesCoco = (highest: number) => highest >= 64 && highest < cocoClasses.length;

const noClassNames = (folder: string) =>
  new UserError(
    "NO_CLASS_NAMES",
    `The YOLO labels of "${folder}" have class numbers, but nothing says which classes they are.`,
    "add a data.yaml with names, or a classes.txt with one class a line; or say the names in their order (data.labelNames in the config, --label-names on the command line).",
  );
