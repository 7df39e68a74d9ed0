import type { Node, Value } from "../../graph/node.ts";

/**
 * How an op takes part in the int8 path of ONNX Runtime's CPU kernels (reference: optimised graphs of onnxruntime 1.30).
 * - layer: multiplies by constant weights; its input and output are quantized
 * - own: reads int8, writes int8 with a scale of its own
 * - same: moves int8 values without changing them, so that input and output share one scale
 * - absorbed: clips at zero, which the zero point of the next quantization does
 */
export type CpuRole = "layer" | "own" | "same" | "absorbed";

const cpuRoles: Readonly<Record<string, CpuRole>> = {
  Conv: "layer", Gemm: "layer", MatMul: "layer",
  Add: "own", Mul: "own", Sigmoid: "own", LeakyRelu: "own", Concat: "own", AveragePool: "own", GlobalAveragePool: "own",
  MaxPool: "same", Resize: "same", Split: "same", Slice: "same", Reshape: "same", Transpose: "same", Squeeze: "same", Unsqueeze: "same", Flatten: "same",
  Relu: "absorbed", Clip: "absorbed",
};

/** Ops that TensorRT moves a Q/DQ pair through: their inputs and outputs share one scale. */
export const commutingOps: ReadonlySet<string> = new Set(["Concat", "MaxPool", "Resize", "Split", "Slice", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"]);

const cpuLayers: ReadonlySet<string> = new Set(["Conv", "Gemm", "MatMul"]);

const float32Constant = (value: Value | null | undefined): boolean => value?.constant?.dtype === "float32";

/** The inputs that carry activations. */
export const activationInputs = (node: Node): Value[] => {
  const all = node.inputs.filter((input): input is Value => input !== null);
  return ["Add", "Mul", "Concat"].includes(node.opType) || (node.opType === "MatMul" && !all[1]?.constant) ? all : all.slice(0, 1);
};

/** A layer with constant float32 weights; a bias must be constant too. */
export const isLayer = (node: Node, opTypes: ReadonlySet<string>): boolean =>
  opTypes.has(node.opType) && node.domain === "" && isMatrix(node.inputs[1]) && !node.inputs[0]?.constant
  && (!node.inputs[2] || float32Constant(node.inputs[2])) && (node.opType !== "Gemm" || isRow(node.inputs[2]));

/** Weights with output channels: a vector (a dot product) has none. */
const isMatrix = (value: Value | null | undefined): boolean => float32Constant(value) && value!.constant!.shape.length >= 2 && value!.constant!.size > 0;

/** A bias of Gemm that is the same for all rows. */
const isRow = (bias: Value | null | undefined): boolean => !bias || (bias.constant?.size ?? 0) === (bias.constant?.shape.at(-1) ?? 1);

/** The role of the node, or undefined where ONNX Runtime computes it in float whatever is around it. */
export const cpuRole = (node: Node): CpuRole | undefined => {
  const role = node.domain === "" && Object.hasOwn(cpuRoles, node.opType) ? cpuRoles[node.opType] : undefined;
  if (role === "layer") return isLayer(node, cpuLayers) ? (isPlainGemm(node) ? "layer" : undefined) : node.opType === "MatMul" ? "own" : undefined;
  if (node.outputs.some(({ dtype }) => dtype !== undefined && dtype !== "float32")) return undefined;
  if (activationInputs(node).some((input) => input.constant)) return undefined;
  if (node.opType === "Resize" && node.string("mode", "nearest") !== "nearest") return undefined;
  if (node.opType === "Clip" && !clipsAtZero(node)) return undefined;
  if (node.opType === "MaxPool" && node.outputs.length > 1) return undefined;
  return role;
};

/** QGemm has neither alpha nor beta. */
const isPlainGemm = (node: Node): boolean =>
  node.opType !== "Gemm" || (node.int("transA", 0) === 0 && node.float("alpha", 1) === 1 && node.float("beta", 1) === 1);

const clipsAtZero = (node: Node): boolean => node.inputs[1]?.constant?.toNumbers()[0] === 0;

/** The Sigmoid and the Mul of x · sigmoid(x), whichever of the two is given. */
export const siluPair = (node: Node): { readonly sigmoid: Node; readonly mul: Node } | undefined => {
  const sigmoid = node.opType === "Sigmoid" ? node : node.opType === "Mul" ? node.inputs.find((input) => input?.producer?.opType === "Sigmoid")?.producer : undefined;
  const mul = sigmoid?.out().readers[0];
  if (!sigmoid || mul?.opType !== "Mul" || sigmoid.out().readers.length !== 1 || !mul.inputs.includes(sigmoid.in(0))) return undefined;
  return node === sigmoid || node === mul ? { sigmoid, mul } : undefined;
};
