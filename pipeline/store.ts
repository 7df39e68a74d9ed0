import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../graph/error.ts";
import { sha256File } from "../targets/digest.ts";
import { readJson, writeJson } from "./files.ts";
import { hashOf } from "./hash.ts";
import type { StageRecord, StageReports } from "./result.ts";
import type { Stage, StageContext, StageName, StageOutcome, VariantFile } from "./stage.ts";
import { variantPath } from "./variant-files.ts";
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
}

/**
 * Runs a stage in a folder named by the hash of everything that its result depends on; a finished one is read back instead, one with a part undone is run again.
 * Undefined where the config leaves the stage out.
 */
export const runStage = async <Name extends StageName>(stage: Stage<Name>, context: Omit<StageContext, "folder">, fresh: boolean): Promise<FinishedStage | undefined> => {
  const identity = stage.identity(context);
  if (identity === undefined) return undefined;
  const hash = hashOf(stage.name, version, identity, context.variants.map(({ name, sha256, session }) => [name, sha256, session ?? null]), context.plan.fingerprints,
    context.plan.teachers.map(({ identity: of }) => of), context.loaded.config.seed);
  const folder = join(context.runFolder, `${stage.name}-${hash.slice(0, 12)}`);
  const file = join(folder, "stage.json");
  if (fresh) await rm(folder, { recursive: true, force: true });
  const kept = (await readJson(file)) as Kept | undefined;
  if (kept && (await areWhole(kept.variants, context.runFolder))) {
    return { variants: kept.variants, record: recordOf(stage.name, hash, kept.seconds, kept.report as StageReports[Name]), reused: true };
  }
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  const outcome: StageOutcome<Name> = await stage.run({ ...context, folder });
  const seconds = (performance.now() - started) / 1000;
  const { variants, report, undone } = outcome;
  if (!undone) await writeJson(file, { hash, seconds, variants, report });
  return { variants, record: recordOf(stage.name, hash, seconds, report), reused: false, ...(undone && { undone }) };
};

const recordOf = <Name extends StageName>(name: Name, hash: string, seconds: number, report: StageReports[Name]): StageRecord => ({ name, hash, seconds, report }) as unknown as StageRecord;

/** True where every file is there with the content that the stage wrote. */
const areWhole = async (variants: readonly VariantFile[], runFolder: string): Promise<boolean> => {
  for (const { model, sizeBytes, sha256, trainable } of variants) {
    const path = variantPath(runFolder, model);
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== sizeBytes || (await sha256File(path)) !== sha256) return false;
    if (trainable !== undefined && !(await stat(variantPath(runFolder, trainable)).catch(() => undefined))) return false;
  }
  return true;
};

export const unknownStage = (name: string, known: readonly string[]): UserError =>
  new UserError("UNKNOWN_STAGE", `There is no stage "${name}".`, `use one of ${known.join(", ")}.`);
