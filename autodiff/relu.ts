import { unary, type GradientRule } from "./rule.ts";

/** y' = 1 where y > 0, else 0: the sign of y. */
export const reluGradient: GradientRule = unary((b, _x, y) => b.op("Sign", [y]));
