import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { forgetDescriptions } from "../../onnx/beyond.ts";
import { foldBatchNorm } from "../../rewrite/batchnorm.ts";
import { constantsToInitializers } from "../../rewrite/constants.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";
import { singlePrecision } from "../../rewrite/single-precision.ts";
import { cannotQuantizeTwice } from "./errors.ts";
import { plainForms } from "./plain-forms.ts";

/**
 * The float graph that ranges are measured on and both emitters start from: opset 17 or later, float32, batch-norm folded, constants as initializers,
 * a unique name on every node and value. Nodes keep their names. Throws UserError ALREADY_QUANTIZED and those of `upgradeOpset`.
 */
export const prepareForQuantization = (input: Graph): Graph => {
  const quantized = [...input.nodes].find(({ opType }) => isQuantizedOp(opType));
  if (quantized) throw cannotQuantizeTwice(`${quantized.opType} "${quantized.name || (quantized.outputs[0]?.name ?? "")}"`);
  const upgraded = singlePrecision(constantsToInitializers(upgradeOpset(input, 17).graph).graph).graph;
  const nodeOfWeight = new Map([...upgraded.nodes].flatMap((node) => (node.inputs[1]?.tensor ? [[node.inputs[1].name, node.name] as const] : [])));
  const { graph } = foldBatchNorm(upgraded);
  for (const node of graph.nodes) if (node.name.startsWith("fold-batchnorm/")) node.name = nodeOfWeight.get(node.in(1).name) ?? node.name;
  forgetDescriptions(graph);
  inferShapes(graph);
  plainForms(graph);
  uniqueNames(graph);
  checkGraph(graph);
  return graph;
};

/** Ops that compute with integers that stand for real numbers, static or dynamic (ai.onnx and com.microsoft). */
export const isQuantizedOp = (opType: string): boolean =>
  /^(Dynamic)?(Quantize|Dequantize)Linear$|^QLinear|^QGemm$|^QAttention$|^DynamicQuantize|^(Conv|MatMul)Integer|^MatMulNBits$|^(Group|Block)?Q(Conv|MatMul)/.test(opType);

const uniqueNames = (graph: Graph): void => {
  const public_ = new Set<Value>([...graph.inputs, ...graph.outputs]);
  const values = new Set([...public_].map(({ name }) => name));
  for (const value of graph.values) {
    if (public_.has(value) || (value.name === "" && value.uses.size === 0)) continue;
    value.name = claim(values, value.name || `${value.producer?.opType ?? "value"}_output`);
  }
  const nodes = new Set<string>();
  for (const node of graph.sorted()) node.name = claim(nodes, node.name || node.outputs[0]?.name || node.opType);
};

const claim = (taken: Set<string>, wanted: string): string => {
  let name = wanted;
  for (let n = 1; taken.has(name); n++) name = `${wanted}_${n}`;
  taken.add(name);
  return name;
};
