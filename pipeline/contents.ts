import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { sha256File } from "../files/digest.ts";
import { FileFacts } from "../files/file-facts.ts";
import { datasetFingerprint, type DatasetItem } from "../vision/index.ts";
import { mapParallel } from "../vision/datasets/files.ts";
import { writeFileSafely } from "./files.ts";
import { hashOf } from "./hash.ts";
import { warnDamaged } from "./kept.ts";
import { lazyTask, type Reporter } from "./progress.ts";
import { version } from "./version.ts";

/** What is known of the files of one set from the last time; see `FileFacts`. */
export interface SetMemory {
  readonly facts: FileFacts;
  /** Keeps it for the next time. */
  save(): Promise<void>;
}

/** A record that no run has used for so long is removed. */
const keptDays = 180;

/** Opens what is known of a set's files; `set` names it. Without a cache folder nothing is known and nothing kept. */
export const openSetMemory = async (cacheFolder: string | undefined, set: readonly (string | null)[], reporter: Reporter): Promise<SetMemory> => {
  const key = hashOf(version, set);
  const folder = cacheFolder && join(cacheFolder, "pictures");
  const record = folder && join(folder, `${key.slice(0, 24)}.json`);
  const facts = await FileFacts.open(record, `pictures ${key}`);
  if (record && facts.damage) warnDamaged(reporter, record, facts.damage, "the pictures are read again");
  const save = async (): Promise<void> => {
    if (!record) return;
    try {
      if (facts.isNew) await writeFileSafely(record, facts.text());
      else await utimes(record, new Date(), new Date());
      await forgetOld(folder);
    } catch (error) { // only the next run's time is lost
      reporter.line(`note: what was read of the pictures is not kept for the next run: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return { facts, save };
};

const forgetOld = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined); // another run may have removed it
    if (found && Date.now() - found.mtimeMs > keptDays * 86_400_000) await rm(path, { force: true });
  }
};

/** sha256 over the bytes of files, in order; what is made of them is never taken for what others gave. */
export const filesDigest = async (paths: readonly string[], label: string, { facts }: Pick<SetMemory, "facts">, reporter: Reporter): Promise<string> => {
  const task = lazyTask(reporter, label, "picture");
  let done = 0;
  try {
    const digests = await mapParallel(paths, 8, async (path) => {
      const digest = await facts.get(path, "sha256", async () => sha256File(path));
      if (paths.length >= 1000) task.update(++done, paths.length);
      return digest;
    });
    return hashOf(digests);
  } finally {
    task.end();
  }
};

/** sha256 over a set's pictures, byte by byte, and its labels: equal where training and measuring would be equal. */
export const setDigest = async (items: readonly DatasetItem[], what: string, memory: Pick<SetMemory, "facts">, reporter: Reporter): Promise<string> =>
  hashOf(datasetFingerprint(items), await filesDigest(items.map(({ path }) => path), `reading the ${what}`, memory, reporter));
