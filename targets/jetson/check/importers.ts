import type { Node } from "../../../graph/node.ts";

/** Ops of ai.onnx that TensorRT's parser imports (docs/operators.md of ONNX-TensorRT 10.15; older releases lack the newest of them). */
export const imported: ReadonlySet<string> = new Set(
  `Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BlackmanWindow Cast CastLike Ceil Celu Clip Concat Constant
  ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DeformConv DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
  GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization GRU HammingWindow HannWindow
  HardSigmoid HardSwish Hardmax Identity If ImageScaler InstanceNormalization IsInf IsNaN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LRN LSTM
  LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg NonMaxSuppression NonZero Not OneHot Or Pad ParametricSoftplus Pow PRelu
  QuantizeLinear RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
  ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RMSNormalization RNN RoiAlign RotaryEmbedding Round STFT ScaledTanh Scan Scatter
  ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh
  ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor`.split(/\s+/));

const dilated = (node: Node): string | undefined => (node.ints("dilations")?.some((dilation) => dilation !== 1) ? "has dilations, which TensorRT's pooling lacks" : undefined);
const constantAxes = (node: Node): string | undefined => (node.optionalIn(1) && !node.in(1).constant ? "has computed axes; TensorRT wants an initializer" : undefined);

/** What the parser refuses of an op that it imports. */
export const restrictions: Readonly<Record<string, (node: Node) => string | undefined>> = {
  AveragePool: dilated,
  LpPool: dilated,
  MaxPool: (node) => (node.outputs.length > 1 && node.out(1).name !== "" ? "has an Indices output, which TensorRT lacks" : dilated(node)),
  BatchNormalization: (node) => (node.int("training_mode", 0) === 1 ? "is in training mode" : undefined),
  Resize: (node) => {
    const mode = node.string("mode", "nearest");
    if (mode !== "nearest" && mode !== "linear") return `has mode ${mode}; TensorRT has nearest and linear`;
    if (node.int("antialias", 0) === 1) return "has antialiasing, which TensorRT lacks";
    const transformation = node.string("coordinate_transformation_mode", "half_pixel");
    return ["half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "asymmetric", "align_corners"].includes(transformation) ? undefined : `has coordinate_transformation_mode ${transformation}`;
  },
  ScatterND: (node) => (node.string("reduction", "none") === "none" ? undefined : `has reduction ${node.string("reduction", "none")}`),
  CumSum: (node) => (node.in(1).constant ? undefined : "has a computed axis"),
  OneHot: (node) => (node.in(1).constant ? undefined : "has a computed depth"),
  LayerNormalization: (node) => (node.outputs.length > 1 ? "has more outputs than Y" : undefined),
  GridSample: (node) => (node.in(0).shape && node.in(0).shape!.length !== 4 ? "is not 4-dimensional" : undefined),
  Conv: (node) => (node.in(1).shape && ![3, 4, 5].includes(node.in(1).shape!.length) ? "is not a 1-, 2- or 3-dimensional convolution" : undefined),
  Constant: (node) => (["sparse_value", "value_string", "value_strings"].some((name) => node.attributes.has(name)) ? "holds a sparse or string value" : undefined),
  ReduceSum: constantAxes, ReduceMean: constantAxes, ReduceMax: constantAxes, ReduceMin: constantAxes, ReduceProd: constantAxes, ReduceL2: constantAxes,
};
