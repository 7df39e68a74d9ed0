import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { damageOf, readSealed, sealOf, type Damage, type FileSeal } from "../files/seal.ts";
import { UserError } from "../graph/error.ts";
import { hashOf } from "./hash.ts";
import { dropDamaged, readKept, warnDamaged, writeKept } from "./kept.ts";
import type { StageRecord, StageReports } from "./result.ts";
import type { Stage, StageContext, StageName, StageOutcome, VariantFile } from "./stage.ts";
import { version } from "./version.ts";

export interface FinishedStage {
  readonly variants: readonly VariantFile[];
  readonly record: StageRecord;
  readonly reused: boolean;
  readonly undone?: StageOutcome<StageName>["undone"];
}

interface Kept {
  readonly seconds: number;
  readonly variants: readonly VariantFile[];
  readonly report: unknown;
  /** Paths relative to the run folder. */
  readonly files: readonly FileSeal[];
}

export interface StoreOptions {
  /** Do the stage again. */
  readonly fresh: boolean;
  /** Hashes of stages that this run folder has finished before: their records must be there. */
  readonly finished: ReadonlySet<string>;
}

/**
 * Runs a stage in a folder named by the hash of everything that its result depends on; a finished one is read back instead, one with a part undone is run again.
 * What it left is used only as it was written: with a file changed or gone the stage is done again, and one line says so.
 * Undefined where the config leaves the stage out.
 */
export const runStage = async <Name extends StageName>(stage: Stage<Name>, context: Omit<StageContext, "folder" | "damaged">, { fresh, finished }: StoreOptions): Promise<FinishedStage | undefined> => {
  const identity = stage.identity(context);
  if (identity === undefined) return undefined;
  const { runFolder, reporter } = context;
  const hash = hashOf(stage.name, version, identity, context.variants.map(({ name, sha256, session }) => [name, sha256, session ?? null]), context.plan.fingerprints,
    context.plan.teachers.map(({ identity: of }) => of), context.loaded.config.seed);
  const folder = join(runFolder, stageFolder(stage.name, hash));
  const file = join(folder, stageFile);
  if (fresh) await rm(folder, { recursive: true, force: true });
  const again = `${stage.name} is done again`;
  const kept = (await readKept(file, sealName(stage.name, hash), again, reporter)) as Kept | undefined;
  if (!kept && !fresh && finished.has(hash)) warnDamaged(reporter, file, "is missing", again);
  const damaged = kept ? await dropDamaged(runFolder, kept.files, again, reporter) : [];
  if (kept && damaged.length === 0) {
    return { variants: kept.variants, record: recordOf(stage.name, hash, kept.seconds, kept.report as StageReports[Name]), reused: true };
  }
  await mkdir(folder, { recursive: true });
  await rm(file, { force: true });
  const started = performance.now();
  const outcome: StageOutcome<Name> = await stage.run({ ...context, folder, damaged });
  const seconds = (performance.now() - started) / 1000;
  const { variants, report, undone, files = [] } = outcome;
  if (!undone) await writeKept(file, sealName(stage.name, hash), { hash, seconds, variants, report, files: await sealsOf(runFolder, folder, files) });
  return { variants, record: recordOf(stage.name, hash, seconds, report, undone !== undefined), reused: false, ...(undone && { undone }) };
};

const stageFile = "stage.json";
const sealName = (name: string, hash: string): string => `stage ${name} ${hash}`;

/** Name of a stage's folder in the run folder. */
export const stageFolder = (name: string, hash: string): string => `${name}-${hash.slice(0, 12)}`;

const recordOf = <Name extends StageName>(name: Name, hash: string, seconds: number, report: StageReports[Name], undone = false): StageRecord =>
  ({ name, hash, seconds, report, ...(undone && { undone }) }) as unknown as StageRecord;

/** Everything in the stage's folder, and what it has made elsewhere. */
const sealsOf = async (runFolder: string, folder: string, elsewhere: readonly string[]): Promise<FileSeal[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const inside = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).filter((path) => path !== join(folder, stageFile));
  return Promise.all([...inside.sort(), ...elsewhere].map((path) => sealOf(runFolder, relative(runFolder, path))));
};

/** A file of a finished stage that is not as the stage left it, in words; undefined where all are. For commands that cannot do the stage again. */
export const stageDamage = async (runFolder: string, { name, hash }: Pick<StageRecord, "name" | "hash">): Promise<{ readonly path: string; readonly damage: Damage } | undefined> => {
  const path = join(runFolder, stageFolder(name, hash), stageFile);
  const { content, damage } = await readSealed(path, sealName(name, hash));
  if (damage !== undefined) return { path, damage };
  for (const file of (content as Kept).files) {
    const found = await damageOf(runFolder, file);
    if (found !== undefined) return { path: join(runFolder, file.path), damage: found };
  }
  return undefined;
};

export const unknownStage = (name: string, known: readonly string[]): UserError =>
  new UserError("UNKNOWN_STAGE", `There is no stage "${name}".`, `use one of ${known.join(", ")}.`);
