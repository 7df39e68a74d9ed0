import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { QuantizeReport } from "../result.ts";
import { correctedBiases } from "./bias.ts";
import { collectStatistics, rangesOf, type CalibrationFeeds } from "./calibrate.ts";
import { compact } from "./compact.ts";
import type { EmitOptions } from "./emitter.ts";
import { nothingToQuantize } from "./errors.ts";
import { addPatterns, startingFloatSet, weightedLayers } from "./float-set.ts";
import { observedValues } from "./observe.ts";
import { prepareForQuantization } from "./prepare.ts";
import { fakeQuantized, removeFakeQuantization, type QuantizationScheme } from "./qat.ts";
import type { ActivationType, CalibrationMethod, RangeTable } from "./ranges.ts";
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
  /** mAP (fraction) that int8 may lose; the float set grows until it does not. Default 0.005. */
  readonly maxDrop?: number;
  /**
   * Trains the graph it is given, which rounds as int8 does, and returns it with other weights (quantization-aware training). Each file is then
   * made from the trained or the given weights, whichever is better; without `evaluate` from the trained ones.
   */
  readonly train?: (fakeQuantized: Graph) => Promise<Graph>;
  /** mAP of a graph; without it the float set does not grow. */
  readonly evaluate?: (graph: Graph, session: SessionOptions) => Promise<number>;
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
  readonly step: "calibrate" | "sensitivity" | "evaluate";
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
}

/**
 * Static int8 (Q/DQ) of a float model: one pass over the calibration feeds, one range table, one file per scheme; with `evaluate`, the most
 * sensitive layers become float again until the drop is at most `maxDrop`.
 * Throws UserError NO_CALIBRATION_DATA, CALIBRATION_FEED, NON_FINITE_ACTIVATION, KEEP_FLOAT_PATTERN, NOTHING_TO_QUANTIZE, ALREADY_QUANTIZED.
 */
export const quantizeModel = async (input: Graph, options: QuantizeOptions): Promise<Quantized> => {
  const prepared = prepareForQuantization(input);
  const floatSet = options.quantizeHeads ? new Map<Node, string>() : startingFloatSet(prepared);
  addPatterns(floatSet, prepared, options.keepFloat ?? []);
  const layers = weightedLayers(prepared).filter((node) => !floatSet.has(node));
  if (layers.length === 0) throw nothingToQuantize(input.name);
  const statistics = await collectStatistics(prepared, observedValues(prepared, namesOf(floatSet)), options.calibration, {
    ...(options.threads !== undefined && { threads: options.threads }), ...(options.signal && { signal: options.signal }),
    onProgress: (done) => options.onProgress?.({ step: "calibrate", done, total: null }),
  });
  const ranges = options.ranges ?? rangesOf(statistics, options.method ?? "mse");
  const schemes: readonly QuantizationScheme[] = options.scheme === "both" ? ["cpu", "tensorrt"] : [options.scheme];
  const mapFloat = await options.evaluate?.(prepared, {});
  const trained = await trainedWeights(prepared, ranges, schemes[0]!, namesOf(floatSet), options);
  const job: Job = {
    prepared, ranges, statistics, options, mapFloat, sensitivity: new Map(), sources: trained ? [["trained", trained], ["calibrated", prepared]] : [["calibrated", prepared]],
    ...(options.biasCorrection && { biases: correctedBiases(layers, statistics.channelMeans) }),
  };
  const outcomes = new Map<QuantizationScheme, Outcome>();
  for (const scheme of schemes) outcomes.set(scheme, await searchFloatSet(job, scheme, floatSet));
  if (options.sensitivity) await sensitivityOf(job, schemes[0]!, prepared, namesOf(floatSet));
  const files = Object.fromEntries([...outcomes].map(([scheme, { emitted }]) => [scheme, compact(emitted.graph)])) as Quantized["files"];
  return { files, prepared, ranges, report: reportOf(job, outcomes) };
};

/** The float graph with the weights that training with int8 rounding found. */
const trainedWeights = async (prepared: Graph, ranges: RangeTable, scheme: QuantizationScheme, floatNodes: ReadonlySet<string>, { train, silu, activations }: QuantizeOptions): Promise<Graph | undefined> =>
  train && removeFakeQuantization(await train(fakeQuantized(prepared, ranges, scheme, { floatNodes, ...(silu && { silu }), ...(activations && { activations }) })));

const reportOf = ({ ranges, statistics, sensitivity, options, mapFloat }: Job, outcomes: ReadonlyMap<QuantizationScheme, Outcome>): QuantizeReport => {
  const maps = [...outcomes].filter(([, { map }]) => map !== undefined).map(([scheme, { map }]) => [scheme, map!] as const);
  const [measured] = sensitivity.values();
  const floatNodes = new Map([...outcomes.values()].flatMap(({ floatSet }) => [...floatSet].map(([{ name }, reason]) => [name, reason] as const)));
  return {
    scheme: options.scheme,
    method: ranges.method,
    images: statistics.pictures,
    floatNodes: [...floatNodes].map(([node, reason]) => ({ node, reason })),
    quantizedNodes: Math.max(...[...outcomes.values()].map(({ emitted }) => emitted.layers.length)),
    ...(measured && { sensitivity: measured }),
    ...(mapFloat !== undefined && { mapFloat, mapInt8: Object.fromEntries(maps), drop: Math.max(...maps.map(([, map]) => mapFloat - map)) }),
    sessionSettings: Object.fromEntries([...outcomes.keys()].map((scheme) => [scheme, { ...sessionFor(scheme, options).extra }])),
    notes: [...outcomes.values()].flatMap(({ notes }) => notes),
  };
};
