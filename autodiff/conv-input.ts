import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { product, span, type ConvGeometry } from "./conv-geometry.ts";

/** dL/dX of a Conv: the adjoint applied to dY [N, M, …] -> [N, C, …]. A Conv is twice as fast as ConvTranspose in ONNX Runtime. */
export const convInputGradient = (b: Builder, dy: Value, weight: Value, geometry: ConvGeometry): Value => {
  const adjoint = adjointGeometry(geometry);
  if (!adjoint) return asConvTranspose(b, dy, weight, geometry);
  const { kernel, dilations, group, padsBegin, padsEnd } = adjoint;
  return b.op("Conv", [dy, adjointKernel(b, weight, geometry)], { kernel_shape: kernel, dilations, group, pads: [...padsBegin, ...padsEnd] });
};

/** The adjoint as a Conv from dY to dX with W transposed and flipped: where the stride is 1 and no pad is wider than the kernel; else undefined. */
export const adjointGeometry = (geometry: ConvGeometry): ConvGeometry | undefined => {
  const { kernel, strides, inputSize, outputSize, inputChannels, outputChannels } = geometry;
  const padsBegin = kernel.map((_, axis) => span(geometry, axis) - 1 - geometry.padsBegin[axis]!);
  const padsEnd = kernel.map((_, axis) => inputSize[axis]! - outputSize[axis]! + span(geometry, axis) - 1 - padsBegin[axis]!);
  if (!strides.every((stride) => stride === 1) || [...padsBegin, ...padsEnd].some((pad) => pad < 0)) return undefined;
  return { ...geometry, padsBegin, padsEnd, inputSize: outputSize, outputSize: inputSize, inputChannels: outputChannels, outputChannels: inputChannels };
};

/**
 * W [M, C/g, k…] -> [C, M/g, k…] with every spatial axis reversed, which is reversing the flattened taps.
 * Two matrix transposes around a Gather of whole rows: a third of the time of a Gather or Slice along the last axis.
 */
export const adjointKernel = (b: Builder, weight: Value, { kernel, group, inputChannels, outputChannels }: ConvGeometry): Value => {
  const m = outputChannels / group;
  const taps = product(kernel);
  const columns = b.transpose(b.reshape(weight, [group, m, (inputChannels / group) * taps]), [0, 2, 1]);
  if (taps === 1) return b.reshape(columns, [inputChannels, m, ...kernel]);
  const reversed = b.int64s(Array.from({ length: taps }, (_, tap) => taps - 1 - tap));
  const rows = b.op("Gather", [b.reshape(columns, [inputChannels, taps, m]), reversed], { axis: 1 });
  return b.reshape(b.transpose(rows, [0, 2, 1]), [inputChannels, m, ...kernel]);
};

const asConvTranspose = (b: Builder, dy: Value, weight: Value, geometry: ConvGeometry): Value => {
  const { kernel, strides, dilations, padsBegin, group } = geometry;
  const crop = kernel.map((_, axis) =>
    (geometry.outputSize[axis]! - 1) * strides[axis]! + span(geometry, axis) - padsBegin[axis]! - geometry.inputSize[axis]!);
  return b.op("ConvTranspose", [dy, weight], {
    kernel_shape: kernel, strides, dilations, group,
    pads: [...padsBegin, ...crop.map((rows) => Math.max(rows, 0))],
    output_padding: crop.map((rows) => Math.max(-rows, 0)),
  });
};
