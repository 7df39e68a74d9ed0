import { join, resolve } from "node:path";
import { describeDetector } from "../detection/detector.ts";
import { evaluateDetector } from "../detection/evaluate.ts";
import { readSealed } from "../files/seal.ts";
import { removeLeftOvers } from "../files/write.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { inputLimits } from "../input/limits.ts";
import { readPlainFile } from "../input/read.ts";
import { fileAccess } from "../input/reason.ts";
import { serializeModel } from "../onnx/save.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { picturePaths, renderReport, type Asset } from "../report/html.ts";
import { nameOf } from "../targets/inventory.ts";
import { accuracyRecord } from "./accuracy.ts";
import { bundleStage } from "./bundle/stage.ts";
import type { Trust } from "../targets/code-keys.ts";
import { sourceFile } from "./bundle/source.ts";
import { benchmarkStage } from "./benchmark/stage.ts";
import { distillStage } from "./distill/stage.ts";
import { loadConfig, type LoadedConfig } from "./config.ts";
import { checkDisk } from "./disk-estimate.ts";
import { environmentRecord } from "./environment.ts";
import { accuracyOf, evaluateStage } from "./evaluate/stage.ts";
import { diskFull, isDiskFull, writeFileSafely } from "./files.ts";
import { choosingOf } from "./choosing.ts";
import { judgeGates } from "./gates.ts";
import { hashOf } from "./hash.ts";
import { warnDamaged, writeKept } from "./kept.ts";
import { lockFolder } from "./lock.ts";
import { allowedDropOf, lossesOf } from "./losses.ts";
import { makePlan, type Plan } from "./plan.ts";
import { lazyTask, silentReporter, type Reporter } from "./progress.ts";
import { pruneStage } from "./prune/stage.ts";
import { quantizeStage } from "./quantize/stage.ts";
import { runResultSchema, type Accuracy, type BenchmarkRecord, type Gate, type JsonObject, type RunResult, type StageRecord, type Variant } from "./result.ts";
import { stageNames, type Stage, type StageContext, type StageName, type VariantFile } from "./stage.ts";
import { runStage, stageDamage, unknownStage, type FinishedStage } from "./store.ts";
import { readRun, runFile } from "./run-file.ts";
import { createTrainer } from "./trainer.ts";
import { givenVariant } from "./variant-files.ts";

export interface CompressOptions extends Trust {
  /** Folder that gets a folder per run, and `cache/` for what runs share; default `runs`. */
  readonly runs?: string;
  /** Last stage to run. */
  readonly until?: StageName;
  /** Do all stages and trainings again (the teacher's outputs are kept: they are keyed by content). */
  readonly fresh?: boolean;
  /** Names of the config's targets that are not measured this time; a later run without this measures them alone. */
  readonly without?: readonly string[];
  readonly reporter?: Reporter;
  /** Stops the run after the step in progress, checkpoint written; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface CompressResult {
  readonly result: RunResult;
  readonly runFolder: string;
  readonly reportPath: string;
}

const stagesByName: { readonly [Name in Exclude<StageName, "plan">]: Stage<Name> } = { distill: distillStage, prune: pruneStage, quantize: quantizeStage, evaluate: evaluateStage, benchmark: benchmarkStage, bundle: bundleStage };
/** In order. A stage that the config leaves out is skipped. */
const stages = stageNames.flatMap((name) => (name === "plan" ? [] : [stagesByName[name]]));

/** The folder of a config's run: its name and the hash of its content. */
export const runFolderOf = ({ config }: LoadedConfig, runs = "runs"): string => join(resolve(runs), `${config.name}-${hashOf(config).slice(0, 8)}`);

/**
 * The main job: plan, distill, prune, quantize, evaluate, benchmark, bundle, report. What is finished is reused, what was interrupted goes on.
 * run.json and report.html are written after every stage, so that a later failure loses nothing. Throws UserError for whatever the user can mend.
 */
export const compress = async (configPath: string, options: CompressOptions = {}): Promise<CompressResult> => {
  const loaded = await loadConfig(configPath, options);
  if (options.until !== undefined && !stageNames.includes(options.until)) throw unknownStage(options.until, stageNames);
  const targets = loaded.config.targets.map(nameOf);
  const unknown = options.without?.find((name) => !targets.includes(name));
  if (unknown !== undefined) throw noSuchTarget(unknown, targets);
  const runFolder = runFolderOf(loaded, options.runs);
  const unlock = await lockFolder(runFolder, { onWait: (line) => options.reporter?.line(line) });
  try {
    await removeLeftOvers(resolve(options.runs ?? "runs"));
    return await runStages(loaded, runFolder, { ...options, signal: AbortSignal.any([unlock.lost, ...(options.signal ? [options.signal] : [])]) });
  } catch (error) {
    throw isDiskFull(error) ? diskFull(error, runFolder) : (fileAccess(error) ?? error);
  } finally {
    await unlock();
  }
};

const runStages = async (loaded: LoadedConfig, runFolder: string, options: CompressOptions): Promise<CompressResult> => {
  const { reporter = silentReporter, signal, fresh = false, until, without = [] } = options;
  const { config } = loaded;
  const cacheFolder = join(resolve(options.runs ?? "runs"), "cache");
  const started = performance.now();
  reporter.line(`run folder ${runFolder}`);
  const finishedStages = await finishedBefore(runFolder);
  await writeKept(join(runFolder, sourceFile), sourceFile, { config: loaded.path });
  const plan = await makePlan(loaded, reporter, cacheFolder);
  reporter.line(`plan: ${plan.train.items.length} pictures to train on, ${plan.val.items.length} to validate on${plan.reported === plan.val ? "" : `, ${plan.reported.items.length} to test on`}, classes ${plan.classes.join(", ")}`);
  await checkDisk(loaded, plan, { runFolder, cacheFolder, reporter });
  const variants: VariantFile[] = [];
  for (const teacher of plan.teachers) variants.push(await givenVariant(teacher, runFolder));
  const records: StageRecord[] = [{ name: "plan", hash: planHash(plan), seconds: (performance.now() - started) / 1000, report: plan.report }];
  const context = { ...contextOf(loaded, plan, runFolder, cacheFolder, reporter, signal, fresh), withoutTargets: without };
  const run: RunState = { loaded, plan, runFolder, variants, records, accuracies: new Map(), benchmarks: new Map() };
  let saved = await saveRun(run, []);
  let isMeasuredAnew = false; // then the bundle's times are not the run's any more
  for (const stage of until === "plan" ? [] : stages) {
    signal?.throwIfAborted();
    // The union of stages cannot be called with one context of each; every member takes the same.
    const finished: FinishedStage | undefined = await runStage(stage as Stage<StageName>, { ...context, variants: [...variants] }, { fresh: fresh || (stage.name === "bundle" && isMeasuredAnew), finished: finishedStages });
    if (finished) {
      reporter.line(`${stage.name}: ${finished.reused ? "finished already" : `${finished.undone ? "partly done" : "done"} in ${finished.record.seconds.toFixed(0)} s`}`);
      variants.push(...finished.variants);
      records.push(finished.record);
      if (stage.name === "evaluate") for (const variant of variants) run.accuracies.set(variant.name, await accuracyOf({ ...context, variants, folder: runFolder, damaged: [] }, variant));
      if (finished.record.name === "benchmark") keepBenchmarks(run, finished.record.report);
      isMeasuredAnew ||= stage.name === "benchmark" && !finished.reused;
      saved = await saveRun(run, []);
      if (finished.undone?.error) throw finished.undone.error;
    }
    if (stage.name === until) break;
  }
  if (until === undefined || until === "benchmark" || until === "bundle") saved = await saveRun(run, judgeGates(config.gates, saved.result));
  return saved;
};

const contextOf = (loaded: LoadedConfig, plan: Plan, runFolder: string, cacheFolder: string, reporter: Reporter, signal: AbortSignal | undefined, fresh: boolean): Omit<StageContext, "folder" | "damaged" | "variants" | "withoutTargets"> => {
  const known = new Map<string, Promise<Accuracy>>();
  const measure = (graph: Graph, label: string, session: SessionOptions = {}): Promise<Accuracy> => {
    const key = hashOf(serializeModel(graph, { valueInfo: false }), session);
    const accuracy = known.get(key) ?? measureNow(graph, label, session);
    known.set(key, accuracy);
    return accuracy;
  };
  const measureNow = async (graph: Graph, label: string, session: SessionOptions): Promise<Accuracy> => {
    const model = await describeDetector(graph, label, { family: plan.student.family, classes: plan.classes, preprocess: plan.student.contract, probe: false });
    const task = lazyTask(reporter, `mAP of ${label}`, "picture");
    try {
      const { accuracy } = await evaluateDetector(model, plan.val.items, plan.classes, {
        onProgress: task.update, ...(signal && { signal }), session: { ...session, ...(loaded.config.threads !== undefined && { threads: loaded.config.threads }) },
      });
      return accuracyRecord(accuracy, plan.classes);
    } finally {
      task.end();
    }
  };
  const trainer = createTrainer({ loaded, plan, cacheFolder, reporter, signal, fresh, measureMap: measure });
  return { loaded, plan, runFolder, cacheFolder, trainer, reporter, signal, measureMap: async (graph, label) => (await measure(graph, label)).map };
};

/** Of what was planned, wherever its files lie. */
const planHash = ({ classes, fingerprints, calibration, teachers, student }: Plan): string =>
  hashOf(classes, fingerprints, calibration?.fingerprint ?? null, teachers.map(({ identity, weight, mode }) => [identity, weight, mode ?? null]), student.contract, serializeModel(student.graph));

const noSuchTarget = (name: string, known: readonly string[]): UserError =>
  new UserError("UNKNOWN_TARGET", `The config has no target "${name}" that could be left out.`, `its targets: ${known.join(", ") || "none"}.`);

interface RunState {
  readonly loaded: LoadedConfig;
  readonly plan: Plan;
  readonly runFolder: string;
  readonly variants: readonly VariantFile[];
  readonly records: readonly StageRecord[];
  readonly accuracies: Map<string, Accuracy>;
  /** By variant, then by target. */
  readonly benchmarks: Map<string, Record<string, BenchmarkRecord>>;
}

const keepBenchmarks = ({ benchmarks }: RunState, report: JsonObject): void => {
  const { records } = report as unknown as { readonly records: Readonly<Record<string, readonly BenchmarkRecord[]>> };
  for (const [target, list] of Object.entries(records)) {
    for (const record of list) benchmarks.set(record.model, { ...benchmarks.get(record.model), [target]: benchmarks.get(record.model)?.[target] ?? record }); // the first of a target's settings counts
  }
};

const saveRun = async ({ loaded: { config }, plan, runFolder, variants, records, accuracies, benchmarks }: RunState, gates: readonly Gate[]): Promise<CompressResult> => {
  const judged: RunResult = {
    name: config.name, config: config as unknown as JsonObject, seed: config.seed, environment: environmentRecord(),
    variants: variants.map(({ name, stage, parent, model, sha256, parameters, macs, sizeBytes }): Variant =>
      ({ name, stage, parent, model, sha256, parameters, macs, sizeBytes, accuracy: accuracies.get(name) ?? null, latency: benchmarks.get(name) ?? {} })),
    stages: [...records], gates,
  };
  const choosing = choosingOf(judged, plan.fingerprints.reported === plan.fingerprints.val ? "val" : "test");
  const result: RunResult = { ...judged, losses: lossesOf(judged.variants, allowedDropOf(config)), ...(choosing && { choosing }) };
  await writeKept(join(runFolder, runFile), runFile, result);
  return { result, runFolder, reportPath: await writeReport(result, runFolder) };
};

/** Hashes of the stages that the folder's run.json says were finished; none where it cannot be read. */
const finishedBefore = async (runFolder: string): Promise<ReadonlySet<string>> => {
  const { content } = await readSealed(join(runFolder, runFile), runFile);
  const parsed = runResultSchema.safeParse(content);
  return new Set(parsed.data?.stages.filter(({ undone }) => undone !== true).map(({ hash }) => hash));
};

/** Renders report.html of a run folder from its run.json; returns its path. Throws UserError NOT_A_RUN and RUN_CHANGED. */
export const renderRun = async (runFolder: string, reporter: Reporter = silentReporter): Promise<string> => {
  const result = await readRun(runFolder, reporter);
  const stage = result.stages.find(({ name }) => name === "evaluate");
  const damage = stage && (await stageDamage(runFolder, stage));
  if (damage) warnDamaged(reporter, damage.path, damage.damage, "the report is made without its pictures; compress makes them again");
  return writeReport(result, runFolder, damage === undefined);
};

const writeReport = async (result: RunResult, runFolder: string, withPictures = true): Promise<string> => {
  const assets = new Map<string, Asset>();
  for (const path of withPictures ? picturePaths(result) : []) {
    const bytes = await readPlainFile(join(runFolder, path), inputLimits.pictureBytes).catch(() => undefined);
    if (bytes) assets.set(path, { mime: "image/jpeg", bytes });
  }
  const path = join(runFolder, "report.html");
  await writeFileSafely(path, renderReport(result, assets));
  return path;
};
