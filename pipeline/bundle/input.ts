import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { BundledModel, BundleInput, EvidenceData, Requirement } from "../../bundle/input.ts";
import type { ModelRole } from "../../bundle/manifest-schema.ts";
import { loadDetector } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import { inputLimits } from "../../input/limits.ts";
import { readPlainFile } from "../../input/read.ts";
import { sha256File } from "../../files/digest.ts";
import type { BundleConfig } from "../config-schema.ts";
import { readSealed } from "../../files/seal.ts";
import { exactSession } from "../models/session.ts";
import type { Plan } from "../plan.ts";
import type { RunResult, Variant } from "../result.ts";
import { stageDamage, stageFolder as nameOfFolder } from "../store.ts";
import { variantPath } from "../variant-files.ts";

export interface BundleSources {
  readonly result: RunResult;
  readonly runFolder: string;
  readonly settings: BundleConfig;
  readonly requirements: readonly Requirement[];
  /** The data sets, where they are at hand. */
  readonly plan: Plan | null;
}

/** Gathers what a bundle is made from out of a finished run. Throws UserError BUNDLE_VARIANT, BUNDLE_MODEL, BUNDLE_FILE and those of reading the models. */
export const bundleInput = async ({ result, runFolder, settings, requirements, plan }: BundleSources): Promise<BundleInput> => {
  const variant = chosenVariant(result, settings.variant);
  const models = [await open(variant, "float", runFolder, plan)];
  for (const child of result.variants.filter(({ stage, parent }) => stage === "int8" && parent === variant.name)) models.push(await open(child, undefined, runFolder, plan));
  for (const stage of result.stages.filter(({ name, undone }) => (name === "quantize" || name === "benchmark") && undone !== true)) {
    const damage = await stageDamage(runFolder, stage);
    if (damage) throw changedFile(damage.path, damage.damage);
  }
  const ranges = await readRanges(result, runFolder);
  return {
    result, models, formats: settings.formats, requirements, ranges,
    thresholds: { score: settings.score, iou: settings.iou, maxDetections: settings.maxDetections },
    data: plan && dataOf(plan), autowareLabels: settings.autowareLabels, timingCaches: await timingCaches(result, runFolder), limits: settings.limits,
    notes: [...models[0]!.model.notes, ...(ranges ? [] : ["The run keeps no range table: no calibration table for implicit quantization."])],
  };
};

/** The named variant, or the last float one that is neither teacher nor baseline; a run without teacher made the baseline alone. */
const chosenVariant = ({ variants }: RunResult, name: string | undefined): Variant => {
  const float = variants.filter(({ stage }) => stage !== "int8");
  const last = float.findLast(({ stage }) => stage !== "teacher" && stage !== "baseline") ?? float.findLast(({ stage }) => stage === "baseline");
  const found = name === undefined ? last : float.find((variant) => variant.name === name);
  if (!found) throw noVariant(name, float);
  return found;
};

const open = async (variant: Variant, role: ModelRole | undefined, runFolder: string, plan: Plan | null): Promise<BundledModel> => {
  const path = variantPath(runFolder, variant.model);
  if ((await sha256File(path).catch(() => undefined)) !== variant.sha256) throw otherModel(variant, path);
  const model = plan?.teachers.find(({ name }) => name === variant.name)?.model ?? (await loadDetector(path));
  const session = (exactSession(model.graph).session.extra ?? {});
  // Two files are named by their runtime; a single one says by its settings which it is for.
  const isTensorrt = variant.name.endsWith(".tensorrt") || (!variant.name.endsWith(".cpu") && Object.hasOwn(session, "session.disable_quant_qdq"));
  return { role: role ?? (isTensorrt ? "int8-tensorrt" : "int8-cpu"), variant: variant.name, path, model, session };
};

const otherModel = ({ name }: Variant, path: string): UserError =>
  new UserError("BUNDLE_MODEL", `The file of "${name}", ${path}, is gone or is not the one that the run measured.`, "run compress with the run's config: it makes again what is missing or changed.");

const changedFile = (path: string, damage: string): UserError =>
  new UserError("BUNDLE_FILE", `${path} ${damage}.`, "run compress with the run's config: it makes again what is missing or changed.");

/** Evidence comes from the pictures that the reported figures come from. */
const dataOf = ({ train, reported, classes, slices, fingerprints }: Plan): EvidenceData =>
  ({ items: reported.items, classes, slices, fingerprints: { train: fingerprints.train, val: fingerprints.reported }, trainImages: train.items.length });

const stageFolder = ({ stages }: RunResult, runFolder: string, name: string): string | undefined => {
  const record = stages.findLast((stage) => stage.name === name);
  return record && join(runFolder, nameOfFolder(name, record.hash));
};

/** What the quantize stage wrote; `threshold` is the symmetric bound. */
const readRanges = async (result: RunResult, runFolder: string): Promise<ReadonlyMap<string, number> | null> => {
  const folder = stageFolder(result, runFolder, "quantize");
  const table = folder && ((await readSealed(join(folder, "ranges.json"), "ranges")).content as { readonly ranges: Readonly<Record<string, { readonly threshold: number }>> } | undefined);
  return table ? new Map(Object.entries(table.ranges).map(([name, { threshold }]) => [name, threshold])) : null;
};

/** `*.timing` files that a target left in the benchmark's folder. */
const timingCaches = async (result: RunResult, runFolder: string): Promise<ReadonlyMap<string, Uint8Array>> => {
  const folder = stageFolder(result, runFolder, "benchmark");
  const names = folder === undefined ? [] : (await readdir(folder).catch((): string[] => [])).filter((name) => name.endsWith(".timing")).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readPlainFile(join(folder!, name), inputLimits.wholeFileBytes)] as const)));
};

const noVariant = (name: string | undefined, float: readonly Variant[]): UserError =>
  new UserError("BUNDLE_VARIANT", name === undefined ? "The run has no student to bundle." : `The run has no float variant "${name}".`,
    `choose one of ${float.map((variant) => variant.name).join(", ") || "(none: run compress further)"}; its int8 files come with it.`);
