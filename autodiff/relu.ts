import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { indicator, unary, type GradientRule } from "./rule.ts";

/** 1 where x > 0, else 0. For float32 one vectorised pass: HardSigmoid so steep that every positive normal number gives 1 (Sign and Where are slower). */
const step = (b: Builder, x: Value): Value =>
  x.dtype === "float32" ? b.op("HardSigmoid", [x], { alpha: 3e38, beta: 0 }) : indicator(b, b.greater(x, 0), x);

/** y' = 1 where y > 0, else 0. */
export const reluGradient: GradientRule = unary((b, _x, y) => step(b, y));

/** y' = 1 where x > 0, else alpha. */
export const leakyReluGradient: GradientRule = unary((b, x, _y, node) => {
  const alpha = node.float("alpha", 0.01);
  return alpha >= 0 && alpha <= 1 ? b.max(step(b, x), alpha) : b.add(b.mul(step(b, x), 1 - alpha), alpha);
});
