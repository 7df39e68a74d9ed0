import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { loadModel, parseModel } from "../../onnx/load.ts";
import { openSession, type Feeds, type SessionOptions } from "../../runtime/session.ts";
import { ratios, type Ratios } from "./fidelity.ts";
import { decodingNodes, lastLayers } from "./float-set.ts";
import { asWrittenSession } from "./sessions.ts";

/** One head's raw output in the int8 file, against the float model: as the file is written, and as ONNX Runtime's kernels compute it. */
export interface HeadArithmetic extends Ratios {
  readonly head: string;
  /** Session settings of the kernels; {} is a session as any program opens it. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface Arithmetic {
  readonly heads: readonly HeadArithmetic[];
  /** Why the file is not right; undefined where it is. */
  readonly problem: string | undefined;
}

export interface ArithmeticOptions {
  readonly threads?: number | undefined;
  /** Further session settings with which the product itself runs the file. */
  readonly session?: SessionOptions;
}

/**
 * Opens a quantized file (or its bytes) as it will be used, at every optimization level, and runs it on `examples`. The raw outputs of its heads
 * are compared with those of the float graph that it was made from, once with Q/DQ as written (float32 between rounding steps) and once in the
 * kernels: in a default session, and in the product's own.
 */
export const checkArithmetic = async (file: string | Uint8Array, float: Graph, examples: readonly Feeds[], { threads, session }: ArithmeticOptions = {}): Promise<Arithmetic> => {
  for (const optimization of ["basic", "extended", "all"] as const) {
    const problem = await failure(file, examples.slice(0, 1), { ...threadsOf(threads), optimization });
    if (problem !== undefined) return { heads: [], problem: `ONNX Runtime ${optimization === "all" ? "" : `at optimization level "${optimization}" `}does not run it: ${problem}` };
  }
  const settings = new Map([{}, session?.extra ?? {}].map((extra) => [JSON.stringify(extra), extra]));
  const heads = await measureHeads(file, float, examples, { threads, settings: [...settings.values()] });
  return { heads, problem: problemOf(heads) };
};

/** Each head's raw output under each of the session settings. */
export const measureHeads = async (
  file: string | Uint8Array, float: Graph, examples: readonly Feeds[],
  { threads, settings }: { readonly threads?: number | undefined; readonly settings: readonly Readonly<Record<string, string>>[] },
): Promise<HeadArithmetic[]> => {
  const { graph } = typeof file === "string" ? await loadModel(file) : parseModel(file);
  const observed = observe(float, graph);
  const expected = await runAll(observed.float, examples, threadsOf(threads));
  const written = await runAll(observed.quantized, examples, { ...threadsOf(threads), ...asWrittenSession });
  const heads: HeadArithmetic[] = [];
  for (const extra of settings) {
    const found = await runAll(observed.quantized, examples, { ...threadsOf(threads), extra });
    for (const [index, { name, channelAxis }] of observed.heads.entries()) {
      const [a, b, c] = [expected, written, found].map((results) => results.map((result) => result[index]!)) as [Tensor[], Tensor[], Tensor[]];
      heads.push({ head: name, settings: extra, ...ratios(a, b, c, channelAxis) });
    }
  }
  return heads;
};

const threadsOf = (threads: number | undefined): SessionOptions => (threads === undefined ? {} : { threads });

/** The kernels may add at most this to the noise of the file as written. */
export const mostExtraDb = 1;
/** Rounding that falls the other way makes its own noise, as large as that of the file at the most. */
const mostDirectDb = 3;
/** Noise this far below the signal is rounding of float32, not of int8. */
const silentDb = 60;

const problemOf = (heads: readonly HeadArithmetic[]): string | undefined => {
  for (const { head, settings, written, kernels, direct } of heads) {
    const where = Object.keys(settings).length === 0 ? "in a default session" : `with ${JSON.stringify(settings)}`;
    for (const [index, kind] of ["as a whole", "channel by channel"].entries()) {
      const [w, k, d] = [written[index]!, kernels[index]!, direct[index]!];
      if (Number.isNaN(k) || Number.isNaN(w)) return `"${head}" is NaN or infinite ${where}`;
      if (k < Math.min(w, silentDb) - mostExtraDb) return `"${head}" (${kind}) has ${k.toFixed(1)} dB ${where}, ${w.toFixed(1)} dB as written`;
      if (d < Math.min(w, silentDb) - mostDirectDb) return `"${head}" (${kind}) is ${d.toFixed(1)} dB from itself as written ${where}, which is ${w.toFixed(1)} dB from float`;
    }
  }
  return undefined;
};

const failure = async (file: string | Uint8Array, examples: readonly Feeds[], options: SessionOptions): Promise<string | undefined> => {
  try {
    const session = await openSession(file, options);
    try {
      for (const example of examples) await session.run(example);
    } finally {
      await session.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

interface Observed {
  readonly float: Graph;
  readonly quantized: Graph;
  readonly heads: readonly { readonly name: string; readonly channelAxis: number }[];
}

/**
 * Both graphs with the same values as outputs: what the last layers give, before any decoding, and outputs of the model that are no decoding.
 * Behind an int8 layer that is the value after its Q/DQ pair, so that nothing comes between what the runtime fuses.
 */
const observe = (floatGraph: Graph, quantizedGraph: Graph): Observed => {
  const [float, quantized] = [floatGraph.clone(), quantizedGraph.clone()];
  const decoding = decodingNodes(float);
  const twins = new Map([...quantized.nodes].map((node) => [node.name, node]));
  const pairs: [Value, Value, string][] = [];
  for (const node of lastLayers(float)) {
    const twin = twins.get(node.name);
    if (twin) pairs.push([...together(node.out(), twin.out(), quantized), node.name]);
  }
  for (const output of float.outputs) {
    const twin = quantized.outputs.find(({ name }) => name === output.name);
    if (twin && (output.dtype ?? "float32") === "float32" && !(output.producer && decoding.has(output.producer))) pairs.push([output, twin, output.name]);
  }
  const seen = new Set<Value>();
  const kept = pairs.filter(([, twin]) => !seen.has(twin) && seen.add(twin));
  float.outputs.splice(0, float.outputs.length, ...kept.map(([value]) => value));
  quantized.outputs.splice(0, quantized.outputs.length, ...kept.map(([, value]) => value));
  return { float, quantized, heads: kept.map(([value, , name]) => ({ name, channelAxis: channelAxis(value) })) };
};

/** Steps over an activation that the kernels absorb, and over the Q/DQ pair. */
const together = (float: Value, quantized: Value, graph: Graph): [Value, Value] => {
  const [reader, ...others] = quantized.readers;
  if (!reader || others.length > 0 || graph.isOutput(quantized)) return [float, quantized];
  if (reader.opType === "QuantizeLinear") return [float, reader.out().readers[0]?.out() ?? quantized];
  const next = float.readers[0];
  if (!["Relu", "Clip"].includes(reader.opType) || next?.opType !== reader.opType || float.readers.length > 1) return [float, quantized];
  const [a, b] = together(next.out(), reader.out(), graph);
  return b === reader.out() ? [float, quantized] : [a, b];
};

/** Axis 1 of maps, else the last one. */
const channelAxis = ({ shape }: Value): number => (shape && shape.length >= 4 ? 1 : Math.max(0, (shape?.length ?? 1) - 1));

/** The outputs in order, for each example. */
const runAll = async (graph: Graph, examples: readonly Feeds[], options: SessionOptions): Promise<Tensor[][]> => {
  const session = await openSession(graph, options);
  try {
    const results: Tensor[][] = [];
    for (const example of examples) {
      const found = await session.run(example);
      results.push(session.outputs.map(({ name }) => found[name]!));
    }
    return results;
  } finally {
    await session.close();
  }
};
