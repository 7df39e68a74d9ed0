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
  readonly mapFloat: number | undefined;
  readonly biases?: ReadonlyMap<string, Float32Array>;
  /** By scheme, filled when it is first needed. */
  readonly sensitivity: Map<QuantizationScheme, readonly LayerSensitivity[]>;
}

export interface Outcome {
  readonly emitted: Emitted;
  readonly floatSet: ReadonlyMap<Node, string>;
  readonly map: number | undefined;
  readonly notes: readonly string[];
}

/** The numbers of float layers that are tried first: each this many times the one before. */
const stride = 2;
/** Where the answer lies between two numbers, it is narrowed down to this part of the larger. */
const resolution = 1 / 8;

/**
 * One scheme's file: if its mAP drops by more than `maxDrop`, the most sensitive layers become float, as few of them as measuring 1, 2, 4 …
 * and then halves of the gap finds. The best file is kept where none is good enough.
 */
export const searchFloatSet = async (job: Job, scheme: QuantizationScheme, start: ReadonlyMap<Node, string>): Promise<Outcome> => {
  const { options, mapFloat } = job;
  const maxDrop = options.maxDrop ?? 0.005;
  const notes: string[] = [];
  const isGood = ({ map }: Attempt): boolean => map === undefined || mapFloat === undefined || mapFloat - map <= maxDrop;
  const attempts: Attempt[] = [];
  const measure = async (source: Graph, floatSet: ReadonlyMap<Node, string>, label = ""): Promise<Attempt> => {
    options.signal?.throwIfAborted();
    const emitted = emit(job, scheme, source, namesOf(floatSet));
    const map = mapFloat === undefined ? undefined : await options.evaluate?.(emitted.graph, sessionFor(scheme, options));
    const attempt: Attempt = { emitted, floatSet, source, map };
    attempts.push(attempt);
    if (map !== undefined && mapFloat !== undefined) {
      notes.push(`${scheme}: ${label}${emitted.layers.length} int8 layers, mAP ${points(map)}, ${signedPoints(map - mapFloat)} points against float`);
      options.onProgress?.({ step: "evaluate", done: attempts.length, total: null, note: notes.at(-1)! });
    }
    return attempt;
  };
  for (const [name, source] of job.sources) {
    await measure(source, start, job.sources.length > 1 ? `${name} weights, ` : "");
    if (!options.evaluate) break;
  }
  let best = bestOf(attempts);
  if (!isGood(best)) best = (await fewestFloatLayers(job, scheme, start, best, isGood, measure)) ?? bestOf(attempts);
  if (!isGood(best)) notes.push(`${scheme}: the drop stays above ${limitTexts("mapDrop", maxDrop, null).limit} of mAP; the best file found is kept`);
  return { emitted: best.emitted, floatSet: best.floatSet, map: best.map, notes };
};

interface Attempt extends Omit<Outcome, "notes"> {
  readonly source: Graph;
}

const bestOf = (attempts: readonly Attempt[]): Attempt => attempts.reduce((best, attempt) => ((attempt.map ?? 0) > (best.map ?? 0) ? attempt : best));

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
    emit: emitters[scheme], floatNodes, onProgress: (done, total) => options.onProgress?.({ step: "sensitivity", done, total }),
    ...(options.threads !== undefined && { threads: options.threads }), ...(options.signal && { signal: options.signal }),
  });
  job.sensitivity.set(scheme, found);
  return found;
};

const emitters = { cpu: emitCpu, tensorrt: emitTensorrt } as const satisfies Record<QuantizationScheme, unknown>;

const emit = ({ prepared, ranges, options, biases }: Job, scheme: QuantizationScheme, source: Graph, floatNodes: ReadonlySet<string>): Emitted =>
  emitters[scheme](source, ranges, {
    floatNodes,
    ...(biases && source === prepared && { biases }), // training moves the others itself
    ...(options.silu && { silu: options.silu }), ...(options.activations && { activations: options.activations }),
  });

export const sessionFor = (scheme: QuantizationScheme, options: QuantizeOptions): SessionOptions => ({
  ...(scheme === "cpu" ? exactCpuSession(options.activations ?? defaultActivations) : int8TensorrtSession),
  ...(options.threads !== undefined && { threads: options.threads }),
});

export const namesOf = (set: ReadonlyMap<Node, string>): Set<string> => new Set([...set.keys()].map(({ name }) => name));
