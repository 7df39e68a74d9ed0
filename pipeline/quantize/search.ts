import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { points, signedPoints } from "../../report/figures.ts";
import { limitTexts } from "../../report/limits.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { Statistics } from "./calibrate.ts";
import { emitCpu } from "./cpu.ts";
import { defaultActivations, type Emitted } from "./emitter.ts";
import { weightedLayers } from "./float-set.ts";
import type { QuantizationScheme } from "./qat.ts";
import type { QuantizeOptions } from "./quantize.ts";
import type { RangeTable } from "./ranges.ts";
import { layerSensitivity, type LayerSensitivity } from "./sensitivity.ts";
import { exactCpuSession, int8TensorrtSession } from "./sessions.ts";
import { emitTensorrt } from "./tensorrt.ts";

/** What every file of one quantization has in common. */
export interface Job {
  /** Its nodes are those of all float sets. */
  readonly prepared: Graph;
  /** Graphs of the same nodes whose weights may be used, the preferred first. */
  readonly sources: readonly (readonly [name: string, graph: Graph])[];
  readonly ranges: RangeTable;
  readonly statistics: Statistics;
  readonly options: QuantizeOptions;
  /** What the float set is chosen by. */
  readonly metric: Metric;
  readonly biases?: ReadonlyMap<string, Float32Array>;
  /** By scheme, filled when it is first needed. */
  readonly sensitivity: Map<QuantizationScheme, readonly LayerSensitivity[]>;
}

/** How good a file is, 1 or `float` being the float model itself. */
export interface Metric {
  /** mAP on labels; mAP against the float model's own boxes; the part of the heads' raw outputs that is no noise. */
  readonly kind: "mAP" | "agreement" | "signal";
  readonly float: number;
  /** What may be lost without a search for layers to keep float. */
  readonly maxDrop: number;
  readonly of: (graph: Graph, session: SessionOptions) => Promise<number>;
}

export interface Outcome {
  readonly source: Graph;
  readonly emitted: Emitted;
  readonly floatSet: ReadonlyMap<Node, string>;
  /** By the job's metric. */
  readonly value: number;
  /** How many files were measured before this one was chosen, and what the first had. */
  readonly candidates: number;
  readonly firstValue: number;
  readonly notes: readonly string[];
}

/** The numbers of float layers that are tried first: each this many times the one before. */
const stride = 2;
/** Where the answer lies between two numbers, it is narrowed down to this part of the larger. */
const resolution = 1 / 8;

/**
 * One scheme's file: if its value drops by more than the metric allows, the most sensitive layers become float, as few of them as measuring
 * 1, 2, 4 … and then halves of the gap finds. The best file is kept where none is good enough.
 */
export const searchFloatSet = async (job: Job, scheme: QuantizationScheme, start: ReadonlyMap<Node, string>): Promise<Outcome> => {
  const { options, metric } = job;
  const notes: string[] = [];
  const isGood = ({ value }: Attempt): boolean => metric.float - value <= metric.maxDrop;
  const attempts: Attempt[] = [];
  const measure = async (source: Graph, floatSet: ReadonlyMap<Node, string>, label = ""): Promise<Attempt> => {
    options.signal?.throwIfAborted();
    const emitted = emit(job, scheme, source, namesOf(floatSet));
    const attempt: Attempt = { emitted, floatSet, source, value: await metric.of(emitted.graph, sessionFor(scheme, options)) };
    attempts.push(attempt);
    notes.push(`${scheme}: ${label}${emitted.layers.length} int8 layers, ${spoken(metric, attempt.value)}`);
    options.onProgress?.({ step: "evaluate", done: attempts.length, total: null, note: notes.at(-1)! });
    return attempt;
  };
  for (const [name, source] of job.sources) {
    await measure(source, start, job.sources.length > 1 ? `${name} weights, ` : "");
    if (!options.evaluate) break;
  }
  let best = bestOf(attempts);
  if (!isGood(best)) best = (await fewestFloatLayers(job, scheme, start, best, isGood, measure)) ?? bestOf(attempts);
  if (!isGood(best)) notes.push(`${scheme}: the drop stays above ${limitTexts("mapDrop", metric.maxDrop, null).limit} of mAP; the best file found is kept`);
  return { source: best.source, emitted: best.emitted, floatSet: best.floatSet, value: best.value, candidates: attempts.length, firstValue: attempts[0]!.value, notes };
};

const spoken = ({ kind, float }: Metric, value: number): string => {
  if (kind === "mAP") return `mAP ${points(value)}, ${signedPoints(value - float)} points against float`;
  return kind === "agreement" ? `mAP ${points(value)} against the float model's own boxes` : `${(100 * value).toFixed(1)} % of the raw outputs' variation kept`;
};

type Attempt = Omit<Outcome, "notes" | "candidates" | "firstValue">;

const bestOf = (attempts: readonly Attempt[]): Attempt => attempts.reduce((best, attempt) => (attempt.value > best.value ? attempt : best));

const fewestFloatLayers = async (
  job: Job, scheme: QuantizationScheme, start: ReadonlyMap<Node, string>, { source }: Attempt, isGood: (attempt: Attempt) => boolean,
  measure: (source: Graph, floatSet: ReadonlyMap<Node, string>) => Promise<Attempt>,
): Promise<Attempt | undefined> => {
  const ranked = await sensitivityOf(job, scheme, source, namesOf(start));
  const byName = new Map([...job.prepared.nodes].map((node) => [node.name, node]));
  const withFloat = (count: number): Promise<Attempt> =>
    measure(source, new Map([...start, ...ranked.slice(0, count).map(({ node, sqnrDb }) => [byName.get(node)!, `sensitive: ${sqnrDb.toFixed(1)} dB`] as const)]));
  const most = ranked.length - 1; // one layer stays int8
  let [bad, good] = [0, 0];
  let found: Attempt | undefined;
  for (let count = Math.min(1, most); !found && count > bad; count = Math.min(count * stride, most)) {
    const attempt = await withFloat(count);
    if (isGood(attempt)) [found, good] = [attempt, count];
    else bad = count;
  }
  while (found && good - bad > Math.max(1, good * resolution)) {
    const count = Math.round((bad + good) / 2);
    const attempt = await withFloat(count);
    if (isGood(attempt)) [found, good] = [attempt, count];
    else bad = count;
  }
  return found;
};

/** How much each layer's rounding disturbs the heads' outputs, most first. */
export const sensitivityOf = async (job: Job, scheme: QuantizationScheme, source: Graph, floatNodes: ReadonlySet<string>): Promise<readonly LayerSensitivity[]> => {
  const { ranges, statistics, options } = job;
  const known = job.sensitivity.get(scheme);
  if (known) return known;
  const layers = weightedLayers(source).map(({ name }) => name).filter((name) => !floatNodes.has(name));
  const found = await layerSensitivity(source, layers, ranges, statistics.examples.slice(0, 4), {
    emit: emitters[scheme], floatNodes, session: sessionFor(scheme, options), onProgress: (done, total) => options.onProgress?.({ step: "sensitivity", done, total }),
    ...(options.signal && { signal: options.signal }),
  });
  job.sensitivity.set(scheme, found);
  return found;
};

const emitters = { cpu: emitCpu, tensorrt: emitTensorrt } as const satisfies Record<QuantizationScheme, unknown>;

export const emit = ({ prepared, ranges, options, biases }: Job, scheme: QuantizationScheme, source: Graph, floatNodes: ReadonlySet<string>): Emitted =>
  emitters[scheme](source, ranges, {
    floatNodes, halfWeights: source !== prepared,
    ...(biases && source === prepared && { biases }), // training moves the others itself
    ...(options.silu && { silu: options.silu }), ...(options.activations && { activations: options.activations }),
  });

export const sessionFor = (scheme: QuantizationScheme, options: QuantizeOptions): SessionOptions => ({
  ...(scheme === "cpu" ? exactCpuSession(options.activations ?? defaultActivations) : int8TensorrtSession),
  ...(options.threads !== undefined && { threads: options.threads }),
});

export const namesOf = (set: ReadonlyMap<Node, string>): Set<string> => new Set([...set.keys()].map(({ name }) => name));
