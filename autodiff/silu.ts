import type { FusedRule } from "./rule.ts";

/** y = x·s with s = sigmoid(x), as exporters write SiLU (Hendrycks and Gimpel 2016): dx = dy · s·(1 + x − y): four passes over memory. */
export const siluGradient: FusedRule = (b, node, [dy]) => {
  const [first, second] = node.inputs;
  const gate = [first, second].find((value) => value?.producer?.opType === "Sigmoid");
  const x = gate === first ? second : first;
  if (!dy || !gate || !x || gate.producer?.in(0) !== x) return undefined;
  return [[x, b.mul(dy, b.mul(gate, b.sub(b.add(x, 1), node.out())))]];
};
