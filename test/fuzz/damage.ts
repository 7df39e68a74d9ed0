import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { below, pick, type Random } from "./random.ts";

export interface Damage {
  /** Below the runs folder. */
  readonly file: string;
  readonly how: string;
}

const ways: Readonly<Record<string, (file: string, random: Random) => Promise<void>>> = {
  "one bit of": async (file, random) => {
    const bytes = await readFile(file);
    if (bytes.length > 0) bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    await writeFile(file, bytes);
  },
  "the end cut off": async (file, random) =>
    writeFile(file, (await readFile(file)).subarray(0, below(random, (await stat(file)).size))),
  deleted: (file) => rm(file),
  "a digit changed in": async (file, random) => {
    const bytes = await readFile(file);
    const digits = [...bytes.keys()].filter((at) => bytes[at]! >= 0x31 && bytes[at]! <= 0x38);
    if (digits.length > 0) bytes[pick(random, digits)]!++;
    await writeFile(file, bytes);
  },
  emptied: (file) => writeFile(file, ""),
};

/** Kinds of files of a runs folder: one of each comes before a second one of any. */
const kindOf = (file: string): string =>
  file.startsWith("cache/")
    ? file.split("/").slice(0, 2).join("/") + (/\.[a-z0-9]+$/.exec(file)?.[0] ?? "")
    : file
        .split("/")
        .slice(1)
        .join("/")
        .replaceAll(/-[0-9a-f]{12}/g, "");

/** The place `at` in a round of all kinds of files and all ways: the same for the same `at`, the byte is random. */
export const damageOneFile = async (runs: string, at: number, random: Random): Promise<Damage> => {
  const files = (await readdir(runs, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(runs, join(entry.parentPath, entry.name)))
    .sort();
  const byKind = new Map<string, string[]>();
  for (const file of files) byKind.set(kindOf(file), [...(byKind.get(kindOf(file)) ?? []), file]);
  const group = [...byKind.values()][at % byKind.size]!;
  const file = pick(random, group);
  const how = Object.keys(ways)[(at + Math.floor(at / byKind.size)) % Object.keys(ways).length]!;
  await ways[how]!(join(runs, file), random);
  return { file, how };
};
