import type { Graph } from "../graph/graph.ts";
import { keepingTypes } from "../graph/keeping-types.ts";
import type { Node, Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { isStandard, ruleOf } from "./lookup.ts";
import { isFloating, stops } from "./rule.ts";
import { isStopGradient } from "./stop-gradient.ts";

export interface Untrainable {
  readonly node: string;
  readonly opType: string;
  readonly reason: string;
}

/** Nodes on float paths from weights or inputs to the outputs that no gradient passes, in execution order, each with the reason. */
export const whatCannotTrain = (graph: Graph): readonly Untrainable[] => keepingTypes(graph, () => {
  inferShapes(graph);
  const sources = [...graph.initializers, ...graph.inputs].filter(isFloating);
  const { obstacles } = followGradients(graph, sources, graph.outputs);
  return graph.sorted().flatMap((node) => {
    const reason = obstacles.get(node);
    return reason === undefined ? [] : [{ node: node.name, opType: node.opType, reason }];
  });
});

/** Float initializers that a gradient of `loss` reaches. */
export const trainableInitializers = (graph: Graph, loss: Value): Value[] => {
  const candidates = graph.initializers.filter(isFloating);
  const { carrying } = followGradients(graph, candidates, [loss]);
  return candidates.filter((value) => carrying.has(value));
};

/** Walks as `backward` would, from `targets` towards `sources`, without building anything. */
const followGradients = (graph: Graph, sources: readonly Value[], targets: readonly Value[]): { carrying: ReadonlySet<Value>; obstacles: ReadonlyMap<Node, string> } => {
  const order = graph.sorted();
  const dependent = new Set<Value>(sources);
  for (const node of order)
    if (node.inputs.some((input) => input && isFloating(input) && dependent.has(input))) for (const output of node.outputs) dependent.add(output);
  const carrying = new Set<Value>(targets.filter(isFloating));
  const obstacles = new Map<Node, string>();
  for (const node of order.reverse()) {
    if (!node.outputs.some((output) => carrying.has(output))) continue;
    const through = node.inputs.filter((input, slot): input is Value => input !== null && carries(node, input, slot) && dependent.has(input));
    const reason = obstacle(node);
    if (reason === undefined) for (const input of through) carrying.add(input);
    else if (through.length > 0 && reason !== deliberate) obstacles.set(node, reason);
  }
  return { carrying, obstacles };
};

/** Float inputs that a gradient may enter; the second integer of a Q/DQ pair stands for the float before it. */
const carries = (node: Node, input: Value, slot: number): boolean =>
  (isFloating(input) || input.producer?.opType === "QuantizeLinear") && !withoutGradient(node, slot);

const deliberate = "stopped on purpose";

const obstacle = (node: Node): string | undefined => {
  if (!isStandard(node)) return `${node.domain}.${node.opType} is not an ai.onnx operator`;
  if (isStopGradient(node)) return deliberate;
  const rule = ruleOf(node);
  if (!rule) return `${node.opType} has no gradient rule`;
  return rule === stops && !passesInPairs.has(node.opType) ? `the gradient of ${node.opType} is zero or undefined` : undefined;
};

/** Rows that stop by themselves and pass as DequantizeLinear(QuantizeLinear(x)). */
const passesInPairs = new Set(["QuantizeLinear", "DequantizeLinear"]);

/** Float inputs that a rule never gives a gradient: sizes, fill values and running statistics. */
const withoutGradient = ({ opType }: Node, slot: number): boolean => {
  switch (opType) {
    case "Resize": case "Pad": case "Dropout": case "QuantizeLinear": return slot > 0;
    case "BatchNormalization": return slot > 2;
    default: return false;
  }
};
