import { dataTypeOf } from "../tensor.ts";
import { broadcastShapes } from "./dim.ts";
import type { ShapeContext, ShapeRule } from "./rule.ts";

/** Output 0 like input 0. */
export const likeFirst: ShapeRule = (c) => [{ dtype: c.dtype(0), shape: c.shape(0) }];

const broadcastAll = (c: ShapeContext, slots: readonly number[]) =>
  broadcastShapes(slots.map((slot) => c.shape(slot)), (axis) => c.unknown(axis));

/** All inputs broadcast together; the element type is input 0's. */
const broadcast: ShapeRule = (c) => [{ dtype: c.dtype(0), shape: broadcastAll(c, [...c.node.inputs.keys()]) }];
const broadcastToBool: ShapeRule = (c) => [{ dtype: "bool", shape: broadcastAll(c, [0, 1]) }];
const likeFirstBool: ShapeRule = (c) => [{ dtype: "bool", shape: c.shape(0) }];
/** A mask beside the data. */
const dropout: ShapeRule = (c) => [{ dtype: c.dtype(0), shape: c.shape(0) }, { dtype: c.opset >= 10 ? "bool" : c.dtype(0), shape: c.shape(0) }];

const castTo: ShapeRule = (c) => [{ dtype: dataTypeOf(c.node.int("to", 0)), shape: c.shape(0) }];
const randomLike: ShapeRule = (c) => [{ dtype: c.node.attributes.has("dtype") ? dataTypeOf(c.node.int("dtype", 1)) : c.dtype(0), shape: c.shape(0) }];

const unary = [
  "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Clip", "Cos", "Cosh", "CumSum", "Elu", "Erf", "Exp",
  "Floor", "Gelu", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "LRN", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization",
  "MeanVarianceNormalization", "Mish", "Neg", "Reciprocal", "Relu", "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax",
  "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Trilu", "Not", "QuickGelu", "InstanceNormalization", "GroupNormalization",
  "ReverseSequence", "Swish", "RMSNormalization", "BiasGelu", "FastGelu",
] as const;
const binary = ["Add", "Sub", "Mul", "Div", "Pow", "Mod", "And", "Or", "Xor", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "PRelu", "Sum", "Max", "Min", "Mean"] as const;
const comparisons = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"] as const;

const rows = (opTypes: readonly string[], rule: ShapeRule): Record<string, ShapeRule> => Object.fromEntries(opTypes.map((opType) => [opType, rule]));

export const elementwiseRules: Readonly<Record<string, ShapeRule>> = {
  ...rows(unary, likeFirst),
  ...rows(binary, broadcast),
  ...rows(comparisons, broadcastToBool),
  IsNaN: likeFirstBool, IsInf: likeFirstBool,
  Where: (c) => [{ dtype: c.dtype(1) ?? c.dtype(2), shape: broadcastAll(c, [0, 1, 2]) }],
  Cast: castTo,
  CastLike: (c) => [{ dtype: c.dtype(1), shape: c.shape(0) }],
  Dropout: dropout,
  RandomNormalLike: randomLike, RandomUniformLike: randomLike, Bernoulli: randomLike, EyeLike: randomLike,
  QuantizeLinear: (c) => [{ dtype: c.dtype(2) ?? dataTypeOf(c.node.int("output_dtype", 2)), shape: c.shape(0) }],
  DequantizeLinear: (c) => [{ dtype: c.dtype(1), shape: c.shape(0) }],
  DynamicQuantizeLinear: (c) => [{ dtype: "uint8", shape: c.shape(0) }, { dtype: "float32", shape: [] }, { dtype: "uint8", shape: [] }],
};
