import { exactInts, type Attribute } from "../graph/attribute.ts";
import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";

/** Moves one node over the version `since`; returns why it cannot, or nothing. Source: onnx/docs/Changelog.md. */
export interface Adapter {
  readonly since: number;
  readonly adapt: (b: Builder, node: Node, replaceWith: Replace) => string | undefined;
}

/** Puts another op in the place of the node: same outputs, same name. */
export type Replace = (node: Node, opType: string, inputs: readonly (Value | null)[], attributes: ReadonlyMap<string, Attribute>) => void;

const setInput = (node: Node, slot: number, value: Value): void => {
  while (node.inputs.length < slot) node.replaceInput(node.inputs.length, null);
  node.replaceInput(slot, value);
};

/** An `ints` attribute becomes a 1-d int64 input. */
const intsToInput = (name: string, slot: number) => (b: Builder, node: Node): undefined => {
  const ints = exactInts(node.attributes.get(name));
  if (!ints) return;
  node.attributes.delete(name);
  setInput(node, slot, b.int64s(ints));
};

/** A float attribute becomes a scalar input of input 0's type. */
const floatToInput = (b: Builder, node: Node, name: string, slot: number): void => {
  if (!node.attributes.has(name)) return;
  const value = node.float(name, 0);
  node.attributes.delete(name);
  setInput(node, slot, b.scalar(value, node.in(0).dtype ?? "float32"));
};

const isOutputRead = (node: Node, index: number): boolean => (node.outputs[index]?.uses.size ?? 0) > 0;

const clip: Adapter = { since: 11, adapt: (b, node) => {
  floatToInput(b, node, "min", 1);
  floatToInput(b, node, "max", 2);
  return undefined;
} };

const pad: Adapter = { since: 11, adapt: (b, node) => {
  intsToInput("pads", 1)(b, node);
  floatToInput(b, node, "value", 2);
  return undefined;
} };

const slice: Adapter = { since: 10, adapt: (b, node) => {
  for (const [slot, name] of ["starts", "ends", "axes"].entries()) intsToInput(name, slot + 1)(b, node);
  return undefined;
} };

/** k: attribute -> input [1]. */
const topK: Adapter = { since: 10, adapt: (b, node) => {
  const k = node.int("k", 1);
  node.attributes.delete("k");
  setInput(node, 1, b.int64s([k]));
  return undefined;
} };

const dropout: readonly Adapter[] = [
  { since: 10, adapt: (_b, node) => (isOutputRead(node, 1) ? "has a mask that is read, and its type changes" : undefined) },
  { since: 12, adapt: (b, node) => {
    const ratio = node.float("ratio", 0.5);
    node.attributes.delete("ratio");
    setInput(node, 1, b.scalar(ratio));
    return undefined;
  } },
];

const batchNormalization: readonly Adapter[] = [
  { since: 9, adapt: (_b, node) => {
    if (node.int("spatial", 1) !== 1) return "normalizes every position by itself (spatial = 0)";
    node.attributes.delete("spatial");
    return undefined;
  } },
  { since: 14, adapt: (_b, node) => (node.outputs.length > 1 ? "has training outputs" : undefined) },
];

/** Resize-10 and Upsample sample at out/scale and take the floor. */
const asymmetric = (node: Node): Map<string, Attribute> => new Map<string, Attribute>([
  ["mode", { type: "string", value: node.string("mode", "nearest") }],
  ["coordinate_transformation_mode", { type: "string", value: "asymmetric" }],
  ["nearest_mode", { type: "string", value: "floor" }],
]);

const upsample: Adapter = { since: 10, adapt: (b, node, replaceWith) => {
  const attribute = node.floats("scales");
  const scales = attribute ? b.constant(Tensor.float32([attribute.length], attribute)) : node.in(1);
  replaceWith(node, "Resize", [node.in(0), null, scales], asymmetric(node));
  return undefined;
} };

const resize: readonly Adapter[] = [
  { since: 11, adapt: (_b, node) => {
    const scales = node.in(1);
    for (const [name, attribute] of asymmetric(node)) node.attributes.set(name, attribute);
    node.replaceInput(1, null);
    setInput(node, 2, scales);
    return undefined;
  } },
  { since: 13, adapt: (_b, node) => {
    if (node.string("coordinate_transformation_mode", "half_pixel") === "tf_half_pixel_for_nn") return "samples with tf_half_pixel_for_nn, which opset 13 removed";
    if (node.optionalIn(3) && node.optionalIn(2)?.constant?.size === 0) node.replaceInput(2, null);
    return undefined;
  } },
];

/** Before opset 13 the axes from `axis` (default 1) on were one: flatten to [rows, all], apply, restore. */
const flattened: Adapter = { since: 13, adapt: (b, node, replaceWith) => {
  const rank = node.in(0).shape?.length;
  if (rank === undefined) return "works on an axis of a tensor whose rank is unknown";
  const axis = node.int("axis", 1) < 0 ? node.int("axis", 1) + rank : node.int("axis", 1);
  const trailing = node.in(0).shape!.slice(axis + 1);
  if (trailing.every((dim) => dim === 1)) {
    node.attributes.set("axis", { type: "int", value: axis });
    return undefined;
  }
  const flat = b.op("Flatten", [node.in(0)], { axis });
  const result = b.op(node.opType, [flat], { axis: -1 });
  replaceWith(node, "Reshape", [result, b.shapeOf(node.in(0))], new Map());
  return undefined;
} };

const scatter: Adapter = { since: 11, adapt: (_b, node, replaceWith) => {
  replaceWith(node, "ScatterElements", node.inputs, new Map(node.attributes));
  return undefined;
} };

/** Opset 16 changed the default. */
const roiAlign: Adapter = { since: 16, adapt: (_b, node) => {
  if (!node.attributes.has("coordinate_transformation_mode")) node.attributes.set("coordinate_transformation_mode", { type: "string", value: "output_half_pixel" });
  return undefined;
} };

const axesToInput: Adapter = { since: 13, adapt: intsToInput("axes", 1) };

/** What has to change between opset 7 and 17, by op. */
export const opsetAdapters: Readonly<Record<string, readonly Adapter[]>> = {
  BatchNormalization: batchNormalization,
  Clip: [clip], Dropout: dropout, Pad: [pad], Slice: [slice], TopK: [topK],
  Squeeze: [axesToInput], Unsqueeze: [axesToInput], ReduceSum: [axesToInput],
  Split: [{ since: 13, adapt: intsToInput("split", 1) }],
  Softmax: [flattened], LogSoftmax: [flattened], Hardmax: [flattened],
  Upsample: [upsample], Resize: resize, Scatter: [scatter], RoiAlign: [roiAlign],
  Scan: [{ since: 9, adapt: () => "changed its inputs in opset 9" }],
};

/** ai.onnx ops whose nodes mean the same from opset 7 (or their first version) to 17. */
export const sameMeaning: ReadonlySet<string> = new Set(`
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitShift BlackmanWindow Cast CastLike Ceil Celu Compress Concat
ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DFT DepthToSpace DequantizeLinear Det Div
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool
GlobalMaxPool Greater GreaterOrEqual GridSample HammingWindow HannWindow HardSigmoid HardSwish Identity If InstanceNormalization IsInf IsNaN LRN LSTM
LayerNormalization LeakyRelu Less LessOrEqual Log Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
MeanVarianceNormalization MelWeightMatrix Min Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional
OptionalGetElement OptionalHasElement Or PRelu Pow QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform
RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSumSquare Relu
Reshape ReverseSequence Round STFT ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth SplitToSequence Sqrt
StringNormalizer Sub Sum Tan Tanh TfIdfVectorizer ThresholdedRelu Tile Transpose Trilu Unique Where Xor`.trim().split(/\s+/));
