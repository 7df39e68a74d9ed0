import type { FusedRule } from "./fused.ts";

/** y = x·s with s = sigmoid(x), as exporters write SiLU (Hendrycks and Gimpel 2016): dx = dy · (s + y·(1 − s)). */
export const siluGradient: FusedRule = (b, node, [dy]) => {
  const [first, second] = node.inputs;
  const gate = [first, second].find((value) => value?.producer?.opType === "Sigmoid");
  const x = gate === first ? second : first;
  if (!dy || !gate || !x || gate.producer?.in(0) !== x) return undefined;
  return [[x, b.mul(dy, b.add(gate, b.mul(node.out(), b.sub(1, gate))))]];
};
