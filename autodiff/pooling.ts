import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import { product, span, staticSizes, windowGeometry, type WindowGeometry } from "./conv-geometry.ts";
import type { GradientRule } from "./rule.ts";

const poolGeometry = (node: Node): WindowGeometry =>
  windowGeometry(node, node.ints("kernel_shape") ?? [], staticSizes(node, node.in(0)), staticSizes(node, node.out()));

/** MaxPool: dY goes to the first maximum of each window, found by a second MaxPool that returns indices. */
export const maxPoolGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  const x = node.in(0);
  const attributes = Object.fromEntries([...node.attributes].filter(([name]) => name !== "storage_order"));
  const [, indices] = b.ops("MaxPool", [x], 2, attributes);
  const zeros = zerosLike(b, x);
  const scattered = b.op("ScatterElements", [zeros, b.reshape(indices!, [-1]), b.reshape(dy, [-1])], { axis: 0, reduction: "add" });
  return [b.reshapeLike(scattered, x)];
};

/** A flat run of zeros, one for each element of `x`. */
const zerosLike = (b: Builder, x: Value): Value => {
  const count = x.staticShape ? b.int64s([product(x.staticShape)]) : b.op("Size", [x]);
  return b.op("ConstantOfShape", [x.staticShape ? count : b.reshape(count, [1])], { value: Tensor.float32([1], [0]) });
};

/** AveragePool: the adjoint spreads dY / (elements counted) over each window. */
export const averagePoolGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  const geometry = poolGeometry(node);
  const { kernel, inputSize, outputSize } = geometry;
  const shares = windowShares(geometry, node.int("count_include_pad", 0) === 1);
  const uniform = shares.every((share) => share === shares[0]);
  const share = uniform ? b.scalar(shares[0]!) : b.constant(Tensor.float32([1, 1, ...outputSize], shares));
  const planes = b.reshape(b.mul(dy, share), [-1, 1, ...outputSize]);
  const crop = kernel.map((_, axis) => covered(geometry, axis) - geometry.padsBegin[axis]! - inputSize[axis]!);
  const dx = b.op("ConvTranspose", [planes, b.full([1, 1, ...kernel], 1)], {
    kernel_shape: kernel, strides: geometry.strides, dilations: geometry.dilations,
    pads: [...geometry.padsBegin, ...crop.map((rows) => Math.max(rows, 0))],
    output_padding: crop.map((rows) => Math.max(-rows, 0)),
  });
  return [b.reshapeLike(dx, node.in(0))];
};

/** Rows from the first to the last that some window covers, pads included. */
const covered = (geometry: WindowGeometry, axis: number): number =>
  (geometry.outputSize[axis]! - 1) * geometry.strides[axis]! + span(geometry, axis);

/** 1 / (elements that the window averages) for each output position, row-major. */
const windowShares = (geometry: WindowGeometry, includePad: boolean): number[] => {
  const counts = geometry.kernel.map((_, axis) => countsAlong(geometry, axis, includePad));
  return counts.reduce<number[]>((all, along) => all.flatMap((n) => along.map((k) => n * k)), [1]).map((n) => 1 / n);
};

/** Taps of each window that lie on the input, or on input and declared pads; a window that ceil_mode added overhangs both. */
const countsAlong = (geometry: WindowGeometry, axis: number, includePad: boolean): number[] => {
  const begin = includePad ? -geometry.padsBegin[axis]! : 0;
  const end = geometry.inputSize[axis]! + (includePad ? geometry.padsEnd[axis]! : 0);
  return Array.from({ length: geometry.outputSize[axis]! }, (_, index) => {
    const start = index * geometry.strides[axis]! - geometry.padsBegin[axis]!;
    const taps = Array.from({ length: geometry.kernel[axis]! }, (_unused, tap) => start + tap * geometry.dilations[axis]!);
    return taps.filter((at) => at >= begin && at < end).length;
  });
};

/** GlobalAveragePool: every element gets dY / area. */
export const globalAveragePoolGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  return [b.expandLike(b.mul(dy, 1 / product(staticSizes(node, node.in(0)))), node.in(0))];
};

/** GlobalMaxPool: dY shared equally by the maxima. */
export const globalMaxPoolGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null];
  const x = node.in(0);
  const axes = staticSizes(node, x).map((_, axis) => axis + 2);
  const maxima = b.cast(b.equal(x, node.out()), "float32");
  return [b.mul(maxima, b.div(dy, b.sum(maxima, axes)))];
};
