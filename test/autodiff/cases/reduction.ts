import { Tensor } from "../../../graph/tensor.ts";
import type { GradientCase } from "../../helpers/gradient.ts";

const positive = { shape: [2, 3, 4], low: 0.5, high: 2 };
const distinct = { shape: [2, 3, 4], values: Array.from({ length: 24 }, (_, index) => ((index * 7) % 24) / 6 - 1.9) };

const reductions: readonly (readonly [string, GradientCase["inputs"][number]])[] = [
  ["ReduceMean", [2, 3, 4]], ["ReduceMax", distinct], ["ReduceMin", distinct], ["ReduceProd", positive], ["ReduceL1", distinct], ["ReduceL2", positive],
  ["ReduceSumSquare", [2, 3, 4]], ["ReduceLogSum", positive], ["ReduceLogSumExp", [2, 3, 4]],
];

const ints = (...values: number[]): Tensor => Tensor.int64([values.length], values);

export const reductionCases: readonly GradientCase[] = [
  ...reductions.flatMap(([op, input]): GradientCase[] => [
    { op, name: "axes attribute", inputs: [input], attributes: { axes: [0, 2], keepdims: 1 } },
    { op, name: "axes attribute, axes dropped", inputs: [input], attributes: { axes: [-2], keepdims: 0 } },
    { op, name: "all, axes dropped", inputs: [input], attributes: { keepdims: 0 }, step: op === "ReduceProd" ? 1e-3 : 1e-2 },
    { op, name: "axes input", inputs: [input, ints(1)], attributes: { keepdims: 0 }, opset: 18 },
    { op, name: "symbolic", inputs: [input], attributes: { axes: [1], keepdims: 0 }, symbolic: true },
  ]),
  { op: "ReduceSum", name: "axes", inputs: [[2, 3, 4], ints(0, 2)] },
  { op: "ReduceSum", name: "axes dropped", inputs: [[2, 3, 4], ints(-2)], attributes: { keepdims: 0 } },
  { op: "ReduceSum", name: "all", inputs: [[2, 3, 4]] },
  { op: "ReduceSum", name: "no axes means no sum", inputs: [[2, 3]], attributes: { noop_with_empty_axes: 1 } },
  { op: "ReduceSum", name: "symbolic", inputs: [[2, 3, 4], ints(1)], attributes: { keepdims: 0 }, symbolic: true },
  { op: "ReduceProd", name: "one zero", inputs: [{ shape: [2, 3], values: [2, 0, 3, 1, 2, 3] }], attributes: { axes: [1] } },
  { op: "ReduceProd", name: "two zeros", inputs: [{ shape: [2, 3], values: [0, 0, 3, 1, 2, 3] }], attributes: { axes: [1] } },
  ...[[0, 0], [1, 0], [0, 1], [1, 1]].map(([exclusive, reverse]): GradientCase =>
    ({ op: "CumSum", name: `exclusive ${exclusive}, reverse ${reverse}`, inputs: [[2, 4], Tensor.int64([], [1])], attributes: { exclusive, reverse } })),
];
