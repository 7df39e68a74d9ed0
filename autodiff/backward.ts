import type { Builder } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { readValues } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { fusedRules } from "./fused.ts";
import { isStandard, ruleOf } from "./lookup.ts";
import { filledLike, isFloating } from "./rule.ts";
import { sumTo } from "./sum-to.ts";

export interface BackwardOptions {
  /** What to give for a `wrt` that the loss does not depend on: an error (default) or zeros. */
  readonly unreached?: "error" | "zeros";
}

/**
 * Adds the nodes that compute d(loss)/d(value) for each of `wrt` to `b.graph` and returns them by value, each with the value's shape.
 * A loss that is not scalar is summed. Reverse mode: only nodes between `wrt` and `loss` are visited; nodes that no gradient needs are removed again.
 * Throws NO_GRADIENT for a node without a rule and NOT_REACHED for a `wrt` that the loss does not depend on.
 */
export const backward = (b: Builder, loss: Value, wrt: readonly Value[], options: BackwardOptions = {}): Map<Value, Value> => {
  const before = new Set(b.graph.nodes);
  const between = nodesBetween(b.graph, wrt, loss);
  const reached = new Set<Value>([...wrt, ...between.flatMap((node) => node.outputs)]);
  const gradients = new Map<Value, Value>([[loss, filledLike(b, loss, 1)]]);
  const accumulate = (value: Value, part: Value): void => {
    if (!reached.has(value) || !isFloating(value)) return;
    const sized = sumTo(b, part, value);
    const sum = gradients.get(value);
    gradients.set(value, sum ? b.add(sum, sized) : sized);
  };
  for (const node of between.reverse()) {
    const dOutputs = node.outputs.map((output) => (isFloating(output) ? gradients.get(output) ?? null : null));
    if (dOutputs.every((dOutput) => dOutput === null)) continue;
    for (const [value, part] of partsOf(b, node, dOutputs)) accumulate(value, part);
  }
  const result = new Map(wrt.map((value) => [value, gradients.get(value) ?? unreached(b, value, loss, options)]));
  removeUnneeded(b.graph, before, [...result.values()]);
  return result;
};

/** Nodes on a path from one of `wrt` to `loss`, in execution order. */
export const nodesBetween = (graph: Graph, wrt: readonly Value[], loss: Value): Node[] => {
  const order = graph.sorted();
  const dependent = new Set<Value>(wrt);
  const forward = order.filter((node) => {
    if (!readValues(node).some((value) => dependent.has(value))) return false;
    for (const output of node.outputs) dependent.add(output);
    return true;
  });
  const needed = new Set<Value>([loss]);
  return forward.reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const value of readValues(node)) needed.add(value);
    return true;
  }).reverse();
};

const partsOf = (b: Builder, node: Node, dOutputs: readonly (Value | null)[]): readonly (readonly [Value, Value])[] => {
  const fused = isStandard(node) && Object.hasOwn(fusedRules, node.opType) ? fusedRules[node.opType as keyof typeof fusedRules](b, node, dOutputs) : undefined;
  if (fused) return fused;
  const rule = ruleOf(node);
  if (!rule) throw noGradient(node);
  return rule(b, node, dOutputs).flatMap((part, slot): [Value, Value][] => {
    const input = node.inputs[slot];
    return part && input ? [[input, part]] : [];
  });
};

const unreached = (b: Builder, value: Value, loss: Value, { unreached = "error" }: BackwardOptions): Value => {
  if (unreached === "error") throw notReached(value, loss);
  return filledLike(b, value);
};

const removeUnneeded = (graph: Graph, before: ReadonlySet<Node>, results: readonly Value[]): void => {
  const keep = new Set(results);
  for (const node of [...graph.nodes].reverse()) {
    if (before.has(node)) continue;
    if (node.outputs.every((output) => output.uses.size === 0 && !keep.has(output))) graph.removeNode(node);
  }
};

const noGradient = ({ name, opType }: Node): UserError =>
  new UserError("NO_GRADIENT", `Cannot train through node "${name}": ${opType} has no gradient rule.`,
    `train only weights behind it (grad: name them with --wrt), or export the model with other ops than ${opType}.`);

const notReached = (value: Value, loss: Value): UserError =>
  new UserError("NOT_REACHED", `"${loss.name}" does not depend on "${value.name}", so there is nothing to train there.`,
    `leave "${value.name}" out, or check that it feeds the loss through differentiable nodes.`);
