import type { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Node, Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import { interpolationMatrix, type Interpolation } from "./interpolation.ts";
import { missingSize, product } from "./conv-geometry.ts";
import type { GradientRule } from "./rule.ts";

const unsupported = (node: Node, what: string): UserError =>
  new UserError("NO_GRADIENT", `Cannot train through Resize "${node.name}": ${what} has no gradient rule.`,
    "export the model with nearest or linear upsampling, or freeze the layers before this node.");

/** Resize (nearest, linear, cubic) is linear and separable: per resized axis, dX = Aᵀ·dY with the interpolation matrix A [out, in]. */
export const resizeGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  const x = node.in(0);
  const inShape = x.shape;
  const outShape = node.out().shape;
  if (!inShape || !outShape) throw missingSize(node, inShape ? node.out() : x);
  if (node.int("antialias", 0) === 1) throw unsupported(node, "antialias");
  if (node.string("coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize") throw unsupported(node, "tf_crop_and_resize");
  let dx = dy;
  for (let axis = inShape.length - 1; axis >= 0; axis--) {
    if (inShape[axis] !== outShape[axis]) dx = resizeAxisGradient(b, node, dx, axis);
  }
  return [dx === dy ? dy : b.reshapeLike(dx, x)];
};

/** Undoes one axis; the value keeps its element order, with later axes already at their input size. */
const resizeAxisGradient = (b: Builder, node: Node, dy: Value, axis: number): Value => {
  const inputs = node.in(0).shape!;
  const inSize = inputs[axis]!;
  const outSize = node.out().shape![axis]!;
  const trailing = inputs.slice(axis + 1);
  if (typeof inSize !== "number" || typeof outSize !== "number" || !trailing.every((dim) => typeof dim === "number")) throw missingSize(node, node.in(0));
  const after = product(trailing);
  const factor = blockFactor(node, inSize, outSize);
  if (factor !== undefined) return b.sum(b.reshape(dy, [-1, factor, after]), [1], false);
  const matrix = interpolationMatrix(interpolationOf(node, axis), inSize, outSize);
  if (after === 1) return b.matmul(b.reshape(dy, [-1, outSize]), b.constant(Tensor.float32([outSize, inSize], matrix)));
  const transposed = Float32Array.from({ length: matrix.length }, (_, at) => matrix[(at % outSize) * inSize + Math.floor(at / outSize)]!);
  return b.matmul(b.constant(Tensor.float32([inSize, outSize], transposed)), b.reshape(dy, [-1, outSize, after]));
};

/** k where each input element is repeated exactly k times (nearest upsampling by a whole factor). */
const blockFactor = (node: Node, inSize: number, outSize: number): number | undefined => {
  if (node.string("mode", "nearest") !== "nearest" || outSize % inSize !== 0) return undefined;
  const factor = outSize / inSize;
  const matrix = interpolationMatrix(interpolationOf(node, -1, factor), inSize, outSize);
  const exact = matrix.every((weight, at) => (weight === 1) === (Math.floor(Math.floor(at / inSize) / factor) === at % inSize));
  return exact ? factor : undefined;
};

const interpolationOf = (node: Node, axis: number, scale = scaleOf(node, axis)): Interpolation => ({
  mode: node.string("mode", "nearest"),
  coordinates: node.string("coordinate_transformation_mode", "half_pixel"),
  nearest: node.string("nearest_mode", "round_prefer_floor"),
  cubicA: node.float("cubic_coeff_a", -0.75),
  excludeOutside: node.int("exclude_outside", 0) === 1,
  scale,
});

/** The scale that the node was given for `axis`; undefined where it was given sizes (then out/in). */
const scaleOf = (node: Node, axis: number): number | undefined => {
  const scales = node.optionalIn(2)?.constant;
  if (!scales || scales.size === 0) return undefined;
  const axes = node.ints("axes")?.map((at) => (at + node.in(0).shape!.length) % node.in(0).shape!.length);
  return scales.toNumbers()[axes ? axes.indexOf(axis) : axis];
};
