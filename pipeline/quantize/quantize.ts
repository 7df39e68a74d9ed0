import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { QuantizeReport } from "../result.ts";
import { correctedBiases } from "./bias.ts";
import { compact } from "./compact.ts";
import { collectStatistics, rangesOf, type CalibrationFeeds, type Statistics } from "./calibrate.ts";
import { emitCpu } from "./cpu.ts";
import { defaultActivations, type EmitOptions, type Emitted } from "./emitter.ts";
import { nothingToQuantize } from "./errors.ts";
import { addPatterns, startingFloatSet, weightedLayers } from "./float-set.ts";
import { observedValues } from "./observe.ts";
import { prepareForQuantization } from "./prepare.ts";
import type { QuantizationScheme } from "./qat.ts";
import type { ActivationType, CalibrationMethod, RangeTable } from "./ranges.ts";
import { layerSensitivity, type LayerSensitivity } from "./sensitivity.ts";
import { exactCpuSession, int8TensorrtSession } from "./sessions.ts";
import { emitTensorrt } from "./tensorrt.ts";

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

/** Growth of the float set adds 1, 2, 4, 8 … of the most sensitive layers, at most this many times. */
const growthSteps = 5;

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
    ...common(options),
    onProgress: (done) => options.onProgress?.({ step: "calibrate", done, total: null }),
  });
  const ranges = options.ranges ?? rangesOf(statistics, options.method ?? "mse");
  const job: Job = { prepared, ranges, statistics, options, sensitivity: new Map(), ...(options.biasCorrection && { biases: correctedBiases(layers, statistics.channelMeans) }) };
  const mapFloat = await options.evaluate?.(prepared, {});
  const schemes: readonly QuantizationScheme[] = options.scheme === "both" ? ["cpu", "tensorrt"] : [options.scheme];
  const outcomes = new Map<QuantizationScheme, Outcome>();
  for (const scheme of schemes) outcomes.set(scheme, await emitUntilGood(job, scheme, floatSet, mapFloat));
  if (options.sensitivity) await sensitivityOf(job, schemes[0]!, namesOf(floatSet));
  const files = Object.fromEntries([...outcomes].map(([scheme, { emitted }]) => [scheme, compact(emitted.graph)])) as Quantized["files"];
  return { files, prepared, ranges, report: reportOf(job, outcomes, mapFloat) };
};

interface Job {
  readonly prepared: Graph;
  readonly ranges: RangeTable;
  readonly statistics: Statistics;
  readonly options: QuantizeOptions;
  readonly biases?: ReadonlyMap<string, Float32Array>;
  /** By scheme, filled when it is first needed. */
  readonly sensitivity: Map<QuantizationScheme, readonly LayerSensitivity[]>;
}

interface Outcome {
  readonly emitted: Emitted;
  readonly floatSet: ReadonlyMap<Node, string>;
  readonly map: number | undefined;
  readonly notes: readonly string[];
}

const emitUntilGood = async (job: Job, scheme: QuantizationScheme, start: ReadonlyMap<Node, string>, mapFloat: number | undefined): Promise<Outcome> => {
  const { options } = job;
  const maxDrop = options.maxDrop ?? 0.005;
  const floatSet = new Map(start);
  const notes: string[] = [];
  let best: Outcome | undefined;
  for (let step = 0; ; step++) {
    options.signal?.throwIfAborted();
    const emitted = emit(job, scheme, namesOf(floatSet));
    if (!options.evaluate || mapFloat === undefined) return { emitted, floatSet, map: undefined, notes };
    const map = await options.evaluate(emitted.graph, sessionFor(scheme, options));
    const note = `${scheme}: ${emitted.layers.length} int8 layers, mAP ${map.toFixed(4)}, ${(mapFloat - map).toFixed(4)} below float`;
    notes.push(note);
    options.onProgress?.({ step: "evaluate", done: step + 1, total: null, note });
    if (best?.map === undefined || map > best.map) best = { emitted, floatSet: new Map(floatSet), map, notes };
    if (mapFloat - map <= maxDrop) return { emitted, floatSet, map, notes };
    const added = step < growthSteps ? await growFloatSet(job, scheme, floatSet, start, 2 ** step) : 0;
    if (added === 0) return { ...best, notes: [...notes, `${scheme}: the drop stays above ${maxDrop}; the best file found is kept`] };
  }
};

/** Makes the next `count` most sensitive layers float; returns how many there were. */
const growFloatSet = async (job: Job, scheme: QuantizationScheme, floatSet: Map<Node, string>, start: ReadonlyMap<Node, string>, count: number): Promise<number> => {
  const byName = new Map([...job.prepared.nodes].map((node) => [node.name, node]));
  const ranked = await sensitivityOf(job, scheme, namesOf(start));
  const next = ranked.filter(({ node }) => !floatSet.has(byName.get(node)!)).slice(0, count);
  if (next.length === 0 || floatSet.size + next.length >= job.prepared.nodes.size) return 0;
  for (const { node, sqnrDb } of next) floatSet.set(byName.get(node)!, `sensitive: ${sqnrDb.toFixed(1)} dB`);
  return next.length;
};

const sensitivityOf = async (job: Job, scheme: QuantizationScheme, floatNodes: ReadonlySet<string>): Promise<readonly LayerSensitivity[]> => {
  const { prepared, ranges, statistics, options } = job;
  const layers = weightedLayers(prepared).map(({ name }) => name).filter((name) => !floatNodes.has(name));
  const known = job.sensitivity.get(scheme);
  if (known) return known;
  const found = await layerSensitivity(prepared, layers, ranges, statistics.examples.slice(0, 4), {
    emit: emitters[scheme], floatNodes, ...common(options), onProgress: (done, total) => options.onProgress?.({ step: "sensitivity", done, total }),
  });
  job.sensitivity.set(scheme, found);
  return found;
};

const emitters = { cpu: emitCpu, tensorrt: emitTensorrt } as const satisfies Record<QuantizationScheme, unknown>;

const emit = ({ prepared, ranges, options, biases }: Job, scheme: QuantizationScheme, floatNodes: ReadonlySet<string>): Emitted =>
  emitters[scheme](prepared, ranges, {
    floatNodes,
    ...(biases && { biases }), ...(options.silu && { silu: options.silu }), ...(options.activations && { activations: options.activations }),
  });

const sessionFor = (scheme: QuantizationScheme, options: QuantizeOptions): SessionOptions => ({
  ...(scheme === "cpu" ? exactCpuSession(options.activations ?? defaultActivations) : int8TensorrtSession),
  ...(options.threads !== undefined && { threads: options.threads }),
});

const common = ({ threads, signal }: QuantizeOptions) => ({ ...(threads !== undefined && { threads }), ...(signal && { signal }) });

const namesOf = (set: ReadonlyMap<Node, string>): Set<string> => new Set([...set.keys()].map(({ name }) => name));

const reportOf = ({ ranges, statistics, sensitivity, options }: Job, outcomes: ReadonlyMap<QuantizationScheme, Outcome>, mapFloat: number | undefined): QuantizeReport => {
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
