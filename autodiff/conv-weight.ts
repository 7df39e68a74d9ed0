import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import { product, type ConvGeometry } from "./conv-geometry.ts";

/** dL/dW of a Conv, [M, C/g, k…], from its input [N, C, …] and output gradient [N, M, …]. */
export const convWeightGradient = (b: Builder, x: Value, dy: Value, geometry: ConvGeometry): Value => {
  const { kernel, group, inputChannels, outputChannels } = geometry;
  const taps = product(kernel);
  const m = outputChannels / group;
  const c = inputChannels / group;
  const columns = b.reshape(patches(b, x, geometry), [0, group, c * taps, -1]);
  const gradients = b.reshape(dy, [0, group, m, -1]);
  const perImage = b.matmul(gradients, b.transpose(columns, [0, 1, 3, 2]));
  return b.reshape(b.sum(perImage, [0], false), [outputChannels, c, ...kernel]);
};

/** im2col: [N, C, …] -> [N, C·taps, output size…], as a depthwise Conv whose kernels each pick one tap. */
const patches = (b: Builder, x: Value, { kernel, strides, dilations, padsBegin, padsEnd, inputChannels }: ConvGeometry): Value => {
  const taps = product(kernel);
  const pads = [...padsBegin, ...padsEnd];
  if (taps === 1 && strides.every((s) => s === 1) && pads.every((p) => p === 0)) return x;
  const pick = new Float32Array(inputChannels * taps * taps);
  for (let row = 0; row < inputChannels * taps; row++) pick[row * taps + (row % taps)] = 1;
  const kernels = b.constant(Tensor.float32([inputChannels * taps, 1, ...kernel], pick));
  return b.op("Conv", [x, kernels], { kernel_shape: kernel, strides, dilations, pads, group: inputChannels });
};
