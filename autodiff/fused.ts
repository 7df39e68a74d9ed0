import type { FusedRule } from "./rule.ts";
import { fakeQuantizeGradient } from "./quantization.ts";
import { siluGradient } from "./silu.ts";

export const fusedRules = {
  Mul: siluGradient,
  DequantizeLinear: fakeQuantizeGradient,
} satisfies Partial<Record<string, FusedRule>>;
