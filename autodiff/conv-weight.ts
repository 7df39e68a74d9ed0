import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";
import { product, type ConvGeometry } from "./conv-geometry.ts";
import { adjointGeometry, adjointKernel } from "./conv-input.ts";

/**
 * Output area (elements per image and channel) below which the batch is folded into the product's inner dimension: a product per image would be
 * too short to pay for its own output of taps·C·M elements. In CPU time on one thread (batch 8, AVX-512)
 * folding wins clearly at area 25 and by 10–20% at 100; 64 is a guess between, as the copies of folding are believed to run on one thread only.
 */
const smallArea = 64;

/**
 * dL/dW of a Conv, [M, C/g, k…], from its input [N, C, …] and output gradient [N, M, …]. The side with fewer channels is expanded into columns: that
 * of dY where the adjoint is a Conv, whose weight gradient from dY and x is the adjoint of dW.
 */
export const convWeightGradient = (b: Builder, x: Value, dy: Value, geometry: ConvGeometry): Value => {
  const adjoint = geometry.outputChannels < geometry.inputChannels && !isPointwise(geometry) ? adjointGeometry(geometry) : undefined;
  return adjoint ? adjointKernel(b, columnsProduct(b, dy, x, adjoint), adjoint) : columnsProduct(b, x, dy, geometry);
};

const columnsProduct = (b: Builder, x: Value, dy: Value, geometry: ConvGeometry): Value =>
  geometry.group === 1 && product(geometry.outputSize) < smallArea ? foldedProduct(b, x, dy, geometry) : productPerImage(b, x, dy, geometry);

/**
 * im2col, one product per image and group, summed over the batch: columns [C/g·taps, P] times dYᵀ [P, M/g].
 * Columns first is 7–18% faster at areas of 400 and more (about even below); for depthwise, where M/g is 1, dY first is four times faster.
 */
const productPerImage = (b: Builder, x: Value, dy: Value, geometry: ConvGeometry): Value => {
  const { kernel, group, inputChannels, outputChannels } = geometry;
  const m = outputChannels / group;
  const rows = (inputChannels / group) * product(kernel);
  const columns = b.reshape(patches(b, x, geometry), [0, group, rows, -1]);
  const gradients = b.reshape(dy, [0, group, m, -1]);
  const columnsFirst = m > 4 && rows > m;
  const perImage = columnsFirst ? timesTransposed(b, columns, gradients) : timesTransposed(b, gradients, columns);
  const sum = b.sum(perImage, [0], false);
  return b.reshape(columnsFirst ? b.transpose(sum, [0, 2, 1]) : sum, [outputChannels, inputChannels / group, ...kernel]);
};

/** a·bᵀ over the last two of four axes; ONNX Runtime fuses the transpose into the product. */
const timesTransposed = (b: Builder, first: Value, second: Value): Value => b.matmul(first, b.transpose(second, [0, 1, 3, 2]));

/** im2col [N, C, …] -> [N, C·taps, output size…], as a depthwise Conv whose kernels each pick one tap. */
const patches = (b: Builder, x: Value, geometry: ConvGeometry): Value => {
  if (isPointwise(geometry)) return x;
  const { kernel, strides, dilations, padsBegin, padsEnd, inputChannels } = geometry;
  const taps = product(kernel);
  const pick = new Float32Array(inputChannels * taps * taps);
  for (let row = 0; row < inputChannels * taps; row++) pick[row * taps + (row % taps)] = 1;
  const kernels = b.constant(Tensor.float32([inputChannels * taps, 1, ...kernel], pick));
  return b.op("Conv", [x, kernels], { kernel_shape: kernel, strides, dilations, pads: [...padsBegin, ...padsEnd], group: inputChannels });
};

const isPointwise = ({ kernel, strides, padsBegin, padsEnd }: ConvGeometry): boolean =>
  product(kernel) === 1 && strides.every((stride) => stride === 1) && [...padsBegin, ...padsEnd].every((pad) => pad === 0);

/** One product over batch and space: dY [M, N·P] times the shifted inputs [C·taps, N·P] transposed. */
const foldedProduct = (b: Builder, x: Value, dy: Value, geometry: ConvGeometry): Value => {
  const { kernel, inputChannels, outputChannels } = geometry;
  const swap = [1, 0, ...kernel.map((_, axis) => axis + 2)];
  const columns = b.reshape(shifted(b, b.transpose(x, swap), geometry), [inputChannels * product(kernel), -1]);
  const dw = b.matmul(b.reshape(b.transpose(dy, swap), [outputChannels, -1]), b.transpose(columns, [1, 0]));
  return b.reshape(dw, [outputChannels, inputChannels, ...kernel]);
};

/** [C, N, input size…] -> [C, taps, N, output size…]: what each kernel tap sees. One axis at a time, as only slices of the last axis move single elements. */
const shifted = (b: Builder, x: Value, geometry: ConvGeometry): Value => {
  if (isPointwise(geometry)) return x;
  const { kernel, strides, dilations, padsBegin, padsEnd, outputSize } = geometry;
  const padded = b.op("Pad", [x, b.int64s([0, 0, ...padsBegin, 0, 0, ...padsEnd])]);
  return kernel.reduceRight((value, taps, axis) => {
    const [stride, at] = [strides[axis]!, axis + 3];
    return b.concat(Array.from({ length: taps }, (_, tap) => {
      const start = tap * dilations[axis]!;
      return b.slice(value, [start], [start + (outputSize[axis]! - 1) * stride + 1], [at], [stride]);
    }), 1);
  }, b.unsqueeze(padded, [1]));
};
