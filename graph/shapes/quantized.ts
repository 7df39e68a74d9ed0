import type { Dim, Shape } from "../node.ts";
import { addDims, broadcastShapes, refineDim } from "./dim.ts";
import { matrixRules } from "./matrix.ts";
import { fromFront, type ShapeContext, type ShapeRule } from "./rule.ts";
import { spatialRules } from "./spatial.ts";

/** Ops of com.microsoft that ONNX Runtime's quantizer and optimizer write: x, its scale and zero point, then the next operand. */

const like: ShapeRule = (c) => [{ dtype: c.dtype(0), shape: c.shape(0) }];

const broadcast = (slots: readonly number[], dtypeSlot: number): ShapeRule => (c) =>
  [{ dtype: c.dtype(dtypeSlot), shape: broadcastShapes(slots.map((slot) => c.shape(slot)), (axis) => c.unknown(axis)) }];

/** Inputs: y scale, y zero point, then x, scale and zero point of each part. */
const concat: ShapeRule = (c) => {
  const shapes = c.node.inputs.flatMap((_, slot) => (slot >= 2 && slot % 3 === 2 ? [c.shape(slot)] : []));
  const [first] = shapes;
  const dtype = c.dtype(2);
  if (!first || shapes.some((shape) => shape?.length !== first.length)) return [{ dtype }];
  const at = fromFront(c.node.int("axis", 1), first.length);
  const dims = (axis: number): Dim[] => shapes.map((shape) => shape![axis]!);
  return [{ dtype, shape: first.map((_, axis) => (axis === at ? dims(axis).reduce((sum, dim) => addDims(sum, dim, c.unknown(axis)), 0) : dims(axis).reduce(refineDim))) }];
};

const isChannelsLast = (c: ShapeContext): boolean => c.node.int("channels_last", 0) !== 0;

const globalPool: ShapeRule = (c) => {
  const spatial = (axis: number, rank: number): boolean => (isChannelsLast(c) ? axis > 0 && axis < rank - 1 : axis > 1);
  return [{ dtype: c.dtype(0), shape: c.shape(0)?.map((dim, axis, all) => (spatial(axis, all.length) ? 1 : dim)) }];
};

/** An NCHW rule for a node whose data may be NHWC: the channels move to the front and back. */
const channelsLast = (rule: ShapeRule): ShapeRule => (c) => {
  if (!isChannelsLast(c)) return rule(c);
  const toFront = (shape: Shape | undefined): Shape | undefined => shape && [shape[0]!, shape.at(-1)!, ...shape.slice(1, -1)];
  const [type] = rule(c.withShape(0, toFront(c.shape(0))));
  const shape = type?.shape;
  return [{ dtype: type?.dtype, shape: shape && [shape[0]!, ...shape.slice(2), shape[1]!] }];
};

const reduceMean: ShapeRule = (c) => {
  const x = c.shape(0);
  const axes = c.node.ints("axes");
  const reduced = x && new Set(axes ? axes.map((axis) => fromFront(axis, x.length)) : x.keys());
  const keep = c.node.int("keepdims", 1) !== 0;
  return [{ dtype: c.dtype(0), shape: keep ? x?.map((dim, axis) => (reduced!.has(axis) ? 1 : dim)) : x?.filter((_, axis) => !reduced!.has(axis)) }];
};

/** A, its scale and zero point, B, its scale and zero point, C, y scale, y zero point; without a y scale the result is float. */
const gemm: ShapeRule = (c) => {
  const swap = (shape: Shape | undefined, swapped: boolean): Shape | undefined => (shape && swapped ? [shape[1]!, shape[0]!] : shape);
  const [a, b] = [swap(c.shape(0), c.node.int("transA", 0) !== 0), swap(c.shape(3), c.node.int("transB", 0) !== 0)];
  return [{ dtype: c.has(7) ? c.dtype(0) : "float32", shape: a && b && [a[0]!, b[1]!] }];
};

const floatProduct: ShapeRule = (c) => [{ dtype: "float32", shape: matrixRules["MatMul"]!(c)[0]?.shape }];

export const quantizedRules: Readonly<Record<string, ShapeRule>> = {
  QLinearAdd: broadcast([0, 3], 0), QLinearMul: broadcast([0, 3], 0), QLinearWhere: broadcast([0, 1, 4], 1),
  QLinearSigmoid: like, QLinearLeakyRelu: like, QLinearSoftmax: like,
  QLinearConcat: concat, QLinearGlobalAveragePool: globalPool, QLinearReduceMean: reduceMean, QGemm: gemm,
  QLinearConv: channelsLast(spatialRules["QLinearConv"]!), QLinearAveragePool: channelsLast(spatialRules["AveragePool"]!),
  MatMulIntegerToFloat: floatProduct, DynamicQuantizeMatMul: floatProduct,
};
