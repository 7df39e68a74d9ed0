import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { fakeQuantizeGradient } from "./quantization.ts";
import { siluGradient } from "./silu.ts";

/**
 * A rule of several nodes seen from the last of them: pairs of (value, dL/d(value)) instead of the node's own rule;
 * undefined where the nodes do not form the pattern.
 */
export type FusedRule = (b: Builder, node: Node, dOutputs: readonly (Value | null)[]) => readonly (readonly [Value, Value])[] | undefined;

export const fusedRules = {
  Mul: siluGradient,
  DequantizeLinear: fakeQuantizeGradient,
} satisfies Partial<Record<string, FusedRule>>;
