import { convGradient, convTransposeGradient } from "./conv.ts";
import { einsumGradient } from "./einsum.ts";
import * as elementwise from "./elementwise.ts";
import * as indexing from "./indexing.ts";
import * as layout from "./layout.ts";
import { gemmGradient, matMulGradient } from "./matrix.ts";
import { batchNormalizationGradient, layerNormalizationGradient } from "./normalization.ts";
import { averagePoolGradient, globalAveragePoolGradient, globalMaxPoolGradient, maxPoolGradient } from "./pooling.ts";
import * as reduction from "./reduction.ts";
import { leakyReluGradient, reluGradient } from "./relu.ts";
import { resizeGradient } from "./resize.ts";
import { single, stops, unary, type GradientRule } from "./rule.ts";
import { logSoftmaxGradient, softmaxGradient } from "./softmax.ts";
import { identityGradient } from "./stop-gradient.ts";

/** The gradient of every ai.onnx op that training can pass; `backward` names an op without a row. */
export const gradientRules = {
  // arithmetic
  Add: single((_b, _node, dy) => [dy, dy]),
  Sub: single((b, _node, dy) => [dy, b.neg(dy)]),
  Mul: elementwise.mulGradient,
  Div: elementwise.divGradient,
  Pow: elementwise.powGradient,
  Sum: single((_b, node, dy) => node.inputs.map(() => dy)),
  Mean: elementwise.meanGradient,
  Max: elementwise.extremumGradient,
  Min: elementwise.extremumGradient,
  Clip: elementwise.clipGradient,
  Where: elementwise.whereGradient,
  Neg: single((b, _node, dy) => [b.neg(dy)]),
  Abs: unary((b, x) => b.op("Sign", [x])),
  Reciprocal: single((b, node, dy) => [b.neg(b.mul(dy, b.mul(node.out(), node.out())))]),
  Sqrt: single((b, node, dy) => [b.div(b.mul(dy, 0.5), node.out())]),
  Exp: unary((_b, _x, y) => y),
  Log: single((b, node, dy) => [b.div(dy, node.in(0))]),
  Sin: unary((b, x) => b.op("Cos", [x])),
  Cos: single((b, node, dy) => [b.neg(b.mul(dy, b.op("Sin", [node.in(0)])))]),
  Tan: unary((b, _x, y) => b.add(b.mul(y, y), 1)),
  Asin: single((b, { inputs: [x] }, dy) => [b.div(dy, b.sqrt(b.sub(1, b.mul(x!, x!))))]),
  Acos: single((b, { inputs: [x] }, dy) => [b.neg(b.div(dy, b.sqrt(b.sub(1, b.mul(x!, x!)))))]),
  Atan: single((b, { inputs: [x] }, dy) => [b.div(dy, b.add(b.mul(x!, x!), 1))]),
  Sinh: unary((b, x) => b.op("Cosh", [x])),
  Cosh: unary((b, x) => b.op("Sinh", [x])),

  // activations
  Relu: reluGradient,
  LeakyRelu: leakyReluGradient,
  PRelu: elementwise.preluGradient,
  Elu: elementwise.eluGradient,
  Selu: elementwise.seluGradient,
  Celu: elementwise.celuGradient,
  Sigmoid: unary((b, _x, y) => b.mul(y, b.sub(1, y))),
  Tanh: unary((b, _x, y) => b.sub(1, b.mul(y, y))),
  HardSigmoid: elementwise.hardSigmoidGradient,
  HardSwish: elementwise.hardSwishGradient,
  Mish: elementwise.mishGradient,
  Softplus: unary((b, x) => b.sigmoid(x)),
  Softsign: single((b, { inputs: [x] }, dy) => { const d = b.add(b.abs(x!), 1); return [b.div(dy, b.mul(d, d))]; }),
  Erf: unary((b, x) => b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI))),
  Gelu: elementwise.geluGradient,
  Softmax: softmaxGradient,
  LogSoftmax: logSoftmaxGradient,
  Dropout: elementwise.dropoutGradient,

  // products
  Gemm: gemmGradient,
  MatMul: matMulGradient,
  Einsum: einsumGradient,

  // convolutions, normalization, pools
  Conv: convGradient,
  ConvTranspose: convTransposeGradient,
  BatchNormalization: batchNormalizationGradient,
  LayerNormalization: layerNormalizationGradient,
  MaxPool: maxPoolGradient,
  AveragePool: averagePoolGradient,
  GlobalAveragePool: globalAveragePoolGradient,
  GlobalMaxPool: globalMaxPoolGradient,
  Resize: resizeGradient,

  // layout
  Identity: identityGradient,
  Cast: elementwise.castGradient,
  Reshape: layout.reshapeGradient,
  Flatten: layout.reshapeGradient,
  Squeeze: layout.reshapeGradient,
  Unsqueeze: layout.reshapeGradient,
  Transpose: layout.transposeGradient,
  Expand: single((_b, _node, dy) => [dy]),
  Concat: layout.concatGradient,
  Split: layout.splitGradient,
  Slice: layout.sliceGradient,
  Tile: layout.tileGradient,
  Pad: layout.padGradient,
  DepthToSpace: layout.depthToSpaceGradient,
  SpaceToDepth: layout.spaceToDepthGradient,
  Trilu: single((b, node, dy) => [b.op("Trilu", node.optionalIn(1) ? [dy, node.in(1)] : [dy], { upper: node.int("upper", 1) })]),
  Gather: indexing.gatherGradient,
  GatherElements: indexing.gatherElementsGradient,
  GatherND: indexing.gatherNdGradient,
  ScatterElements: indexing.scatterElementsGradient,
  ScatterND: indexing.scatterNdGradient,
  TopK: indexing.topKGradient,

  // reductions
  ReduceSum: reduction.reduceSumGradient,
  ReduceMean: reduction.reduceMeanGradient,
  ReduceMax: reduction.reduceExtremumGradient,
  ReduceMin: reduction.reduceExtremumGradient,
  ReduceProd: reduction.reduceProdGradient,
  ReduceL1: reduction.reduceL1Gradient,
  ReduceL2: reduction.reduceL2Gradient,
  ReduceSumSquare: reduction.reduceSumSquareGradient,
  ReduceLogSum: reduction.reduceLogSumGradient,
  ReduceLogSumExp: reduction.reduceLogSumExpGradient,
  CumSum: reduction.cumSumGradient,

  // piecewise constant, integer or boolean results
  Floor: stops, Ceil: stops, Round: stops, Sign: stops,
  Equal: stops, Greater: stops, GreaterOrEqual: stops, Less: stops, LessOrEqual: stops, And: stops, Or: stops, Not: stops, Xor: stops,
  IsNaN: stops, IsInf: stops, ArgMax: stops, ArgMin: stops, NonZero: stops, OneHot: stops, NonMaxSuppression: stops,
  Shape: stops, Size: stops, Constant: stops, ConstantOfShape: stops, EyeLike: stops, Range: stops,
  RandomNormalLike: stops, RandomUniformLike: stops, QuantizeLinear: stops, DequantizeLinear: stops,
} satisfies Partial<Record<string, GradientRule>>;
