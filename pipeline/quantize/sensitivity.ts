import type { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { openSession, type Feeds, type SessionOptions } from "../../runtime/session.ts";
import { lastLayers } from "./float-set.ts";
import type { EmitOptions, Emitted } from "./emitter.ts";
import type { RangeTable } from "./ranges.ts";

export interface LayerSensitivity {
  readonly node: string;
  /** Signal-to-noise ratio of the heads' outputs when this layer alone is int8, in decibels, mean over the heads; low is sensitive. */
  readonly sqnrDb: number;
}

export interface SensitivityOptions {
  readonly emit: (graph: Graph, table: RangeTable, options: EmitOptions) => Emitted;
  readonly floatNodes: ReadonlySet<string>;
  /** The arithmetic of the file's runtime: kernels, or Q/DQ as written. */
  readonly session: SessionOptions;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Quantizes each of `layers` alone and compares the outputs of the last layers with the float model's on `examples`; most sensitive first. */
export const layerSensitivity = async (graph: Graph, layers: readonly string[], table: RangeTable, examples: readonly Feeds[], options: SensitivityOptions): Promise<LayerSensitivity[]> => {
  const { session } = options;
  const heads = withHeadOutputs(graph);
  const expected = await runAll(heads, examples, session);
  const found: LayerSensitivity[] = [];
  for (const [index, node] of layers.entries()) {
    options.signal?.throwIfAborted();
    const floatNodes = new Set([...options.floatNodes, ...[...graph.nodes].map(({ name }) => name)]);
    floatNodes.delete(node);
    const { graph: quantized, layers: done } = options.emit(heads, table, { floatNodes });
    if (done.length > 0) found.push({ node, sqnrDb: meanSqnr(expected, await runAll(quantized, examples, session)) });
    options.onProgress?.(index + 1, layers.length);
  }
  return found.sort((a, b) => a.sqnrDb - b.sqnrDb);
};

/** A copy whose outputs are those of the last layers: boxes in pixels would drown everything else in the ratio. */
const withHeadOutputs = (graph: Graph): Graph => {
  const copy = graph.clone();
  const last = lastLayers(copy).map((node) => node.out());
  if (last.length > 0) copy.outputs.splice(0, copy.outputs.length, ...last);
  return copy;
};

type Results = readonly Readonly<Record<string, Tensor>>[];

const runAll = async (graph: Graph, examples: readonly Feeds[], options: SessionOptions): Promise<Results> => {
  const session = await openSession(graph, options);
  try {
    const results: Record<string, Tensor>[] = [];
    for (const example of examples) results.push(await session.run(example));
    return results;
  } finally {
    await session.close();
  }
};

const meanSqnr = (expected: Results, found: Results): number => {
  const names = Object.keys(expected[0] ?? {});
  return names.reduce((sum, name) => sum + sqnrDb(expected.map((result) => result[name]!), found.map((result) => result[name]!)), 0) / names.length;
};

/** 10 log10(Σ y² / Σ (y - ŷ)²), at most 120 dB. */
export const sqnrDb = (expected: readonly Tensor[], found: readonly Tensor[]): number => {
  let signal = 0;
  let noise = 0;
  for (const [index, tensor] of expected.entries()) {
    if (tensor.dtype !== "float32") continue;
    const [a, b] = [tensor.floats, found[index]!.floats];
    for (let i = 0; i < a.length; i++) {
      signal += a[i]! * a[i]!;
      noise += (a[i]! - b[i]!) ** 2;
    }
  }
  return Math.min(120, 10 * Math.log10(Math.max(signal, 1e-30) / Math.max(noise, 1e-30)));
};
