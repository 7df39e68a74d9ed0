import path from "node:path";
import { UserError } from "../../graph/error.ts";
import { readNames } from "./class-names.ts";
import type { Split } from "./dataset.ts";
import { kindOf, readIfPresent } from "./files.ts";
import type { YoloSource } from "./yolo.ts";

/** How Darknet and CVAT call a split. */
const keys: Readonly<Record<Split, readonly string[]>> = { train: ["train"], val: ["valid", "val", "validation"], test: ["test"] };

/**
 * Reads CVAT's YOLO 1.1 (Darknet): `obj.data` names the list of pictures of each split and the file of class names. Paths there begin with `data/`,
 * which is the folder of obj.data itself. Throws UserError BAD_OBJ_DATA, NO_SPLIT.
 */
export async function readObjData(file: string, split: Split): Promise<YoloSource> {
  const root = path.dirname(path.resolve(file));
  const entries = new Map(((await readIfPresent(file)) ?? "").split(/\r\n|\n|\r/).flatMap((line) => {
    const [key, value] = line.split("=").map((part) => part.trim());
    return key !== undefined && value ? [[key, value] as const] : [];
  }));
  const namesFile = await placeOf(root, entries.get("names") ?? "obj.names");
  const names = await readNames(namesFile);
  if (names.length === 0) throw badObjData(file, `there are no class names in "${namesFile}"`);
  const count = entries.get("classes");
  if (count !== undefined && Number(count) !== names.length) throw badObjData(file, `it says ${count} classes and "${namesFile}" has ${names.length}`);
  const list = keys[split].map((key) => entries.get(key)).find((value) => value !== undefined);
  if (list === undefined) throw noSplit(file, split, [...entries.keys()].filter((key) => Object.values(keys).flat().includes(key)));
  return { images: [await placeOf(root, list)], root, names, notes: [] };
}

async function placeOf(root: string, given: string): Promise<string> {
  const inRoot = path.resolve(root, given.replace(/^\.?\/?data\//, ""));
  return (await kindOf(inRoot)) ? inRoot : path.resolve(root, given);
}

const badObjData = (file: string, reason: string) => new UserError("BAD_OBJ_DATA", `Cannot use "${file}": ${reason}.`, "export the data set again (CVAT: YOLO 1.1, with images), or write a data.yaml.");

const noSplit = (file: string, split: Split, present: readonly string[]) =>
  new UserError("NO_SPLIT", `"${file}" lists no ${split} pictures; it has: ${present.join(", ") || "nothing"}.`, `choose another split (--split), or add "${keys[split][0]} = <list>".`);
