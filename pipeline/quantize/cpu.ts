import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { defaultActivations, defaultSilu, hasRange, rangeFor, type EmitOptions, type Emitted } from "./emitter.ts";
import { correctBias } from "./bias.ts";
import { activationInputs, cpuRole, siluPair, type CpuRole } from "./ops.ts";
import { layerWeights } from "./layer-weights.ts";
import { addFloatWeight, addPair, addWeight, readInstead, readThroughCopy } from "./qdq.ts";
import { affineParameters, type ActivationType, type QuantParameters, type RangeTable } from "./ranges.ts";

/**
 * The file for ONNX Runtime's CPU kernels (x64 and ARM): Q/DQ around every op of the int8 path, so that each becomes its QLinear form; one
 * activation type throughout, with the zero point at the low end after ReLU; weights as int8; ConvTranspose stays float. Sessions: sessions.ts.
 * What stays float computes in float: the runtime's own weight quantization finds none of it.
 */
export const emitCpu = (prepared: Graph, table: RangeTable, options: EmitOptions): Emitted => {
  const graph = prepared.clone();
  const roles = int8Nodes(graph, table, options);
  const activations = options.activations ?? defaultActivations;
  const parameters = quantizedValues(graph, roles, table, activations);
  const layers = [...roles].filter(([, role]) => role === "layer").map(([node]) => node);
  for (const node of layers) correctBias(graph, node, options.biases);
  const limit = activations !== "uint8" ? "none" : options.halfWeights || options.floatWeights ? "half" : "pairs";
  const weights = layerWeights(layers, { inputScale: (node) => parameters.get(node.in(0))!.scale, limit: () => limit });
  for (const [value, found] of parameters) {
    const isInt8 = value.producer !== null && roles.has(value.producer);
    const pair = addPair(graph, value, found);
    const quantize = pair.producer!.in(0).producer!;
    readInstead(graph, value, pair, (node) => node !== quantize && (isInt8 || roles.has(node)), isInt8);
  }
  if (!options.floatWeights) for (const node of graph.sorted()) if (isRequantized(node, layers)) readThroughCopy(graph, node);
  const add = options.floatWeights ? addFloatWeight : addWeight;
  for (const [node, quantized] of weights) add(graph, node, quantized);
  checkGraph(graph);
  return { graph, layers: layers.map(({ name }) => name) };
};

/** Layers whose float weights ONNX Runtime (1.30, weight_bias_quantization.cc) would make int8, one scale for all channels, where they read a DequantizeLinear. */
const isRequantized = (node: Node, int8Layers: readonly Node[]): boolean =>
  node.domain === "" && ["Conv", "ConvTranspose", "Gemm"].includes(node.opType) && !int8Layers.includes(node) && node.inputs[0]?.producer?.opType === "DequantizeLinear";

/** The nodes of the int8 path: layers, and what lies between them with int8 on both sides. */
const int8Nodes = (graph: Graph, table: RangeTable, { floatNodes, silu = defaultSilu }: EmitOptions): Map<Node, CpuRole> => {
  const roles = new Map<Node, CpuRole>();
  const order = graph.sorted();
  const isInt8Value = (value: Value): boolean => (value.producer ? roles.has(value.producer) : graph.inputs.includes(value) && value.shape?.length === 4);
  for (const node of order) {
    const role = floatNodes.has(node.name) || (silu === "float" && siluPair(node)) || !isMeasured(node, table) ? undefined : cpuRole(node);
    if (!role) continue;
    const fits = role === "layer" || (role === "absorbed" ? isAbsorbable(node, roles, graph) : activationInputs(node).every(isInt8Value));
    if (fits) roles.set(node, role);
  }
  for (const node of order.reverse()) {
    const role = roles.get(node);
    if ((role === "own" || role === "same") && !node.outputs.some((output) => output.readers.some((reader) => roles.has(reader)))) roles.delete(node);
    if (role === "absorbed" && !roles.has(node.in(0).producer!)) roles.delete(node);
  }
  for (const node of order) { // producers that went took the reason for absorbing with them
    if (roles.get(node) === "absorbed" && !roles.has(node.in(0).producer!)) roles.delete(node);
  }
  return roles;
};

const isAbsorbable = (node: Node, roles: ReadonlyMap<Node, CpuRole>, graph: Graph): boolean => {
  const input = node.in(0);
  const role = input.producer ? roles.get(input.producer) : undefined;
  return (role === "layer" || role === "own") && input.uses.size === 1 && !graph.isOutput(input);
};

/** Whether all that the node reads and writes has a range: an int8 scale is never made up. */
const isMeasured = (node: Node, table: RangeTable): boolean => [...activationInputs(node), ...node.outputs.slice(0, 1)].every((value) => hasRange(table, value));

/** Scale and zero point of each value that is int8, in execution order. */
const quantizedValues = (graph: Graph, roles: ReadonlyMap<Node, CpuRole>, table: RangeTable, dtype: ActivationType): Map<Value, QuantParameters> => {
  const found = new Map<Value, QuantParameters>();
  const visit = (value: Value): QuantParameters => {
    const known = found.get(value);
    if (known) return known;
    const { producer } = value;
    const parameters = producer && roles.get(producer) === "same" ? visit(producer.in(0)) : parametersOf(value, table, dtype);
    found.set(value, parameters);
    return parameters;
  };
  for (const node of graph.sorted()) {
    const role = roles.get(node);
    if (!role) continue;
    if (role !== "absorbed") activationInputs(node).forEach(visit);
    for (const output of node.outputs) if (!output.readers.some((reader) => roles.get(reader) === "absorbed")) visit(output);
  }
  return found;
};

const parametersOf = (value: Value, table: RangeTable, dtype: ActivationType): QuantParameters => {
  const { low, high } = rangeFor(table, value);
  return affineParameters(low, high, dtype);
};
