import type { Dim, Node, Shape } from "../node.ts";
import { addDims, divideDims, multiplyDims } from "./dim.ts";
import { fromFront, type ShapeContext, type ShapeRule, type ValueType } from "./rule.ts";
import { largest, smallest } from "../../input/largest.ts";

/** How a sliding window walks one spatial axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** begin of every axis, then end of every axis (explicit padding only). */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

/** Window of a Conv or pooling node over `kernel`. */
export const windowOf = (node: Node, kernel: readonly number[]): Window => {
  const filled = (value: number, count: number): number[] => new Array<number>(count).fill(value);
  return {
    kernel,
    strides: node.ints("strides") ?? filled(1, kernel.length),
    dilations: node.ints("dilations") ?? filled(1, kernel.length),
    pads: node.ints("pads") ?? filled(0, 2 * kernel.length),
    autoPad: node.string("auto_pad", "NOTSET"),
  };
};

/** ONNX Conv: floor((size + pads - dilation*(kernel-1) - 1) / stride) + 1. */
const slide = (size: Dim, axis: number, w: Window, ceil: boolean, unknown: Dim): Dim => {
  const stride = w.strides[axis]!;
  const span = w.dilations[axis]! * (w.kernel[axis]! - 1) + 1;
  if (w.autoPad.startsWith("SAME")) return divideDims(addDims(size, stride - 1, unknown), stride, unknown);
  const begin = w.autoPad === "VALID" ? 0 : w.pads[axis]!;
  const pads = w.autoPad === "VALID" ? 0 : begin + w.pads[axis + w.kernel.length]!;
  if (!ceil) return addDims(divideDims(addDims(size, pads - span, unknown), stride, unknown), 1, unknown);
  if (typeof size !== "number") return unknown;
  const count = Math.ceil((size + pads - span) / stride) + 1;
  return (count - 1) * stride >= size + begin ? count - 1 : count; // a window that starts in the end padding is dropped
};

const spatial = (c: ShapeContext, x: Shape, w: Window, ceil = false): Dim[] =>
  x.slice(2).map((size, axis) => slide(size, axis, w, ceil, c.unknown(axis + 2)));

const kernelOf = (c: ShapeContext, weightSlot: number): readonly number[] | undefined => {
  const kernel = c.node.ints("kernel_shape") ?? c.shape(weightSlot)?.slice(2);
  return kernel?.every((dim) => typeof dim === "number") ? (kernel) : undefined;
};

const convAt = (weightSlot: number, dtype: (c: ShapeContext) => ValueType["dtype"]): ShapeRule => (c) => {
  const x = c.shape(0);
  const w = c.shape(weightSlot);
  const kernel = kernelOf(c, weightSlot);
  if (!x || !w || !kernel) return [{ dtype: dtype(c) }];
  return [{ dtype: dtype(c), shape: [x[0]!, w[0]!, ...spatial(c, x, windowOf(c.node, kernel))] }];
};

/** ONNX ConvTranspose: stride*(size-1) + output_padding + dilation*(kernel-1) + 1 - pads. */
const convTranspose: ShapeRule = (c) => {
  const x = c.shape(0);
  const w = c.shape(1);
  const kernel = kernelOf(c, 1);
  const channels = w?.[1];
  if (!x || !kernel || channels === undefined) return [{ dtype: c.dtype(0) }];
  const { strides, dilations, pads, autoPad } = windowOf(c.node, kernel);
  const extra = c.node.ints("output_padding") ?? kernel.map(() => 0);
  const forced = c.node.ints("output_shape");
  const sizes = x.slice(2).map((size, axis): Dim => {
    const unknown = c.unknown(axis + 2);
    if (forced) return forced[forced.length - kernel.length + axis]!;
    const stride = strides[axis]!;
    if (autoPad.startsWith("SAME")) return multiplyDims(size, stride, unknown);
    const padding = autoPad === "VALID" ? 0 : pads[axis]! + pads[axis + kernel.length]!;
    return addDims(multiplyDims(addDims(size, -1, unknown), stride, unknown), extra[axis]! + dilations[axis]! * (kernel[axis]! - 1) + 1 - padding, unknown);
  });
  return [{ dtype: c.dtype(0), shape: [x[0]!, multiplyDims(channels, c.node.int("group", 1), c.unknown(1)), ...sizes] }];
};

const pool: ShapeRule = (c) => {
  const x = c.shape(0);
  const kernel = c.node.ints("kernel_shape");
  if (!x || !kernel) return [{ dtype: c.dtype(0) }, { dtype: "int64" }];
  const shape = [...x.slice(0, 2), ...spatial(c, x, windowOf(c.node, kernel), c.node.int("ceil_mode", 0) !== 0)];
  return [{ dtype: c.dtype(0), shape }, { dtype: "int64", shape }];
};

const globalPool: ShapeRule = (c) => [{ dtype: c.dtype(0), shape: c.shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)) }];

/** Output size of Resize for `scales`: floor(size * scale); scales are float32 in the file. */
const scaled = (size: Dim, scale: number, unknown: Dim): Dim => {
  if (scale === 1) return size;
  if (typeof size === "number") return Math.floor(Math.fround(size) * scale);
  return Number.isInteger(scale) ? multiplyDims(size, scale, unknown) : unknown;
};

/** Sizes under keep_aspect_ratio_policy: one scale for all axes, the smallest or the largest of them, halves rounded up. */
const keptAspect = (c: ShapeContext, from: readonly Dim[], sizes: readonly Dim[]): readonly Dim[] | undefined => {
  const policy = c.node.string("keep_aspect_ratio_policy", "stretch");
  if (policy === "stretch") return sizes;
  if (!from.every((dim) => typeof dim === "number") || !sizes.every((dim) => typeof dim === "number")) return undefined;
  const scales = sizes.map((size, index) => size / from[index]!);
  const scale = policy === "not_larger" ? smallest(scales) : largest(scales);
  return from.map((size) => Math.floor(scale * size + 0.5));
};

const resize: ShapeRule = (c) => {
  const x = c.shape(0);
  const first = c.opset < 11 ? 1 : 2;
  if (!x) return [{ dtype: c.dtype(0) }];
  const axes = (c.node.ints("axes") ?? [...x.keys()]).map((axis) => fromFront(axis, x.length));
  const sizes = c.opset < 11 ? undefined : c.values(3);
  const scales = c.has(first) ? c.numbers(first) : undefined;
  const shape = [...x];
  if (sizes?.length === axes.length) {
    const kept = keptAspect(c, axes.map((axis) => x[axis]!), sizes);
    for (const [index, axis] of axes.entries()) shape[axis] = kept?.[index] ?? c.unknown(axis);
  } else if (scales?.length === axes.length) {
    for (const [index, axis] of axes.entries()) shape[axis] = scaled(x[axis]!, scales[index]!, c.unknown(axis));
  } else {
    for (const axis of axes) shape[axis] = c.unknown(axis);
  }
  return [{ dtype: c.dtype(0), shape }];
};

const upsample: ShapeRule = (c) => {
  const x = c.shape(0);
  const scales = c.node.floats("scales") ?? c.numbers(1);
  return [{ dtype: c.dtype(0), shape: x?.map((size, axis) => (scales ? scaled(size, scales[axis]!, c.unknown(axis)) : c.unknown(axis))) }];
};

const batchNormalization: ShapeRule = (c) => {
  const perChannel = { dtype: c.dtype(3), shape: c.shape(3) };
  return [{ dtype: c.dtype(0), shape: c.shape(0) }, perChannel, perChannel, perChannel, perChannel];
};

const layerNormalization: ShapeRule = (c) => {
  const x = c.shape(0);
  const axis = x && fromFront(c.node.int("axis", -1), x.length);
  const statistics = { dtype: "float32" as const, shape: x?.map((dim, at) => (at < axis! ? dim : 1)) };
  return [{ dtype: c.dtype(0), shape: x }, statistics, statistics];
};

const depthToSpace = (sign: 1 | -1): ShapeRule => (c) => {
  const x = c.shape(0);
  const block = c.node.int("blocksize", 1);
  if (x?.length !== 4) return [{ dtype: c.dtype(0) }];
  const grow = (dim: Dim, by: number, up: boolean, axis: number): Dim => (up ? multiplyDims(dim, by, c.unknown(axis)) : divideDims(dim, by, c.unknown(axis)));
  return [{ dtype: c.dtype(0), shape: [x[0]!, grow(x[1]!, block * block, sign < 0, 1), grow(x[2]!, block, sign > 0, 2), grow(x[3]!, block, sign > 0, 3)] }];
};

const gridSample: ShapeRule = (c) => {
  const [x, grid] = [c.shape(0), c.shape(1)];
  return [{ dtype: c.dtype(0), shape: x && grid && [x[0]!, x[1]!, ...grid.slice(1, -1)] }];
};

export const spatialRules: Readonly<Record<string, ShapeRule>> = {
  Conv: convAt(1, (c) => c.dtype(0)),
  ConvInteger: convAt(1, () => "int32"),
  QLinearConv: convAt(3, (c) => c.dtype(7)),
  ConvTranspose: convTranspose,
  MaxPool: pool, AveragePool: pool, LpPool: pool,
  GlobalAveragePool: globalPool, GlobalMaxPool: globalPool, GlobalLpPool: globalPool,
  Resize: resize, Upsample: upsample,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  DepthToSpace: depthToSpace(1), SpaceToDepth: depthToSpace(-1),
  GridSample: gridSample,
  RoiAlign: (c) => {
    const [x, rois] = [c.shape(0), c.shape(1)];
    return [{ dtype: c.dtype(0), shape: x && rois && [rois[0]!, x[1]!, c.node.int("output_height", 1), c.node.int("output_width", 1)] }];
  },
};
