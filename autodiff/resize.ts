import type { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Dim, Node, Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import { interpolationMatrix, type Interpolation } from "./interpolation.ts";
import { missingSize, product, staticSizes } from "./conv-geometry.ts";
import type { GradientRule } from "./rule.ts";

const unsupported = (node: Node, what: string): UserError =>
  new UserError("NO_GRADIENT", `Cannot train through Resize "${node.name}": ${what} has no gradient rule.`,
    "export the model with nearest or linear upsampling.");

/** Resize (nearest, linear, cubic) is linear and separable: per resized axis, dX = Aᵀ·dY with the interpolation matrix A [out, in]. */
export const resizeGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  const x = node.in(0);
  const inShape = x.shape;
  const outShape = node.out().shape;
  if (!inShape || !outShape) throw missingSize(node, inShape ? node.out() : x);
  if (node.int("antialias", 0) === 1) throw unsupported(node, "antialias");
  if (node.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize") throw unsupported(node, "tf_crop_and_resize");
  const factors = inShape.map((size, axis) => blockFactor(node, axis, size, outShape[axis]!));
  if (factors.length === 4 && factors[0] === 1 && factors[1] === 1 && factors[2] && factors[3]) return [blockSum(b, node, dy, [factors[2], factors[3]])];
  let dx = dy;
  for (let axis = inShape.length - 1; axis >= 0; axis--) {
    if (inShape[axis] !== outShape[axis]) dx = resizeAxisGradient(b, node, dx, axis);
  }
  return [dx === dy ? dy : b.reshapeLike(dx, x)];
};

/** Nearest upsampling by whole factors repeats each element over a block: dX sums the block, as a depthwise Conv of ones (faster than ReduceSum). */
const blockSum = (b: Builder, node: Node, dy: Value, kernel: readonly [number, number]): Value => {
  const channels = staticSizes(node, node.in(0), 1)[0]!;
  const ones = b.constant(Tensor.float32([channels, 1, ...kernel], new Float32Array(channels * product(kernel)).fill(1)));
  return b.op("Conv", [dy, ones], { kernel_shape: kernel, strides: kernel, group: channels });
};

/** Undoes one axis; the value keeps its element order, with later axes already at their input size. */
const resizeAxisGradient = (b: Builder, node: Node, dy: Value, axis: number): Value => {
  const inputs = node.in(0).shape!;
  const inSize = inputs[axis]!;
  const outSize = node.out().shape![axis]!;
  const trailing = inputs.slice(axis + 1);
  if (typeof inSize !== "number" || typeof outSize !== "number" || !trailing.every((dim) => typeof dim === "number")) throw missingSize(node, node.in(0));
  const after = product(trailing);
  const matrix = interpolationMatrix(interpolationOf(node, axis), inSize, outSize);
  if (after === 1) return b.matmul(b.reshape(dy, [-1, outSize]), b.constant(Tensor.float32([outSize, inSize], matrix)));
  const transposed = Float32Array.from({ length: matrix.length }, (_, at) => matrix[(at % outSize) * inSize + Math.floor(at / outSize)]!);
  return b.matmul(b.constant(Tensor.float32([inSize, outSize], transposed)), b.reshape(dy, [-1, outSize, after]));
};

/** k where nearest upsampling repeats each element of the axis exactly k times; 1 for an axis that keeps its size. */
const blockFactor = (node: Node, axis: number, inSize: Dim, outSize: Dim): number | undefined => {
  if (inSize === outSize) return 1;
  if (typeof inSize !== "number" || typeof outSize !== "number" || outSize % inSize !== 0 || node.string("mode", "nearest") !== "nearest") return undefined;
  const factor = outSize / inSize;
  const matrix = interpolationMatrix(interpolationOf(node, axis), inSize, outSize);
  const repeats = matrix.every((weight, at) => (weight === 1) === (Math.floor(Math.floor(at / inSize) / factor) === at % inSize));
  return repeats ? factor : undefined;
};

const interpolationOf = (node: Node, axis: number): Interpolation => ({
  mode: node.string("mode", "nearest"),
  coordinates: node.string("coordinate_transformation_mode", "half_pixel"),
  nearest: node.string("nearest_mode", "round_prefer_floor"),
  cubicA: node.float("cubic_coeff_a", -0.75),
  excludeOutside: node.int("exclude_outside", 0) === 1,
  scale: scaleOf(node, axis),
});

/** The scale that the node was given for `axis`; undefined where it was given sizes (then out/in). */
const scaleOf = (node: Node, axis: number): number | undefined => {
  const scales = node.optionalIn(2)?.constant;
  if (!scales || scales.size === 0) return undefined;
  const axes = node.ints("axes")?.map((at) => (at + node.in(0).shape!.length) % node.in(0).shape!.length);
  return scales.toNumbers()[axes ? axes.indexOf(axis) : axis];
};
