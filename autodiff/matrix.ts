import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { ruleDoesNotFit, single, type GradientRule } from "./rule.ts";

/** Y = alpha·A'·B' + beta·C: dA' = alpha·dY·B'ᵀ and dB' = alpha·A'ᵀ·dY, each written for the stored orientation. */
export const gemmGradient: GradientRule = single((b, node, dy) => {
  const [x, w] = [node.in(0), node.in(1)];
  const [transA, transB] = [node.int("transA", 0), node.int("transB", 0)];
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const dx = transA ? b.op("Gemm", [w, dy], { alpha, transA: transB, transB: 1 }) : b.op("Gemm", [dy, w], { alpha, transB: 1 - transB });
  const dw = transB ? b.op("Gemm", [dy, x], { alpha, transA: 1, transB: transA }) : b.op("Gemm", [x, dy], { alpha, transA: 1 - transA });
  return [dx, dw, beta === 1 ? dy : b.mul(dy, beta)];
});

/** dA = dY·Bᵀ, dB = Aᵀ·dY with NumPy's rules: a vector is a matrix of one row (left) or one column (right), stacks broadcast. */
export const matMulGradient: GradientRule = single((b, node, dy) => {
  const [left, right] = [node.in(0), node.in(1)];
  const [leftRank, rightRank] = [rankOf(node, left), rankOf(node, right)];
  if (leftRank === 1 && rightRank === 1) return [b.mul(dy, right), b.mul(dy, left)];
  if (leftRank === 1) return vectorTimesStack(b, left, right, dy, rightRank);
  if (rightRank === 1) return stackTimesVector(b, left, right, dy, leftRank);
  const dLeft = b.matmul(dy, swapLast(b, right, rightRank));
  if (rightRank > 2 || leftRank === 2) return [dLeft, b.matmul(swapLast(b, left, leftRank), dy)];
  // One weight for the whole stack: a single product instead of a stack of products and its sum.
  const rows = (value: Value): Value => b.op("Flatten", [value], { axis: leftRank - 1 });
  return [dLeft, b.op("Gemm", [rows(left), rows(dy)], { transA: 1 })];
});

const vectorTimesStack = (b: Builder, left: Value, right: Value, dy: Value, rightRank: number): readonly Value[] => {
  const row = b.unsqueeze(dy, [-2]);
  const dLeft = b.squeeze(b.matmul(row, swapLast(b, right, rightRank)), [-2]);
  return [dLeft, b.matmul(b.unsqueeze(left, [-1]), row)];
};

const stackTimesVector = (b: Builder, left: Value, right: Value, dy: Value, leftRank: number): readonly Value[] => {
  const column = b.unsqueeze(dy, [-1]);
  const dRight = b.squeeze(b.matmul(swapLast(b, left, leftRank), column), [-1]);
  return [b.matmul(column, b.unsqueeze(right, [0])), dRight];
};

const swapLast = (b: Builder, value: Value, rank: number): Value => {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
  return b.transpose(value, perm);
};

const rankOf = (node: Node, value: Value): number => {
  if (!value.shape) throw ruleDoesNotFit(node, `the rank of "${value.name}" is not known`);
  return value.shape.length;
};
