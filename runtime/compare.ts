import { removeDead } from "../graph/dead.ts";
import { readValues, type Graph } from "../graph/graph.ts";
import type { Dim, Value } from "../graph/node.ts";
import { elementCount, Tensor, type DataType } from "../graph/tensor.ts";
import { runOnce, type Feeds, type SessionOptions } from "./session.ts";

/** A graph, an .onnx path or serialized bytes. */
export type Runnable = Graph | string | Uint8Array;

/** How far one output of the second model is from the first's. */
export interface OutputDifference {
  readonly name: string;
  /** Largest |a - b|, divided by the largest |a|; 0 for equal outputs, Infinity where shapes, types or the places of NaN differ. */
  readonly relative: number;
  readonly absolute: number;
  /** Largest |a|: the scale that `relative` is measured in. */
  readonly scale: number;
  /** Why the two cannot be compared number by number. */
  readonly reason?: string;
}

export interface CompareOptions {
  /** Settings of both sessions. Default: the runtime's default optimization. */
  readonly session?: SessionOptions;
  /** Outputs by name; all of the first model when absent. */
  readonly outputs?: readonly string[];
}

/**
 * Runs two models on the same feeds and compares the outputs that have the same name. An output that only one of them has is a difference of
 * Infinity. Throws UserError SESSION and RUN_FAILED.
 */
export const compareModels = async (first: Runnable, second: Runnable, feeds: Feeds, options: CompareOptions = {}): Promise<OutputDifference[]> => {
  const [a, b] = [await runOnce(first, feeds, options.session), await runOnce(second, feeds, options.session)];
  return compareOutputs(a, b, options.outputs);
};

/** As `compareModels`, of outputs that are there already. */
export const compareOutputs = (a: Outputs, b: Outputs, names: readonly string[] = Object.keys(a)): OutputDifference[] =>
  names.map((name) => differenceOf(name, a[name], b[name]));

type Outputs = Readonly<Record<string, Tensor>>;

/** Ops whose result jumps where an input changes by a rounding error: order, selection. */
const jumps: ReadonlySet<string> = new Set(["TopK", "NonMaxSuppression", "NonZero", "Unique"]);

/**
 * A copy of each graph whose outputs can be compared number by number: what stands behind a selection (TopK, NonMaxSuppression) is left out, what
 * goes into it takes its place. Both copies have the same outputs, in the order of the first.
 */
export const comparableGraphs = (first: Graph, second: Graph): readonly [Graph, Graph] => {
  const [a, b] = [steadyValues(first), steadyValues(second)];
  const names = [...a.keys()].filter((name) => b.has(name));
  const missing = first.outputs.some(({ name }) => a.has(name) && !b.has(name));
  if (names.length === 0 || missing) return [first, second];
  return [withOutputs(first, names.map((name) => a.get(name)!)), withOutputs(second, names.map((name) => b.get(name)!))];
};

/** Outputs that no selection comes before, and the float data that goes into selections; by name. */
const steadyValues = (graph: Graph): Map<string, Value> => {
  const chosen = new Set<Value>();
  const found = new Map<string, Value>();
  for (const node of graph.sorted()) {
    const isChosen = readValues(node).some((value) => chosen.has(value));
    if (isChosen || jumps.has(node.opType)) for (const output of node.outputs) chosen.add(output);
    if (isChosen || !jumps.has(node.opType)) continue;
    for (const value of node.inputs) if (value?.producer && value.dtype?.startsWith("float")) found.set(value.name, value);
  }
  for (const output of graph.outputs) if (!chosen.has(output)) found.set(output.name, output);
  return found;
};

const withOutputs = (graph: Graph, outputs: readonly Value[]): Graph => {
  const mapping = new Map<Value, Value>();
  const copy = graph.clone(mapping);
  copy.outputs.splice(0, copy.outputs.length, ...outputs.map((value) => mapping.get(value) ?? value));
  removeDead(copy);
  return copy;
};

/** Largest relative difference of all outputs. */
export const largestDifference = (differences: readonly OutputDifference[]): number =>
  differences.reduce((largest, { relative }) => Math.max(largest, relative), 0);

/** The outputs that are further apart than `tolerance`, each in a few words: `"output0" by 0.12 of its largest value`. */
export const differing = (differences: readonly OutputDifference[], tolerance: number): string[] =>
  differences.filter(({ relative }) => !(relative <= tolerance)).map(({ name, relative, reason }) =>
    `"${name}" ${reason ?? `by ${relative.toPrecision(2)} of its largest value`}`);

const inWords = (value: number): string => (Number.isNaN(value) ? "no number" : `${value}`);

/** The difference of two tensors; `name` goes into the result. */
export const differenceOf = (name: string, a: Tensor | undefined, b: Tensor | undefined): OutputDifference => {
  const cannot = (reason: string): OutputDifference => ({ name, relative: Infinity, absolute: Infinity, scale: 0, reason });
  if (!a || !b) return cannot("is missing in one of the models");
  if (a.shape.join() !== b.shape.join()) return cannot(`is [${b.shape.join(",")}] instead of [${a.shape.join(",")}]`);
  if (a.dtype === "string" || b.dtype === "string") return a.strings.join("\n") === b.strings.join("\n") ? { name, relative: 0, absolute: 0, scale: 0 } : cannot("has other text");
  const [left, right] = [a.toNumbers(), b.toNumbers()];
  let [absolute, scale] = [0, 0];
  for (let i = 0; i < left.length; i++) {
    const [x, y] = [left[i]!, right[i]!];
    if (Object.is(x, y) || x === y) { if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x)); continue; }
    if (!Number.isFinite(x) || !Number.isFinite(y)) return cannot(`has ${inWords(y)} where it had ${inWords(x)}`);
    absolute = Math.max(absolute, Math.abs(x - y));
    scale = Math.max(scale, Math.abs(x));
  }
  return { name, relative: absolute === 0 ? 0 : scale === 0 ? Infinity : absolute / scale, absolute, scale };
};

export interface SampleOptions {
  readonly seed?: number;
  /** Input size [width, height] of a picture input that is dynamic; 64 x 64. */
  readonly size?: readonly [number, number];
  /** Leading dimension where it is symbolic; 1. */
  readonly batch?: number;
  /** Sizes of other symbolic dimensions, by name. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Largest value of a float picture: 1, or 255 for models that take raw pixels. */
  readonly largest?: number;
}

/** Feeds for every input without contents: 4-d inputs get smooth, photo-like pictures, anything else small random numbers. The same for the same seed. */
export const sampleFeeds = (graph: Graph, options: SampleOptions = {}): Feeds =>
  Object.fromEntries(graph.inputs.filter(({ tensor }) => !tensor).map((input, index) => [input.name, sampleInput(input, options, (options.seed ?? 0) + index)]));

const sampleInput = (input: Value, options: SampleOptions, seed: number): Tensor => {
  const shape = sampleShape(input.shape ?? [], options);
  const dtype = input.dtype ?? "float32";
  if (dtype === "string") return new Tensor("string", shape, new Uint8Array(0), new Array<string>(elementCount(shape)).fill(""));
  const random = randomNumbers(seed + 1);
  const isPicture = shape.length === 4;
  const whole = /int|bool/.test(dtype);
  const largest = options.largest ?? (whole && isPicture ? 255 : 1);
  const unit = isPicture ? picture(shape, random) : Float32Array.from({ length: elementCount(shape) }, random);
  return Tensor.from(dtype satisfies DataType, shape, unit.map((value) => (whole ? Math.round(value * largest) : value * largest)));
};

const sampleShape = (shape: readonly Dim[], { size = [64, 64], batch = 1, dims = {} }: SampleOptions): number[] =>
  shape.map((dim, axis) => {
    if (typeof dim === "number") return dim;
    if (Object.hasOwn(dims, dim)) return dims[dim]!;
    if (axis === 0) return batch;
    if (shape.length !== 4) return 1;
    const lastIsChannels = shape[3] === 3 || shape[3] === 1;
    const spatial = lastIsChannels ? axis - 1 : axis - 2;
    return spatial === 0 ? size[1] : spatial === 1 ? size[0] : 3;
  });

/** A mulberry32 stream: numbers from 0 to 1. */
const randomNumbers = (seed: number) => {
  let state = Math.imul(seed, 0x9e3779b9) >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Waves of several lengths and directions, a bright rectangle with edges, and a little noise, in 0..1; every plane its own. */
const picture = ([n = 1, c = 1, height = 1, width = 1]: readonly number[], random: () => number): Float32Array => {
  const data = new Float32Array(n * c * height * width);
  for (let plane = 0, at = 0; plane < n * c; plane++) {
    const waves = Array.from({ length: 4 }, (_, k) => ({ x: (random() - 0.5) * 2 ** k, y: (random() - 0.5) * 2 ** k, phase: random() * 7 }));
    const [left, top, inside] = [random() * 0.6, random() * 0.6, (random() - 0.5) * 0.4];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [u, v] = [x / width, y / height];
        const smooth = waves.reduce((sum, wave) => sum + Math.sin(6.28 * (wave.x * u + wave.y * v) + wave.phase), 0) / 10;
        const box = u > left && u < left + 0.3 && v > top && v < top + 0.3 ? inside : 0;
        data[at++] = Math.min(1, Math.max(0, 0.5 + smooth + box + (random() - 0.5) * 0.1));
      }
  }
  return data;
};
