import { Tensor } from "../../../graph/tensor.ts";
import type { GradientCase } from "../../helpers/gradient.ts";

const scales = (...values: number[]): Tensor => Tensor.float32([values.length], values);
/** Distinct by more than a step, so that no maximum changes hands. */
const distinct = (...shape: number[]) => {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, values: Array.from({ length: size }, (_, index) => ((index * 13) % size) / 8 - 1) };
};

export const convolutionCases: readonly GradientCase[] = [
  { op: "Conv", name: "3x3, padded, bias", inputs: [[2, 2, 4, 5], [3, 2, 3, 3], [3]], attributes: { pads: [1, 1, 1, 1] } },
  { op: "Conv", name: "3x3, stride 2, uneven input", inputs: [[1, 2, 5, 6], [2, 2, 3, 3]], attributes: { pads: [1, 1, 1, 1], strides: [2, 2] } },
  { op: "Conv", name: "1x1", inputs: [[2, 3, 3, 2], [2, 3, 1, 1]] },
  { op: "Conv", name: "3x3, fewer outputs than inputs", inputs: [[2, 3, 4, 5], [2, 3, 3, 3]], attributes: { pads: [1, 1, 0, 1] } },
  { op: "Conv", name: "depthwise", inputs: [[1, 3, 4, 4], [3, 1, 3, 3]], attributes: { group: 3, pads: [1, 1, 1, 1] } },
  { op: "Conv", name: "groups, dilation", inputs: [[1, 4, 5, 5], [2, 2, 2, 2]], attributes: { group: 2, dilations: [2, 2] } },
  { op: "ConvTranspose", name: "2x2, stride 2, bias", inputs: [[1, 2, 3, 3], [2, 3, 2, 2], [3]], attributes: { strides: [2, 2] } },
  { op: "MaxPool", name: "5x5, stride 1", inputs: [distinct(1, 2, 5, 5)], attributes: { kernel_shape: [5, 5], pads: [2, 2, 2, 2] } },
  { op: "MaxPool", name: "2x2, stride 2", inputs: [distinct(1, 2, 4, 6)], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  { op: "AveragePool", name: "3x3, stride 2, padded", inputs: [[1, 2, 5, 5]], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
  { op: "GlobalAveragePool", name: "static", inputs: [[2, 3, 2, 3]] },
  { op: "GlobalMaxPool", name: "static", inputs: [distinct(2, 3, 2, 2)] },
  { op: "Resize", name: "nearest, 2x", inputs: [[1, 2, 2, 3], null, scales(1, 1, 2, 2)], attributes: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } },
  { op: "Resize", name: "linear, 2x", inputs: [[1, 2, 2, 3], null, scales(1, 1, 2, 2)], attributes: { mode: "linear" } },
  { op: "BatchNormalization", name: "inference", inputs: [[2, 3, 2, 2], [3], [3], scales(0.1, 0.2, 0.3), scales(1, 2, 0.5)] },
  {
    op: "BatchNormalization", name: "training", inputs: [[2, 3, 2, 2], [3], [3], scales(0, 0, 0), scales(1, 1, 1)], attributes: { training_mode: 1, momentum: 0 },
    outputs: 3, lossOutputs: [0],
  },
  { op: "LayerNormalization", name: "last axis", inputs: [[2, 3, 4], [4], [4]], attributes: { axis: -1 } },
];
