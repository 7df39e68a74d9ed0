import { rm } from "node:fs/promises";
import { join } from "node:path";
import { damageOf, readSealed, sealedText, type Damage, type FileSeal } from "../files/seal.ts";
import { writeFileSafely } from "./files.ts";
import type { Reporter } from "./progress.ts";

/* docs/runs.md lists every file that a later step reads back. */

/** Writes a record that carries its digest; see files/seal.ts. */
export const writeKept = (path: string, of: string, content: object): Promise<void> => writeFileSafely(path, sealedText(of, content));

/** A record as it was written; undefined where there is none, and, with one line of warning that says what is done `again`, where it is damaged. */
export const readKept = async (path: string, of: string, again: string, reporter: Reporter): Promise<unknown> => {
  const { content, damage } = await readSealed(path, of);
  if (damage !== undefined && damage !== "is missing") warnDamaged(reporter, path, damage, again);
  return content;
};

const named = new WeakMap<Reporter, Set<string>>();

/** One line for a file; several readers may find the same. */
export const warnDamaged = (reporter: Reporter, path: string, damage: Damage, again: string): void => {
  const paths = named.get(reporter) ?? new Set();
  named.set(reporter, paths);
  if (paths.has(path)) return;
  paths.add(path);
  reporter.warn(`${path} ${damage}: ${again}`);
};

/** Names the files that are not as they were written and removes what is left of them, so that nobody takes them; returns their paths. */
export const dropDamaged = async (folder: string, files: readonly FileSeal[], again: string, reporter: Reporter): Promise<string[]> => {
  const dropped: string[] = [];
  for (const file of files) {
    const damage = await damageOf(folder, file);
    if (damage === undefined) continue;
    const path = join(folder, file.path);
    warnDamaged(reporter, path, damage, again);
    await rm(path, { recursive: true, force: true });
    dropped.push(path);
  }
  return dropped;
};
