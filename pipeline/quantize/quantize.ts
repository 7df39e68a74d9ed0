import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { QuantizeReport } from "../result.ts";
import { correctedBiases } from "./bias.ts";
import { collectStatistics, rangesOf, type CalibrationFeeds } from "./calibrate.ts";
import { compact } from "./compact.ts";
import type { HeadArithmetic } from "./arithmetic.ts";
import type { EmitOptions } from "./emitter.ts";
import { int8Dead, nonFiniteWeight, nothingToQuantize } from "./errors.ts";
import { addPatterns, startingFloatSet, weightedLayers } from "./float-set.ts";
import { checkWritten, soundFile } from "./mend.ts";
import { deadReason, metricOf } from "./metric.ts";
import { observedValues } from "./observe.ts";
import { prepareForQuantization } from "./prepare.ts";
import { fakeQuantized, removeFakeQuantization, type QuantizationScheme } from "./qat.ts";
import type { ActivationType, CalibrationMethod, RangeTable } from "./ranges.ts";
import { reportOf } from "./report.ts";
import { namesOf, searchFloatSet, sensitivityOf, sessionFor, type Job, type Outcome } from "./search.ts";

export interface QuantizeOptions {
  readonly calibration: CalibrationFeeds;
  /** Default "mse". */
  readonly method?: CalibrationMethod;
  readonly scheme: QuantizationScheme | "both";
  /** Ranges measured before (after quantization-aware training); `calibration` is read for examples only where given. */
  readonly ranges?: RangeTable;
  /** Globs on node names. */
  readonly keepFloat?: readonly string[];
  /** Start with only `keepFloat` in the float set, without the last layers and the decode tail. */
  readonly quantizeHeads?: boolean;
  /** mAP (fraction) that int8 may lose against `evaluate`; the float set grows until it does not. Default 0.005. */
  readonly maxDrop?: number;
  /**
   * Trains the graph it is given, which rounds as int8 does, and returns it with other weights (quantization-aware training). Each file is then
   * made from the trained or the given weights, whichever is better; without `evaluate` from the trained ones.
   */
  readonly train?: (fakeQuantized: Graph) => Promise<Graph>;
  /** mAP of a graph on labelled pictures: the float set grows until it is within `maxDrop` of the float model's. */
  readonly evaluate?: (graph: Graph, session: SessionOptions) => Promise<number>;
  /** Without labels: mAP of a graph against the float model's own boxes; the float set grows until it is `leastAgreement`. */
  readonly agreement?: (graph: Graph, session: SessionOptions) => Promise<number>;
  /** Measure the sensitivity of every layer even where no growth is needed. Default: only where it is needed. */
  readonly sensitivity?: boolean;
  readonly biasCorrection?: boolean;
  readonly silu?: EmitOptions["silu"];
  readonly activations?: ActivationType;
  readonly threads?: number;
  readonly onProgress?: (progress: QuantizeProgress) => void;
  readonly signal?: AbortSignal;
}

export interface QuantizeProgress {
  readonly step: "calibrate" | "check" | "sensitivity" | "evaluate";
  readonly done: number;
  /** Null where it is not known in advance. */
  readonly total: number | null;
  readonly note?: string;
}

export interface Quantized {
  readonly files: { readonly cpu?: Graph; readonly tensorrt?: Graph };
  /** The float graph that the files were made from. */
  readonly prepared: Graph;
  readonly ranges: RangeTable;
  readonly report: QuantizeReport;
  /** Opens a written file and compares it with the float model. Throws UserError INT8_DIFFERS; the caller removes the file. */
  readonly checkFile: (scheme: QuantizationScheme, path: string) => Promise<void>;
}

/**
 * Static int8 (Q/DQ) of a float model: one pass over the calibration feeds, one range table, one file per scheme. Each file is opened and run:
 * layers that the runtime does not compute as written become float, then the most sensitive ones, until the drop is at most `maxDrop`.
 * Throws UserError NO_CALIBRATION_DATA, CALIBRATION_FEED, NON_FINITE_ACTIVATION, NON_FINITE_WEIGHT, KEEP_FLOAT_PATTERN, NOTHING_TO_QUANTIZE,
 * ALREADY_QUANTIZED, INT8_DIFFERS, INT8_DEAD.
 */
export const quantizeModel = async (input: Graph, options: QuantizeOptions): Promise<Quantized> => {
  const prepared = prepareForQuantization(input);
  const floatSet = options.quantizeHeads ? new Map<Node, string>() : startingFloatSet(prepared);
  addPatterns(floatSet, prepared, options.keepFloat ?? []);
  const layers = weightedLayers(prepared).filter((node) => !floatSet.has(node));
  if (layers.length === 0) throw nothingToQuantize(input.name);
  for (const node of layers) checkWeights(node);
  const statistics = await collectStatistics(prepared, observedValues(prepared, namesOf(floatSet)), options.calibration, {
    ...(options.threads !== undefined && { threads: options.threads }), ...(options.signal && { signal: options.signal }),
    onProgress: (done) => options.onProgress?.({ step: "calibrate", done, total: null }),
  });
  const ranges = options.ranges ?? rangesOf(statistics, options.method ?? "mse");
  const schemes: readonly QuantizationScheme[] = options.scheme === "both" ? ["cpu", "tensorrt"] : [options.scheme];
  const metric = await metricOf(prepared, statistics, options);
  const trained = await trainedWeights(prepared, ranges, schemes[0]!, namesOf(floatSet), options);
  const job: Job = {
    prepared, ranges, statistics, options, metric, sensitivity: new Map(), sources: trained ? [["trained", trained], ["calibrated", prepared]] : [["calibrated", prepared]],
    ...(options.biasCorrection && { biases: correctedBiases(layers, statistics.channelMeans) }),
  };
  const outcomes = new Map<QuantizationScheme, FileOutcome>();
  for (const scheme of schemes) outcomes.set(scheme, await fileFor(job, scheme, floatSet));
  if (options.sensitivity) await sensitivityOf(job, schemes[0]!, prepared, namesOf(floatSet));
  const files = Object.fromEntries([...outcomes].map(([scheme, { emitted }]) => [scheme, compact(emitted.graph)])) as Quantized["files"];
  const checkFile: Quantized["checkFile"] = (scheme, path) => checkWritten(job, scheme, outcomes.get(scheme)!.source, path);
  return { files, prepared, ranges, report: reportOf(job, outcomes), checkFile };
};

/** Weights and bias of a layer that is to be int8 are numbers. */
const checkWeights = (node: Node): void => {
  for (const value of node.inputs.slice(1)) if (value?.constant?.dtype === "float32" && !value.constant.floats.every(Number.isFinite)) throw nonFiniteWeight(node.name, value.name);
};

/** The float graph with the weights that training with int8 rounding found. */
const trainedWeights = async (prepared: Graph, ranges: RangeTable, scheme: QuantizationScheme, floatNodes: ReadonlySet<string>, { train, silu, activations }: QuantizeOptions): Promise<Graph | undefined> =>
  train && removeFakeQuantization(await train(fakeQuantized(prepared, ranges, scheme, { floatNodes, ...(silu && { silu }), ...(activations && { activations }) })));

export interface FileOutcome extends Outcome {
  readonly heads: readonly HeadArithmetic[];
}

/** What the kernels get wrong becomes float first, so that the search does not make others float for it. */
const fileFor = async (job: Job, scheme: QuantizationScheme, floatSet: ReadonlyMap<Node, string>): Promise<FileOutcome> => {
  const first = await soundFile(job, scheme, job.sources[0]![1], floatSet);
  const chosen = await searchFloatSet(job, scheme, first.floatSet);
  const isFirst = chosen.source === job.sources[0]![1] && chosen.floatSet.size === first.floatSet.size;
  const last = isFirst ? first : await soundFile(job, scheme, chosen.source, chosen.floatSet);
  const value = last.floatSet.size === chosen.floatSet.size ? chosen.value : await job.metric.of(last.emitted.graph, sessionFor(scheme, job.options));
  const outcome = {
    ...chosen, emitted: last.emitted, floatSet: last.floatSet, value, heads: last.heads, notes: [...first.notes, ...chosen.notes, ...(isFirst ? [] : last.notes)],
  };
  const dead = deadReason(job.metric, outcome);
  if (dead !== undefined) throw int8Dead(scheme, dead);
  return outcome;
};

