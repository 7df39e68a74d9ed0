import type { Attribute } from "../graph/attribute.ts";
import { subgraphsOf, type Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { dataTypeOf, onnxDataType, Tensor, type DataType } from "../graph/tensor.ts";
import { applyUntilStable, graphPass, rule, type Pass } from "./rule.ts";

const isHalf = (dtype: DataType | undefined): boolean => dtype === "float16" || dtype === "bfloat16";

/** Whether the model has weights, inputs or Casts of 16-bit floats. */
export const usesHalf = (graph: Graph): boolean =>
  graph.inputs.some(({ dtype }) => isHalf(dtype)) || graph.initializers.some(({ dtype }) => isHalf(dtype))
  || [...graph.nodes].some((node) => [...node.attributes].some(([name, attribute]) => widened(node, name, attribute) !== attribute) || subgraphsOf(node).some(usesHalf));

/**
 * A float16 (or bfloat16) model in float32: weights are widened, Casts between the two go, inputs and outputs of 16 bits become float32. It computes
 * the same with less rounding. A model without 16-bit floats is returned as it is.
 */
export const singlePrecision: Pass = graphPass("single-precision", (graph) => {
  if (!usesHalf(graph)) return {};
  widen(graph, new Map());
  return applyUntilStable(graph, [dropCast]);
});

const dropCast = rule<Node>({
  name: "drop-cast",
  match: (node) => (node.opType === "Cast" && node.in(0).dtype === "float32" && dataTypeOf(node.int("to", 0)) === "float32" ? node : undefined),
  replace: (_b, node) => [node.in(0)],
});

/** `made` has the widened twin of each constant, shared by all graphs. */
const widen = (graph: Graph, made: Map<Value, Value>): void => {
  const retype = (value: Value): void => {
    if (!isHalf(value.dtype)) return;
    value.dtype = "float32";
    if (value.tensor) value.tensor = widenedTensor(value.tensor);
  };
  graph.inputs.forEach(retype);
  for (const node of graph.sorted()) {
    for (const [name, attribute] of node.attributes) node.attributes.set(name, widened(node, name, attribute));
    for (const [slot, value] of node.inputs.entries()) if (value?.tensor && isHalf(value.dtype)) node.replaceInput(slot, twinOf(graph, value, made));
    node.outputs.forEach(retype);
    for (const body of subgraphsOf(node)) widen(body, made);
  }
  for (const [index, output] of graph.outputs.entries()) {
    if (output.tensor && isHalf(output.dtype)) graph.outputs[index] = twinOf(graph, output, made);
    else retype(output);
  }
};

const twinOf = (graph: Graph, value: Value, made: Map<Value, Value>): Value => {
  const twin = made.get(value) ?? graph.addInitializer(value.name, widenedTensor(value.tensor!));
  made.set(value, twin);
  return twin;
};

const widenedTensor = (tensor: Tensor): Tensor => (isHalf(tensor.dtype) ? Tensor.float32(tensor.shape, tensor.toNumbers()) : tensor);

/** Attributes that hold a 16-bit tensor or name its type (Cast's `to`, `dtype` of random ops). */
const widened = (node: Node, name: string, attribute: Attribute): Attribute => {
  if (attribute.type === "tensor" && isHalf(attribute.value.dtype)) return { type: "tensor", value: widenedTensor(attribute.value) };
  const namesType = (name === "to" && node.opType === "Cast") || name === "dtype" || name === "stash_type";
  return namesType && attribute.type === "int" && isHalf(dataTypeOf(attribute.value)) ? { type: "int", value: onnxDataType.float32 } : attribute;
};
