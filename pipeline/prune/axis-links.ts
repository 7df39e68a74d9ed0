import type { Node } from "../../graph/node.ts";
import { channelNormLinks, convLinks, convTransposeLinks } from "./conv-links.ts";
import { blocked, link, rankOf, sizeOf, valueAt, type AxisRule } from "./link.ts";
import { gemmLinks, matMulLinks } from "./matmul-links.ts";
import { reshapeLinks, squeezeLinks, transposeLinks } from "./reshape-links.ts";
import {
  concatLinks, cumSumLinks, depthSpaceLinks, expandLinks, gatherLinks, layerNormLinks, padLinks, poolLinks, reduceLinks, resizeLinks,
  shapeLinks, sliceLinks, softmaxLinks, splitLinks, tileLinks,
} from "./shape-links.ts";

/** Every input broadcasts to the output; an operand of size 1 on the axis loses nothing. */
const broadcast: AxisRule = (node, port) => {
  const here = valueAt(node, port);
  const others = [...node.inputs, ...node.outputs].filter((value) => value !== null && value !== here && value.name !== "");
  if (here.shape === undefined || others.some((value) => value!.shape === undefined)) return blocked("the rank of one of its values is unknown");
  const fromEnd = rankOf(here) - port.axis;
  const size = sizeOf(here, port.axis);
  if (size === 1 && others.some((value) => axisSize(value!, fromEnd) > 1)) return blocked("it repeats that axis");
  return others
    .filter((value) => rankOf(value!) >= fromEnd && (size === 1 || axisSize(value!, fromEnd) !== 1))
    .map((value) => link(value!, rankOf(value!) - fromEnd));
};

const axisSize = (value: Parameters<typeof sizeOf>[0], fromEnd: number): number =>
  rankOf(value) >= fromEnd ? sizeOf(value, rankOf(value) - fromEnd) : 1;

/** x and y share all axes; scale and zero point [C] follow the quantized axis. */
const quantizeLinks: AxisRule = (node, port) => {
  if (node.int("block_size", 0) > 0) return blocked("it is quantized in blocks");
  const axis = node.int("axis", 1);
  const quantizedAxis = axis < 0 ? axis + rankOf(node.in(0)) : axis;
  const isParameter = port.side === "in" && port.index > 0;
  const at = isParameter ? quantizedAxis : port.axis;
  const parameters = at === quantizedAxis ? node.inputs.slice(1).filter((value) => value !== null && rankOf(value) === 1 && sizeOf(value, 0) > 1) : [];
  return [link(node.in(0), at), link(node.out(), at), ...parameters.map((value) => link(value!, 0))].filter((to) => to.value !== valueAt(node, port));
};

const elementwise = [
  "Abs", "Acos", "Asin", "Atan", "Ceil", "Celu", "Clip", "Cos", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid", "HardSwish",
  "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign",
  "Sin", "Softplus", "Softsign", "Sqrt", "Swish", "Tanh", "ThresholdedRelu", "Cast", "Dropout",
  "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow",
  "Sub", "Sum", "Where", "Xor",
] as const;

const reductions = [
  "ArgMax", "ArgMin", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
  "ReduceSum", "ReduceSumSquare",
] as const;

const rows = <K extends string>(ops: readonly K[], rule: AxisRule): Record<K, AxisRule> =>
  Object.fromEntries(ops.map((op) => [op, rule])) as Record<K, AxisRule>;

/** ai.onnx op -> what must lose channels together. An op without a row blocks the channels that come to it, by name. */
export const axisLinks: Readonly<Record<string, AxisRule>> = {
  ...rows(elementwise, broadcast),
  ...rows(reductions, reduceLinks),
  ...rows(["AveragePool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "LpPool", "MaxPool"], poolLinks),
  ...rows(["Softmax", "LogSoftmax", "Hardmax"], softmaxLinks),
  ...rows(["BatchNormalization", "InstanceNormalization"], channelNormLinks),
  ...rows(["QuantizeLinear", "DequantizeLinear"], quantizeLinks),
  ...rows(["Reshape", "Flatten"], reshapeLinks),
  ...rows(["Squeeze", "Unsqueeze"], squeezeLinks),
  ...rows(["DepthToSpace", "SpaceToDepth"], depthSpaceLinks),
  Concat: concatLinks,
  Conv: convLinks,
  ConvTranspose: convTransposeLinks,
  CumSum: cumSumLinks,
  Expand: expandLinks,
  Gather: gatherLinks,
  Gemm: gemmLinks,
  LayerNormalization: layerNormLinks,
  MatMul: matMulLinks,
  Pad: padLinks,
  Resize: resizeLinks,
  Shape: shapeLinks,
  Slice: sliceLinks,
  Split: splitLinks,
  Tile: tileLinks,
  Transpose: transposeLinks,
};

/** The row of `node`; undefined for an op that the table does not know. */
export const axisRule = (node: Node): AxisRule | undefined =>
  node.domain === "" && Object.hasOwn(axisLinks, node.opType) ? axisLinks[node.opType] : undefined;
