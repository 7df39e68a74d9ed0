import { z } from "zod";
import { UserError } from "../graph/error.ts";
import { parseJson } from "../input/json.ts";
import { inputLimits } from "../input/limits.ts";
import { isMissing, readTextFile } from "../input/read.ts";
import { checkSchema, problemText } from "../input/schema.ts";

/**
 * The types of run.json, the one record of a run: every figure that the report, the terminal table and scripts show is in it.
 * Accuracies and drops are fractions (0..1, COCO's definition), latencies milliseconds, sizes bytes, MACs and parameters counts.
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** What a model file is in the run: its place between teacher and deployed model. */
export type VariantStage = "teacher" | "student" | "baseline" | "distilled" | "pruned" | "int8";

/** COCO mAP of a variant on the validation set, as pycocotools computes it. A class or size without ground truth is null. */
export interface Accuracy {
  readonly map: number;
  readonly map50: number;
  readonly map75?: number | null;
  readonly mapSmall?: number | null;
  readonly mapMedium?: number | null;
  readonly mapLarge?: number | null;
  /** AP at IoU 0.50:0.95 by class name. */
  readonly perClass: Readonly<Record<string, number | null>>;
  readonly images?: number;
  /** Standard error of `map`, by resampling the pictures with replacement. */
  readonly standardError?: number;
}

/** Quantiles of a benchmark's samples, in milliseconds. */
export interface LatencyMs {
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** The machine that a benchmark ran on. */
export interface BenchmarkDevice {
  readonly name: string;
  readonly cpu?: string | null;
  readonly os?: string | null;
  /** Version by runtime name, e.g. `{ "onnxruntime-node": "1.30.0" }`. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly powerMode?: string | null;
  readonly governor?: string | null;
}

/** One model measured on one target. It judges itself: `stable: false` carries the reasons. */
export interface BenchmarkRecord {
  readonly model: string;
  readonly sha256: string;
  readonly target: string;
  /** Execution provider, e.g. "cpu" or "tensorrt". */
  readonly provider: string;
  readonly precision: string;
  readonly threads: number;
  readonly batch: number;
  readonly runs: number;
  readonly warmup: number;
  readonly stable: boolean;
  /** Why `stable` is false; absent or empty when it is true. */
  readonly unstableReasons?: readonly string[];
  /** Ran on an emulator: proves that the model runs, says nothing about the device's speed. */
  readonly emulated?: boolean;
  /** The session alone. */
  readonly inferenceMs: LatencyMs;
  /** Camera picture to boxes: preprocess, session and decoding. */
  readonly endToEndMs?: LatencyMs | null;
  readonly fps: number;
  readonly memoryBytes?: number | null;
  readonly device: BenchmarkDevice;
  readonly thermal?: { readonly startC: number | null; readonly endC: number | null; readonly maxC?: number | null; readonly throttled: boolean } | null;
  readonly power?: { readonly meanW: number } | null;
  /** 95 % confidence intervals of the inference quantiles. */
  readonly confidenceMs?: { readonly p50: readonly [number, number]; readonly p90: readonly [number, number]; readonly p99: readonly [number, number] };
  /** What `endToEndMs` starts from: a JPEG or PNG file, or pixels in memory as a camera gives them. */
  readonly endToEndFrom?: "file" | "pixels";
  readonly clockMHz?: { readonly start: number | null; readonly end: number | null; readonly min: number | null };
  /** FPS over time of a long run. */
  readonly soak?: readonly { readonly seconds: number; readonly fps: number; readonly p99Ms: number; readonly temperatureC: number | null; readonly clockMHz: number | null }[];
  /** Medians of blocks of neighbouring samples in the order of measurement: what a later run is compared with. */
  readonly blockMediansMs?: readonly number[];
  /** Largest difference between the device's float outputs and this machine's, on the same input; whether all, and the integer ones, have the same bits. */
  readonly againstHost?: { readonly maxAbsError: number; readonly bitEqual: boolean; readonly integersBitEqual?: boolean };
  /** What only this kind of target measures: engine, layers, power rails. */
  readonly details?: JsonObject;
  /** ISO 8601 time of the measurement. */
  readonly at: string;
}

/** One model file of the run; `parent` names the variant that it was made from. */
export interface Variant {
  readonly name: string;
  readonly stage: VariantStage;
  readonly parent: string | null;
  /** Path of the file, relative to the run directory where it lies inside it. */
  readonly model: string;
  readonly sha256: string;
  readonly parameters: number;
  readonly macs: number;
  readonly sizeBytes: number;
  /** Null where the variant was not evaluated. */
  readonly accuracy: Accuracy | null;
  /** Benchmark record by target name; empty where none was measured. */
  readonly latency: Readonly<Record<string, BenchmarkRecord>>;
}

/** One point of a training curve: an epoch's end, or a step in between. */
export interface TrainingPoint {
  readonly epoch: number;
  readonly step: number;
  /** Mean of each loss term since the last point; `total` is what the optimizer saw. */
  readonly losses: Readonly<Record<string, number>>;
  readonly map?: number | null;
  readonly map50?: number | null;
  readonly lr: number;
  readonly imagesPerSecond: number;
  /** The state of this epoch is the result: the best on the validation set. */
  readonly chosen?: boolean;
}

/** Something that was chosen by its mAP on the validation set. */
export interface Choice {
  /** What was chosen, e.g. "state of distilled". */
  readonly what: string;
  /** How many were measured. */
  readonly candidates: number;
  /** Which it became, e.g. "epoch 16" or "the start". */
  readonly chosen: string;
  /** mAP (0..1) of the chosen one on the validation set. */
  readonly map: number;
  /** mAP of what would have been taken without choosing: the last epoch, the first file. */
  readonly plainMap: number;
}

/** A variant that ends below the one it was made from by more than the config's `allowedDrop`. */
export interface Loss {
  readonly variant: string;
  readonly parent: string;
  /** mAP (0..1) lost. */
  readonly drop: number;
  readonly allowed: number;
}

/** Training with a teacher, and the same student without one. */
export interface DistillReport {
  readonly curves?: { readonly baseline?: readonly TrainingPoint[]; readonly distilled?: readonly TrainingPoint[] };
  readonly choices?: readonly Choice[];
  readonly notes?: readonly string[];
}

/** Layers that lose the same channels together. */
export interface PruneGroup {
  readonly name: string;
  readonly layers: readonly string[];
  readonly channelsBefore: number;
  readonly channelsAfter: number;
  readonly score?: number;
}

export interface PruneReport {
  readonly targetMacs?: number;
  readonly reachedMacs?: number;
  readonly parameters?: number;
  readonly groups?: readonly PruneGroup[];
  /** Nodes whose op has no axis-link row: their groups keep all channels. */
  readonly blocked?: readonly { readonly node: string; readonly opType: string; readonly reason: string }[];
  /** mAP after the cut (`mapBefore`, without recovery) and after recovery (`mapAfter`). */
  readonly steps?: readonly { readonly macs: number; readonly mapBefore?: number | null; readonly mapAfter?: number | null }[];
  readonly recovery?: readonly TrainingPoint[];
  readonly choices?: readonly Choice[];
  readonly note?: string;
}

export interface QuantizeReport {
  readonly scheme?: string;
  readonly method?: string;
  /** Calibration pictures. */
  readonly images?: number;
  readonly floatNodes?: readonly { readonly node: string; readonly reason: string }[];
  readonly quantizedNodes?: number;
  /** What int8 in this node alone costs: mAP lost, or the signal-to-noise ratio of its output (low is sensitive). */
  readonly sensitivity?: readonly { readonly node: string; readonly mapDrop?: number; readonly sqnrDb?: number }[];
  readonly mapFloat?: number | null;
  readonly mapInt8?: { readonly cpu?: number | null; readonly tensorrt?: number | null };
  /** The larger of the drops of the emitted files against `mapFloat`. */
  readonly drop?: number | null;
  /** ONNX Runtime session settings that the int8 accuracy was measured with. */
  readonly sessionSettings?: JsonObject;
  /** Without labels: mAP of each file against the float model's own boxes on calibration pictures. */
  readonly agreement?: { readonly cpu?: number; readonly tensorrt?: number };
  /** Worst head of each file: signal-to-noise ratio of its raw output against the float model's, as written and in ONNX Runtime's kernels. */
  readonly sqnr?: Readonly<Record<string, { readonly head: string; readonly writtenDb: number; readonly kernelsDb: number } | null>>;
  /** What a user must hear. */
  readonly warnings?: readonly string[];
  /** Curve of quantization-aware training. */
  readonly qat?: readonly TrainingPoint[];
  readonly choices?: readonly Choice[];
  readonly notes?: readonly string[];
}

/** One picture with the boxes of a variant drawn: `dataUri`, or `path` relative to the run directory. */
export interface SamplePicture {
  readonly variant: string;
  readonly dataUri?: string;
  readonly path?: string;
}

export interface EvaluateReport {
  readonly images?: number;
  readonly samples?: readonly { readonly image: string; readonly pictures: readonly SamplePicture[] }[];
}

/** Where the reported figures come from, and what choosing can have done to them. */
export interface Choosing {
  /** `test`: pictures on which nothing was chosen. `val`: those on which epochs and float layers were chosen. */
  readonly measuredOn: "test" | "val";
  readonly pictures: number;
  /** How many candidates were compared on the validation set for the last variant and those it was made from. */
  readonly candidates: number;
  /** Standard error of the last variant's mAP (0..1): what another sample of pictures would change; null where it was not measured. */
  readonly standardError: number | null;
  /**
   * How far (mAP, 0..1) the best of so many equally good candidates lies above their mean by luck, were their errors independent: an upper bound of what
   * choosing can have added to the reported figure. 0 where it comes from `test`.
   */
  readonly helpedAtMost: number | null;
}

/** A finished stage: `hash` keys its result for resuming. */
export interface StageRecordOf<Name extends string, Report> {
  readonly name: Name;
  readonly hash: string;
  readonly seconds: number;
  readonly report: Report;
  /** A part could not be done, or was left out: the next run does it. */
  readonly undone?: boolean;
}

/** The type of each stage's report. */
export interface StageReports {
  readonly plan: JsonObject;
  readonly distill: DistillReport;
  readonly prune: PruneReport;
  readonly quantize: QuantizeReport;
  readonly evaluate: EvaluateReport;
  readonly benchmark: JsonObject;
  readonly bundle: JsonObject;
}

export type StageRecord = { [Name in keyof StageReports]: StageRecordOf<Name, StageReports[Name]> }[keyof StageReports];

/** A limit from the config, e.g. `mapDrop`, and what the run reached; `value` is null when nothing was measured. */
export interface Gate {
  readonly name: string;
  readonly limit: number;
  readonly value: number | null;
  readonly passed: boolean;
}

export interface RunResult {
  readonly name: string;
  readonly config: JsonObject;
  readonly seed: number;
  /** Versions and machine: `edgestill`, `node`, `onnxruntime`, `os`, `cpu`, … */
  readonly environment: JsonObject;
  readonly variants: readonly Variant[];
  readonly stages: readonly StageRecord[];
  readonly gates: readonly Gate[];
  /** Absent before the variants are evaluated. */
  readonly choosing?: Choosing;
  /** Variants that lost more than `allowedDrop`; absent in runs made before there was such a limit. */
  readonly losses?: readonly Loss[];
}

/** The report of the named stage, or undefined where the run did not get there. */
export function stageReport<Name extends keyof StageReports>(result: RunResult, name: Name): StageReports[Name] | undefined {
  const stage = result.stages.find((record): record is Extract<StageRecord, { readonly name: Name }> => record.name === name);
  return stage?.report as StageReports[Name] | undefined;
}

/** Beyond this a number is damage, and what is computed of it has no end. */
const largest = 1e100;
const figure = z.number().min(-largest).max(largest);
const count = figure.nonnegative();
const fraction = figure.nullable();
const json = z.json();
const object = z.record(z.string(), json);

const accuracy = z.object({
  map: figure,
  map50: figure,
  map75: fraction.exactOptional(),
  mapSmall: fraction.exactOptional(),
  mapMedium: fraction.exactOptional(),
  mapLarge: fraction.exactOptional(),
  perClass: z.record(z.string(), fraction),
  images: count.exactOptional(),
  standardError: count.exactOptional(),
});

const interval = z.tuple([count, count]);
const latencyMs = z.object({ p50: count, p90: count, p95: count, p99: count, mean: count, min: count, max: count });

const device = z.object({
  name: z.string(),
  cpu: z.string().nullable().exactOptional(),
  os: z.string().nullable().exactOptional(),
  runtimes: z.record(z.string(), z.string()).exactOptional(),
  powerMode: z.string().nullable().exactOptional(),
  governor: z.string().nullable().exactOptional(),
});

export const benchmarkRecord = z.object({
  model: z.string(),
  sha256: z.string(),
  target: z.string(),
  provider: z.string(),
  precision: z.string(),
  threads: count,
  batch: count,
  runs: count,
  warmup: count,
  stable: z.boolean(),
  unstableReasons: z.array(z.string()).exactOptional(),
  emulated: z.boolean().exactOptional(),
  inferenceMs: latencyMs,
  endToEndMs: latencyMs.nullable().exactOptional(),
  fps: count,
  memoryBytes: count.nullable().exactOptional(),
  device,
  thermal: z.object({ startC: fraction, endC: fraction, maxC: fraction.exactOptional(), throttled: z.boolean() }).nullable().exactOptional(),
  power: z.object({ meanW: count }).nullable().exactOptional(),
  confidenceMs: z.object({ p50: interval, p90: interval, p99: interval }).exactOptional(),
  endToEndFrom: z.enum(["file", "pixels"]).exactOptional(),
  clockMHz: z.object({ start: fraction, end: fraction, min: fraction }).exactOptional(),
  soak: z.array(z.object({ seconds: count, fps: count, p99Ms: count, temperatureC: fraction, clockMHz: fraction })).exactOptional(),
  blockMediansMs: z.array(count).exactOptional(),
  againstHost: z.object({ maxAbsError: count, bitEqual: z.boolean(), integersBitEqual: z.boolean().exactOptional() }).exactOptional(),
  details: object.exactOptional(),
  at: z.string(),
});

const variant = z.object({
  name: z.string().min(1),
  stage: z.enum(["teacher", "student", "baseline", "distilled", "pruned", "int8"]),
  parent: z.string().nullable(),
  model: z.string(),
  sha256: z.string(),
  parameters: count,
  macs: count,
  sizeBytes: count,
  accuracy: accuracy.nullable(),
  latency: z.record(z.string(), benchmarkRecord),
});

const trainingPoint = z.object({
  epoch: count,
  step: count,
  losses: z.record(z.string(), figure),
  map: fraction.exactOptional(),
  map50: fraction.exactOptional(),
  lr: count,
  imagesPerSecond: count,
  chosen: z.boolean().exactOptional(),
});
const curve = z.array(trainingPoint);
const choices = z.array(z.object({ what: z.string(), candidates: count, chosen: z.string(), map: figure, plainMap: figure }));

const distillReport = z.object({
  curves: z.object({ baseline: curve.exactOptional(), distilled: curve.exactOptional() }).exactOptional(),
  choices: choices.exactOptional(),
  notes: z.array(z.string()).exactOptional(),
});

const pruneReport = z.object({
  targetMacs: count.exactOptional(),
  reachedMacs: count.exactOptional(),
  parameters: count.exactOptional(),
  groups: z
    .array(
      z.object({
        name: z.string(),
        layers: z.array(z.string()),
        channelsBefore: count,
        channelsAfter: count,
        score: figure.exactOptional(),
      }),
    )
    .exactOptional(),
  blocked: z.array(z.object({ node: z.string(), opType: z.string(), reason: z.string() })).exactOptional(),
  steps: z.array(z.object({ macs: count, mapBefore: fraction.exactOptional(), mapAfter: fraction.exactOptional() })).exactOptional(),
  recovery: curve.exactOptional(),
  choices: choices.exactOptional(),
  note: z.string().exactOptional(),
});

const quantizeReport = z.object({
  scheme: z.string().exactOptional(),
  method: z.string().exactOptional(),
  images: count.exactOptional(),
  floatNodes: z.array(z.object({ node: z.string(), reason: z.string() })).exactOptional(),
  quantizedNodes: count.exactOptional(),
  sensitivity: z
    .array(z.object({ node: z.string(), mapDrop: figure.exactOptional(), sqnrDb: figure.exactOptional() }))
    .exactOptional(),
  mapFloat: fraction.exactOptional(),
  mapInt8: z.object({ cpu: fraction.exactOptional(), tensorrt: fraction.exactOptional() }).exactOptional(),
  drop: fraction.exactOptional(),
  sessionSettings: object.exactOptional(),
  agreement: z.object({ cpu: figure.exactOptional(), tensorrt: figure.exactOptional() }).exactOptional(),
  sqnr: z.record(z.string(), z.object({ head: z.string(), writtenDb: figure, kernelsDb: figure }).nullable()).exactOptional(),
  warnings: z.array(z.string()).exactOptional(),
  qat: curve.exactOptional(),
  choices: choices.exactOptional(),
  notes: z.array(z.string()).exactOptional(),
});

const picture = z.object({ variant: z.string(), dataUri: z.string().exactOptional(), path: z.string().exactOptional() });

const evaluateReport = z.object({
  images: count.exactOptional(),
  samples: z.array(z.object({ image: z.string(), pictures: z.array(picture) })).exactOptional(),
});

const stage = { hash: z.string(), seconds: count, undone: z.boolean().exactOptional() };
const stageRecord = z.discriminatedUnion("name", [
  z.object({ name: z.literal("distill"), ...stage, report: distillReport }),
  z.object({ name: z.literal("prune"), ...stage, report: pruneReport }),
  z.object({ name: z.literal("quantize"), ...stage, report: quantizeReport }),
  z.object({ name: z.literal("evaluate"), ...stage, report: evaluateReport }),
  z.object({ name: z.literal("plan"), ...stage, report: object }),
  z.object({ name: z.literal("benchmark"), ...stage, report: object }),
  z.object({ name: z.literal("bundle"), ...stage, report: object }),
]);

/** The schema of run.json. Keys that it does not know are dropped, so that a newer version's file can be read. */
export const runResultSchema: z.ZodType<RunResult> = z.object({
  name: z.string(),
  config: object,
  seed: figure,
  environment: object,
  variants: z.array(variant),
  stages: z.array(stageRecord),
  gates: z.array(z.object({ name: z.string(), limit: figure, value: fraction, passed: z.boolean() })),
  choosing: z.object({ measuredOn: z.enum(["test", "val"]), pictures: count, candidates: count, standardError: fraction, helpedAtMost: fraction }).exactOptional(),
  losses: z.array(z.object({ variant: z.string(), parent: z.string(), drop: figure, allowed: figure })).exactOptional(),
});

export const notARun = (file: string, problem: string, cause?: unknown) =>
  new UserError(
    "NOT_A_RUN",
    `Cannot read the run in "${file}": ${problem}.`,
    "give the directory of a run that compress made, or run compress again.",
    { cause },
  );

/** The text of run.json; "" where there is none. Throws UserError NOT_A_RUN for what is no plain file or may not be read. */
export const readRunText = (file: string): Promise<string> => readTextFile(file, inputLimits.textBytes).catch((cause: unknown) => {
  if (isMissing(cause)) return "";
  throw notARun(file, cause instanceof Error ? cause.message : String(cause), cause);
});

/** Reads run.json back from its text; `file` is named in errors. Throws UserError NOT_A_RUN with the first problems found. */
export function parseRunResult(text: string, file: string): RunResult {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw notARun(file, text === "" ? "there is no such file, or it is empty" : "it is not JSON", cause);
  }
  const { data, problems } = checkSchema(runResultSchema, value, "top level");
  if (problems) throw notARun(file, problemText(problems, 5));
  return data;
}
