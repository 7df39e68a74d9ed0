import type { Node, Value } from "../../graph/node.ts";
import { weightAxesOf } from "../../graph/ops/layers.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { quantizeWeight, type QuantizedWeight } from "./weights.ts";

export type WeightLimit = "pairs" | "half" | "none";

export interface LayerWeightOptions {
  /** Scale of what the layer reads. */
  readonly inputScale: (node: Node) => number;
  /**
   * The kernels add the products of two neighbours in 16 bits (x64 without VNNI): no pair may go beyond. `pairs` limits those that would, at the
   * least error; `half` uses [-64, 64] for all, which training can follow; `none` for runtimes that add in 32 bits.
   */
  readonly limit: (node: Node) => WeightLimit;
}

/**
 * The int8 weight of each layer. Layers that read one weight share it, with scales that fit all of them. The scale of a channel with tiny
 * weights is raised until the int32 bias of ONNX Runtime's kernels, bias / (input scale · weight scale), fits.
 */
export const layerWeights = (layers: readonly Node[], options: LayerWeightOptions): Map<Node, QuantizedWeight> => {
  const users = new Map<string, Node[]>();
  const ids = new Map<Value, number>();
  for (const node of layers) {
    const weight = node.in(1);
    if (!ids.has(weight)) ids.set(weight, ids.size);
    const key = [ids.get(weight), weightAxesOf(node).output, pairsKey(node), options.limit(node)].join();
    users.set(key, [...(users.get(key) ?? []), node]);
  }
  const found = new Map<Node, QuantizedWeight>();
  for (const nodes of users.values()) {
    const quantized = quantizeFor(nodes, options);
    for (const node of nodes) found.set(node, quantized);
  }
  return found;
};

const quantizeFor = (nodes: readonly Node[], { inputScale, limit: limitOf }: LayerWeightOptions): QuantizedWeight => {
  const [first] = nodes as [Node, ...Node[]];
  const limit = limitOf(first);
  const weight = first.in(1).constant!;
  const axis = weightAxesOf(first).output;
  const leastScales = new Float64Array(weight.shape[axis]!);
  for (const node of nodes) {
    const bias = biasOf(node);
    if (bias) for (const channel of leastScales.keys()) leastScales[channel] = Math.max(leastScales[channel]!, leastScale(bias, channel, inputScale(node)));
  }
  const key = [axis, limit, pairsKey(first), ...leastScales].join();
  const known = cache.get(weight) ?? new Map<string, QuantizedWeight>();
  cache.set(weight, known);
  const quantized = known.get(key) ?? quantizeWeight(weight, axis, { leastScales, levels: limit === "half" ? 64 : 127, pairs: limit === "pairs" ? neighbours(first) : undefined });
  known.set(key, quantized);
  return quantized;
};

/** A search over float sets emits the same weights again and again. */
const cache = new WeakMap<Tensor, Map<string, QuantizedWeight>>();

/** Half of int32's range is left to the sum of products. */
const largestBias = 2 ** 30;

const leastScale = (bias: Float32Array, channel: number, inputScale: number): number =>
  Math.min(1e30, Math.abs(bias[bias.length === 1 ? 0 : channel] ?? 0) / (inputScale * largestBias));

/** What the kernels add as int32: the layer's bias, or that of an Add that ONNX Runtime makes one. */
const biasOf = (node: Node): Float32Array | undefined => {
  const own = node.optionalIn(2)?.constant;
  if (own) return own.floats;
  const [add] = node.out().readers;
  if (node.opType !== "MatMul" || add?.opType !== "Add" || node.out().uses.size !== 1) return undefined;
  return add.inputs.find((input) => input?.constant?.dtype === "float32")?.constant?.floats;
};

const pairsKey = (node: Node): string => (node.opType === "Conv" ? "conv" : `${node.opType}${node.int("transB", 0)}`);

/**
 * The elements of one output channel that the kernels multiply side by side (MLAS packs two rows of K = kernel · input channels, the channels
 * innermost): 2i and 2i + 1, and where the channels are odd in number every two neighbours. Depthwise kernels add in 32 bits.
 */
export const neighbours = (node: Node): readonly (readonly [number, number])[] => {
  const { shape } = node.in(1).constant!;
  const depth = shape[weightAxesOf(node).input]!;
  const kernel = node.opType === "Conv" ? shape.slice(2).reduce((product, size) => product * size, 1) : 1;
  if (node.opType === "Conv" && depth === 1) return [];
  const at = (k: number): number => (k % depth) * kernel + Math.floor(k / depth);
  const step = depth % 2 === 0 ? 2 : 1;
  const pairs: [number, number][] = [];
  for (let k = 0; k + 1 < depth * kernel; k += step) pairs.push([at(k), at(k + 1)]);
  return pairs;
};
