import { checkGraph } from "../../graph/check.ts";
import { disjointSets } from "../../graph/disjoint-sets.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { isLayerOp, layerOps } from "../../graph/ops/layers.ts";
import { correctBias } from "./bias.ts";
import { hasRange, rangeFor, type EmitOptions, type Emitted } from "./emitter.ts";
import { layerWeights } from "./layer-weights.ts";
import { commutingOps, isLayer } from "./ops.ts";
import { addFloatWeight, addPair, readInstead } from "./qdq.ts";
import { symmetricParameters, type RangeTable } from "./ranges.ts";

/**
 * The file for TensorRT (explicit quantization, 8.6 and later), placed as NVIDIA recommends: Q/DQ on the inputs of Conv, ConvTranspose, Gemm and
 * MatMul and on the residual side of Add, never between a layer and its activation; one scale along Concat and the other ops that a pair moves
 * through; zero point 0; weights float → Q → DQ per output channel; float biases.
 */
export const emitTensorrt = (prepared: Graph, table: RangeTable, options: EmitOptions): Emitted => {
  const graph = prepared.clone();
  const layers = graph.sorted().filter((node) => !options.floatNodes.has(node.name) && isEligible(graph, node) && isMeasured(node, table));
  const readers = new Map<Value, Set<string>>();
  const read = (node: Node, slot: number): void => {
    const value = node.in(slot);
    if (!value.constant) readers.set(value, (readers.get(value) ?? new Set()).add(useKey(node, slot)));
  };
  const weighted = layers.filter((node) => isLayer(node, layerOps));
  for (const node of layers) {
    read(node, 0);
    if (!weighted.includes(node)) read(node, 1);
  }
  const isInt8 = new Set(layers);
  for (const node of graph.sorted()) {
    const slot = node.opType === "Add" && !options.floatNodes.has(node.name) ? residualSlot(graph, node, isInt8) : undefined;
    if (slot !== undefined && hasRange(table, node.in(slot))) read(node, slot);
  }
  const thresholds = groupThresholds(graph, [...readers.keys()], table);
  for (const node of weighted) correctBias(graph, node, options.biases);
  const scales = new Map(weighted.map((node) => [node, symmetricParameters(thresholds.get(node.in(0))!).scale]));
  for (const [value, uses] of readers) {
    const pair = addPair(graph, value, symmetricParameters(thresholds.get(value)!));
    readInstead(graph, value, pair, (node, slot) => uses.has(useKey(node, slot)), false);
  }
  const weights = layerWeights(weighted, { inputScale: (node) => scales.get(node)!, limit: (node) => (isFusedByRuntime(node) ? "pairs" : "none") });
  for (const [node, quantized] of weights) addFloatWeight(graph, node, quantized);
  const kept = graph.sorted().filter((node) => isLayerOp(node) && options.floatNodes.has(node.name)).map(({ name }) => name);
  if (kept.length > 0) graph.metadata.set(floatLayersKey, kept.join("\n"));
  checkGraph(graph);
  return { graph, layers: layers.map(({ name }) => name) };
};

/** Metadata: layers that were left float on purpose, a name a line; `inspect` does not call them slow. */
const floatLayersKey = "edgestill.float";

const useKey = (node: Node, slot: number): string => `${slot}:${node.name}`;

const isEligible = (graph: Graph, node: Node): boolean => {
  if (node.opType === "MatMul" && node.domain === "") return !isVectorProduct(node) && !node.in(0).constant;
  if (!isLayer(node, layerOps)) return false;
  if (node.opType === "Gemm") return !isVectorProduct(node);
  if (node.opType === "ConvTranspose") return node.int("group", 1) === 1;
  return isWorthwhile(node, readsInput(graph, node.in(0)));
};

/** Whether ONNX Runtime too runs the layer on an int8 kernel, which on x64 without VNNI adds pairs of products in 16 bits. */
const isFusedByRuntime = (node: Node): boolean =>
  node.opType === "Gemm" || node.opType === "MatMul" || node.out().readers.some((reader) => reader.opType === "QuantizeLinear" || commutingOps.has(reader.opType) || (reader.opType === "Add" && reader.inputs.some((input) => input?.constant)));

const isMeasured = (node: Node, table: RangeTable): boolean => node.inputs.slice(0, 2).every((input) => !input || input.constant !== undefined || hasRange(table, input));

/** A matrix times a vector: TensorRT has no int8 kernel that gains there. */
const isVectorProduct = (node: Node): boolean => {
  const rows = node.in(0).shape?.at(node.int("transA", 0) === 1 ? -1 : -2);
  const columns = node.in(1).shape?.at(node.int("transB", 0) === 1 ? -2 : -1);
  return rows === 1 || columns === 1;
};

/** The rule of NVIDIA's Model Optimizer: small convolutions lose more by reformatting than int8 gains. */
const isWorthwhile = (node: Node, isFirst: boolean): boolean => {
  const [outputs = 0, inputs = 0, ...kernel] = node.in(1).constant!.shape;
  if (outputs >= 16 && inputs >= 16) return true;
  if (node.int("group", 1) > 1) return outputs % 8 === 0 && kernel.every((size) => size >= 3);
  const isSquare = kernel.every((size) => size === kernel[0]);
  return isSquare && (inputs % 8 === 0 || outputs % 8 === 0) && (isFirst || inputs >= 16 || outputs >= 16);
};

const readsInput = (graph: Graph, value: Value): boolean => {
  if (!value.producer) return graph.inputs.includes(value);
  return commutingOps.has(value.producer.opType) && value.producer.inputs.some((input) => input !== null && !input.constant && readsInput(graph, input));
};

/** The input of a residual Add that does not come straight from an int8 layer and its activation; undefined where the Add fuses with no layer. */
const residualSlot = (graph: Graph, add: Node, layers: ReadonlySet<Node>): number | undefined => {
  if (add.inputs.some((input) => !input || input.constant)) return undefined;
  const branches = [0, 1].map((slot) => comesFromLayer(graph, add.in(slot), layers));
  if (!branches[0] && !branches[1]) return undefined;
  if (branches[0] !== branches[1]) return branches[0] ? 1 : 0;
  return add.in(0).readers.length >= add.in(1).readers.length ? 0 : 1;
};

/** Whether only pointwise ops with no other readers lie between an int8 layer and `value`. */
const comesFromLayer = (graph: Graph, value: Value, layers: ReadonlySet<Node>): boolean => {
  const node = value.producer;
  if (!node || value.readers.length !== 1 || graph.isOutput(value)) return false;
  if (layers.has(node)) return true;
  if (["Relu", "LeakyRelu", "Clip", "HardSwish", "BatchNormalization"].includes(node.opType)) return comesFromLayer(graph, node.in(0), layers);
  if (node.opType !== "Mul") return false;
  const sigmoid = node.inputs.find((input) => input?.producer?.opType === "Sigmoid" || input?.producer?.opType === "HardSigmoid")?.producer;
  const source = sigmoid?.in(0);
  return source !== undefined && node.inputs.includes(source) && source.readers.length === 2 && source.producer !== null && layers.has(source.producer);
};

/** One threshold for all quantized values that Concat, Split, MaxPool and the like connect: the largest of theirs. */
const groupThresholds = (graph: Graph, quantized: readonly Value[], table: RangeTable): Map<Value, number> => {
  const sets = disjointSets();
  const ids = new Map<Value, number>();
  const idOf = (value: Value): number => {
    const id = ids.get(value) ?? sets.grow(1);
    ids.set(value, id);
    return id;
  };
  const root = (value: Value): number => sets.find(idOf(value));
  for (const node of graph.nodes) {
    if (!commutingOps.has(node.opType)) continue;
    const joined = node.opType === "Concat" ? node.inputs : node.inputs.slice(0, 1);
    for (const value of [...joined, ...node.outputs]) if (value) sets.union(idOf(value), idOf(node.out()));
  }
  const largest = new Map<number, number>();
  for (const value of quantized) largest.set(root(value), Math.max(largest.get(root(value)) ?? 0, rangeFor(table, value).threshold));
  return new Map(quantized.map((value) => [value, largest.get(root(value))!]));
};
