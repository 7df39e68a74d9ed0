import { rm } from "node:fs/promises";
import { join } from "node:path";
import { damageOf, readSealed, sealedText, type Damage, type FileSeal } from "../files/seal.ts";
import { writeFileSafely } from "./files.ts";
import type { Reporter } from "./progress.ts";

/*
 * Every file that a later step reads back, and how it is known to be as it was written. What is not is named in one line and made again.
 *
 * | file | its digest lies in | read by | when it is damaged or gone |
 * |---|---|---|---|
 * | <run>/run.json | itself | bundle, report | compress writes it anew each time; bundle and report refuse a changed one |
 * | <run>/source.json | itself | bundle | compress writes it anew each time; bundle asks for --config |
 * | <run>/<stage>/stage.json | itself | compress, bundle, report | the stage is done again |
 * | <run>/<stage>/**: models, trainable forms, ranges.json, pictures, *.timing, the bundle | stage.json | later stages, bundle, report | the stage is done again |
 * | <run>/benchmark-*\/records-<target>.json | itself, stage.json | benchmark | the target is measured again |
 * | cache/accuracy/*.json | itself, stage.json of evaluate | evaluate, report's figures | the file's accuracy is measured again |
 * | cache/training/*\/done.json | itself | distill, prune, quantize | trained again |
 * | cache/training/*\/model.onnx | done.json | the same | trained again |
 * | cache/training/*\/curve.json | itself | the same | trained again |
 * | cache/training/*\/best.json, best-<epoch>.onnx | itself, best.json | a training that goes on | begins again |
 * | cache/training/*\/checkpoint | its last 32 bytes | a training that goes on | begins again |
 * | cache/teacher/*\/variant-*.json | itself | trainings | the teacher runs again |
 * | cache/teacher/*\/variant-*.f16 | variant-*.json | trainings | the teacher runs again |
 * | cache/pictures/*.json | itself | opening data sets | the pictures are read again |
 * | <run>/report.html, lock | – | nothing reads the content | written anew |
 *
 * cache/ is read only where a stage is done: a damaged file there is found then.
 */

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
