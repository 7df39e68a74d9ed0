import type { GradientCase } from "../../helpers/gradient.ts";

const orientations = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));
const products = [
  [[2, 3], [3, 4]], [[3], [3, 4]], [[2, 3], [3]], [[3], [3]], [[2, 2, 3], [3, 4]], [[2, 5, 2, 3], [3, 4]], [[2, 3], [4, 3, 2]],
  [[2, 2, 3], [2, 3, 4]], [[2, 1, 2, 3], [4, 3, 2]], [[3], [2, 3, 4]], [[2, 2, 3], [3]],
] as const;

export const matrixCases: readonly GradientCase[] = [
  ...orientations.flatMap(({ transA, transB }): GradientCase[] => {
    const inputs = [transA ? [3, 2] : [2, 3], transB ? [4, 3] : [3, 4]];
    return [
      { op: "Gemm", name: `${transA}${transB} without bias`, inputs, attributes: { transA, transB } },
      { op: "Gemm", name: `${transA}${transB} scaled, bias row`, inputs: [...inputs, [4]], attributes: { transA, transB, alpha: 0.7, beta: 1.3 } },
      { op: "Gemm", name: `${transA}${transB} bias column`, inputs: [...inputs, [2, 1]], attributes: { transA, transB } },
      { op: "Gemm", name: `${transA}${transB} scalar bias`, inputs: [...inputs, []], attributes: { transA, transB } },
    ];
  }),
  ...products.map(([left, right]): GradientCase => ({ op: "MatMul", name: `[${left.join()}] by [${right.join()}]`, inputs: [left, right] })),
  ...([["ij,jk->ik", [2, 3], [3, 4]], ["bij,bkj->bki", [2, 2, 3], [2, 4, 3]], ["ij,kl->ki", [2, 3], [4, 2]], ["ij,jk", [2, 3], [3, 4]], ["nchw,nkc->nkhw", [1, 3, 2, 2], [1, 4, 3]]] as const)
    .map(([equation, left, right]): GradientCase => ({ op: "Einsum", name: equation, inputs: [left, right], attributes: { equation } })),
  { op: "Einsum", name: "ij->j", inputs: [[2, 3]], attributes: { equation: "ij->j" } },
  { op: "MatMul", name: "symbolic, shared weight", inputs: [[2, 2, 3], [3, 4]], symbolic: true },
  { op: "MatMul", name: "symbolic, stacks", inputs: [[2, 2, 3], [2, 3, 4]], symbolic: true },
];
