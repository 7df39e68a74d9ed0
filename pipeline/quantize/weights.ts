import { elementCount, Tensor } from "../../graph/tensor.ts";
import type { Node } from "../../graph/node.ts";

export interface QuantizedWeight {
  /** int8 in [-127, 127], the shape of the weight. */
  readonly values: Tensor;
  /** float32 [channels]; w ≈ values · scales. */
  readonly scales: Tensor;
  readonly axis: number;
}

/** Axis of the output channels in the weight of a layer. */
export const weightAxis = (node: Node): number => {
  const rank = node.in(1).constant!.shape.length;
  switch (node.opType) {
    case "Conv": return 0;
    case "ConvTranspose": return 1;
    case "Gemm": return node.int("transB", 0) === 1 ? 0 : 1;
    default: return rank - 1;
  }
};

/** Symmetric int8 per slice along `axis`: scale = absmax / 127, rounded half to even, zero point 0. */
export const quantizeWeight = (weight: Tensor, axis: number): QuantizedWeight => {
  const { shape, floats } = weight;
  const channels = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const scales = new Float32Array(channels);
  for (let i = 0; i < floats.length; i++) {
    const channel = Math.floor(i / inner) % channels;
    scales[channel] = Math.max(scales[channel]!, Math.abs(floats[i]!));
  }
  for (let channel = 0; channel < channels; channel++) scales[channel] = scales[channel]! > 1e-30 ? scales[channel]! / 127 : 1;
  const values = new Int8Array(floats.length);
  for (let i = 0; i < floats.length; i++) values[i] = clamp127(halfToEven(floats[i]! / scales[Math.floor(i / inner) % channels]!));
  return { values: Tensor.of("int8", shape, values), scales: Tensor.float32([channels], scales), axis };
};

/** What the quantized weight multiplies by. */
export const dequantizedWeight = ({ values, scales, axis }: QuantizedWeight): Float32Array => {
  const inner = elementCount(values.shape.slice(axis + 1));
  const channels = values.shape[axis]!;
  return Float32Array.from(values.data as Int8Array, (q, i) => q * scales.floats[Math.floor(i / inner) % channels]!);
};

const clamp127 = (q: number): number => Math.max(-127, Math.min(127, q));

export const halfToEven = (x: number): number => {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};
