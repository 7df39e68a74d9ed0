import { single, type GradientRule } from "./rule.ts";

/** dx = y·(dy − Σ dy·y) along the axis. */
export const softmaxGradient: GradientRule = single((b, node, dy) => {
  const y = node.out();
  const inner = b.mul(dy, y);
  return [b.sub(inner, b.mul(y, b.sum(inner, [node.int("axis", -1)])))];
});

/** dx = dy − softmax(x)·Σ dy along the axis. */
export const logSoftmaxGradient: GradientRule = single((b, node, dy) =>
  [b.sub(dy, b.mul(b.exp(node.out()), b.sum(dy, [node.int("axis", -1)])))]);
