import { readFile } from "node:fs/promises";
import { UserError } from "../graph/error.ts";
import { wholeName } from "../graph/pattern.ts";
import type { DatasetItem } from "../vision/index.ts";

/** Ids of the pictures of each named part of a data set. A part is a .txt list of ids, or a pattern of them with `*`. Throws UserError SLICE. */
export const openSlices = async (slices: Readonly<Record<string, string>>, items: readonly DatasetItem[]): Promise<Record<string, ReadonlySet<string>>> => {
  const ids = items.map(({ id }) => id);
  const open: Record<string, ReadonlySet<string>> = {};
  for (const [name, given] of Object.entries(slices)) open[name] = new Set(given.endsWith(".txt") ? await listed(name, given, ids) : ids.filter((id) => wholeName(given).test(id)));
  for (const [name, members] of Object.entries(open)) if (members.size === 0) throw empty(name, slices[name]!, ids);
  return open;
};

const listed = async (name: string, file: string, ids: readonly string[]): Promise<string[]> => {
  const text = await readFile(file, "utf8").catch((cause: unknown) => { throw unreadable(name, file, cause); });
  const known = new Set(ids);
  return text.split("\n").map((line) => line.trim()).filter((line) => known.has(line));
};

const unreadable = (name: string, file: string, cause: unknown): UserError => new UserError("SLICE", `Cannot read the list of slice ${name}: ${file}.`, "check data.slices: a .txt file with one picture id a line.", { cause });

const empty = (name: string, given: string, ids: readonly string[]): UserError =>
  new UserError("SLICE", `Slice ${name} (${given}) holds none of the ${ids.length} validation pictures.`, `ids look like "${ids[0] ?? ""}": paths relative to the pictures' folder.`);
