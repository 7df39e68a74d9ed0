import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { elementCount, type Tensor } from "../../graph/tensor.ts";
import { openSession, type Feeds, type Session } from "../../runtime/session.ts";
import { noCalibrationData, nonFiniteActivation, wrongFeed } from "./errors.ts";
import { Histogram } from "./histogram.ts";
import { rangeOf, silu } from "./calibrators.ts";
import { siluPair } from "./ops.ts";
import type { CalibrationMethod, RangeTable } from "./ranges.ts";

/** Feeds of the float model, one picture (or batch) each, or the means to start such a stream. */
export type CalibrationFeeds = AsyncIterable<Feeds> | Iterable<Feeds>;

export interface CalibrateOptions {
  readonly threads?: number;
  /** Bytes of activations that one run may return; more values mean more runs per picture. Default 256 MiB. */
  readonly budgetBytes?: number;
  readonly onProgress?: (pictures: number) => void;
  readonly signal?: AbortSignal;
}

/** Histograms of activations by value name, and per-channel means of those that layers read. */
export interface Statistics {
  readonly histograms: ReadonlyMap<string, Histogram>;
  /** Mean of each channel (axis 1) of the values of rank 4. */
  readonly channelMeans: ReadonlyMap<string, Float64Array>;
  /** Names of the values that only a SiLU reads. */
  readonly beforeSilu: ReadonlySet<string>;
  readonly pictures: number;
  /** The first feeds, for measuring sensitivity. */
  readonly examples: readonly Feeds[];
}

const examplesKept = 8;

/**
 * Runs the float graph once over the feeds and collects a streaming histogram of each float32 activation in `values`.
 * Memory depends on the number of values, not of pictures. Throws UserError NO_CALIBRATION_DATA, CALIBRATION_FEED, NON_FINITE_ACTIVATION.
 */
export const collectStatistics = async (graph: Graph, values: readonly Value[], feeds: CalibrationFeeds, options: CalibrateOptions = {}): Promise<Statistics> => {
  const histograms = new Map(values.map(({ name }) => [name, new Histogram()]));
  const sums = new Map<string, { readonly sum: Float64Array; count: number }>();
  const examples: Feeds[] = [];
  let pictures = 0;
  let session: Session | undefined;
  const chunks = chunksOf(values.filter((value) => !graph.inputs.includes(value)), options.budgetBytes ?? 256 * 2 ** 20);
  try {
    for await (const feed of feeds) {
      options.signal?.throwIfAborted();
      checkFeed(graph, feed, pictures);
      session ??= await openSession(observed(graph, values), options.threads === undefined ? {} : { threads: options.threads });
      for (const input of graph.inputs) observe(histograms, sums, input.name, feed[input.name]!);
      for (const chunk of chunks) {
        const results = await session.run(feed, chunk.map(({ name }) => name));
        for (const [name, tensor] of Object.entries(results)) observe(histograms, sums, name, tensor);
      }
      if (examples.length < examplesKept) examples.push(feed);
      pictures++;
      options.onProgress?.(pictures);
    }
  } finally {
    await session?.close();
  }
  if (pictures === 0) throw noCalibrationData();
  for (const [name, { nonFinite }] of histograms) if (nonFinite > 0) throw nonFiniteActivation(name);
  const channelMeans = new Map([...sums].map(([name, { sum, count }]) => [name, sum.map((total) => total / count)]));
  const beforeSilu = new Set(values.filter((value) => value.uses.size === 2 && value.readers.every((node) => siluPair(node))).map(({ name }) => name));
  return { histograms, channelMeans, beforeSilu, pictures, examples };
};

/** The range of every value by `method`. */
export const rangesOf = ({ histograms, beforeSilu, pictures }: Statistics, method: CalibrationMethod): RangeTable =>
  ({ method, pictures, ranges: new Map([...histograms].map(([name, histogram]) => [name, rangeOf(histogram, method, beforeSilu.has(name) ? silu : undefined)])) });

const observe = (histograms: ReadonlyMap<string, Histogram>, sums: Map<string, { readonly sum: Float64Array; count: number }>, name: string, tensor: Tensor): void => {
  const histogram = histograms.get(name);
  if (!histogram || tensor.dtype !== "float32") return;
  histogram.add(tensor.floats);
  if (tensor.shape.length === 4) addChannelSums(sums, name, tensor);
};

const addChannelSums = (sums: Map<string, { readonly sum: Float64Array; count: number }>, name: string, { shape, floats }: Tensor): void => {
  const [batch = 1, channels = 1] = shape;
  const area = elementCount(shape.slice(2));
  let entry = sums.get(name);
  if (!entry) sums.set(name, (entry = { sum: new Float64Array(channels), count: 0 }));
  for (let row = 0, at = 0; row < batch * channels; row++) {
    let total = 0;
    for (const end = at + area; at < end; at++) total += floats[at]!;
    entry.sum[row % channels]! += total;
  }
  entry.count += batch * area;
};

/** A copy whose outputs are the observed values. */
const observed = (graph: Graph, values: readonly Value[]): Graph => {
  const mapping = new Map<Value, Value>();
  const copy = graph.clone(mapping);
  const outputs = values.filter((value) => !graph.inputs.includes(value)).map((value) => mapping.get(value)!);
  copy.outputs.splice(0, copy.outputs.length, ...outputs);
  return copy;
};

const chunksOf = (values: readonly Value[], budgetBytes: number): Value[][] => {
  const chunks: Value[][] = [];
  let room = 0;
  for (const value of values) {
    const bytes = 4 * elementCount((value.shape ?? []).map((dim) => (typeof dim === "number" ? dim : 1)));
    if (chunks.length === 0 || bytes > room) { chunks.push([]); room = budgetBytes; }
    chunks.at(-1)!.push(value);
    room -= bytes;
  }
  return chunks;
};

const checkFeed = (graph: Graph, feed: Feeds, picture: number): void => {
  for (const { name, dtype, shape } of graph.inputs) {
    const tensor = feed[name];
    const wanted = `${dtype}[${shape?.join(", ") ?? "?"}]`;
    if (!tensor) throw wrongFeed(name, picture, "nothing", wanted);
    const fits = tensor.dtype === dtype && (!shape || (tensor.shape.length === shape.length && shape.every((dim, axis) => typeof dim === "string" || dim === tensor.shape[axis])));
    if (!fits) throw wrongFeed(name, picture, `${tensor.dtype}[${tensor.shape.join(", ")}]`, wanted);
  }
};
