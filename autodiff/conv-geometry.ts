import { UserError } from "../graph/error.ts";
import type { Node, Value } from "../graph/node.ts";

/** Sizes of one sliding-window axis set (Conv, pools): everything per spatial axis, pads resolved from auto_pad. */
export interface WindowGeometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  readonly inputSize: readonly number[];
  readonly outputSize: readonly number[];
}

/** Geometry of a Conv from `inputChannels` to `outputChannels` (a ConvTranspose is described by the Conv it is the adjoint of). */
export interface ConvGeometry extends WindowGeometry {
  readonly group: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
}

export const missingSize = (node: Node, value: Value): UserError =>
  new UserError("MISSING_SIZE",
    `Cannot differentiate ${node.opType} "${node.name}": the size of "${value.name}" is ${value.shape ? `[${value.shape.join(", ")}]` : "unknown"}.`,
    "give the model's inputs fixed sizes, all but the batch dimension (--size WxH for a picture), and run shape inference first.");

/** Dimensions from `from` on as numbers; a UserError that names `node` where one is not static. */
export const staticSizes = (node: Node, value: Value, from = 2): readonly number[] => {
  const sizes = value.shape?.slice(from);
  if (!sizes?.every((dim) => typeof dim === "number")) throw missingSize(node, value);
  return sizes;
};

export const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/** `values` for each of `rank` axes; `fallback` where the attribute is left out. */
const perAxis = (values: readonly number[] | undefined, rank: number, fallback: number): readonly number[] =>
  values ?? new Array<number>(rank).fill(fallback);

/** Span of a dilated kernel: (k - 1)·d + 1. */
export const span = ({ kernel, dilations }: Pick<WindowGeometry, "kernel" | "dilations">, axis: number): number =>
  (kernel[axis]! - 1) * dilations[axis]! + 1;

/** Geometry of a window op that maps spatial `inputSize` to `outputSize`. */
export const windowGeometry = (node: Node, kernel: readonly number[], inputSize: readonly number[], outputSize: readonly number[]): WindowGeometry => {
  const rank = kernel.length;
  const strides = perAxis(node.ints("strides"), rank, 1);
  const dilations = perAxis(node.ints("dilations"), rank, 1);
  const pads = node.ints("pads") ?? new Array<number>(2 * rank).fill(0);
  const base = { kernel, strides, dilations, inputSize, outputSize };
  const autoPad = node.string("auto_pad", "NOTSET");
  if (autoPad === "NOTSET") return { ...base, padsBegin: pads.slice(0, rank), padsEnd: pads.slice(rank) };
  if (autoPad === "VALID") return { ...base, padsBegin: perAxis(undefined, rank, 0), padsEnd: perAxis(undefined, rank, 0) };
  const totals = kernel.map((_, axis) => Math.max((outputSize[axis]! - 1) * strides[axis]! + span(base, axis) - inputSize[axis]!, 0));
  const small = totals.map((total) => Math.floor(total / 2));
  const large = totals.map((total) => Math.ceil(total / 2));
  return autoPad === "SAME_UPPER" ? { ...base, padsBegin: small, padsEnd: large } : { ...base, padsBegin: large, padsEnd: small };
};

/** Geometry of Conv `node`. Channels and spatial sizes must be static; the batch need not be. */
export const convGeometry = (node: Node): ConvGeometry => {
  const weight = staticSizes(node, node.in(1), 0);
  const input = staticSizes(node, node.in(0), 1);
  return {
    ...windowGeometry(node, weight.slice(2), input.slice(1), staticSizes(node, node.out())),
    group: node.int("group", 1), inputChannels: input[0]!, outputChannels: weight[0]!,
  };
};

/** Geometry of the Conv whose adjoint is ConvTranspose `node`: it maps the node's output to the node's input. */
export const convTransposeGeometry = (node: Node): ConvGeometry => {
  const weight = staticSizes(node, node.in(1), 0);
  const group = node.int("group", 1);
  const inputSize = staticSizes(node, node.out());
  const outputSize = staticSizes(node, node.in(0));
  const kernel = weight.slice(2);
  const rank = kernel.length;
  const strides = perAxis(node.ints("strides"), rank, 1);
  const dilations = perAxis(node.ints("dilations"), rank, 1);
  const outputPadding = perAxis(node.ints("output_padding"), rank, 0);
  // (outputSize - 1)·stride + outputPadding + span - pads = inputSize; auto_pad and output_shape only say how the pads are split.
  const totals = kernel.map((_, axis) =>
    (outputSize[axis]! - 1) * strides[axis]! + outputPadding[axis]! + span({ kernel, dilations }, axis) - inputSize[axis]!);
  const autoPad = node.string("auto_pad", "NOTSET");
  const split = autoPad !== "NOTSET" || node.ints("output_shape") !== undefined;
  const half = (total: number): number => (autoPad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2));
  const padsBegin = split ? totals.map(half) : (node.ints("pads")?.slice(0, rank) ?? perAxis(undefined, rank, 0));
  // Rows that output_padding adds beyond a whole stride would give the adjoint Conv one more output: it leaves them out.
  const padsEnd = kernel.map((_, axis) => totals[axis]! - padsBegin[axis]! - Math.floor(outputPadding[axis]! / strides[axis]!) * strides[axis]!);
  return { kernel, strides, dilations, padsBegin, padsEnd, inputSize, outputSize, group, inputChannels: weight[1]! * group, outputChannels: weight[0]! };
};
