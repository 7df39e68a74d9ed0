import type { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Node, Value } from "../graph/node.ts";
import { single, type GradientRule } from "./rule.ts";

/**
 * d(operand i) = Einsum of dy with the other operands onto the labels of i; a label that only i has was summed there, so its part is repeated.
 * Terms with an ellipsis or with a repeated label (diagonals) are refused by name.
 */
export const einsumGradient: GradientRule = single((b, node, dy) => {
  const { terms, result } = parse(node);
  return terms.map((term, index) => {
    const others = terms.flatMap((labels, other) => (other === index ? [] : [{ labels, value: node.in(other) }]));
    const known = new Set([...result, ...others.flatMap(({ labels }) => [...labels])]);
    const reachable = [...term].filter((label) => known.has(label)).join("");
    const equation = `${[result, ...others.map(({ labels }) => labels)].join(",")}->${reachable}`;
    const part = b.op("Einsum", [dy, ...others.map(({ value }) => value)], { equation });
    return reachable === term ? part : repeated(b, part, term, known, node.in(index));
  });
});

const repeated = (b: Builder, part: Value, term: string, known: ReadonlySet<string>, like: Value): Value => {
  const missing = [...term].flatMap((label, axis) => (known.has(label) ? [] : [axis]));
  return b.expandLike(b.unsqueeze(part, missing), like);
};

const parse = (node: Node): { terms: string[]; result: string } => {
  const equation = node.string("equation", "").replaceAll(" ", "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const counts = new Map<string, number>();
  for (const label of terms.join("")) counts.set(label, (counts.get(label) ?? 0) + 1);
  const implicit = [...counts].filter(([, count]) => count === 1).map(([label]) => label).sort().join("");
  if (equation.includes(".") || terms.some((term) => new Set(term).size !== term.length)) throw unsupported(node, equation);
  return { terms, result: right ?? implicit };
};

const unsupported = ({ name }: Node, equation: string): UserError =>
  new UserError("NO_GRADIENT", `Cannot train through node "${name}": the gradient of Einsum "${equation}" is not known.`,
    "export the model with an equation that has no ellipsis and no label twice in one term.");
