import type { Graph } from "../../graph/graph.ts";
import type { ModelCost } from "../../graph/macs.ts";
import type { Node, Value } from "../../graph/node.ts";
import { carriesWeight, learnedSlots, weightAxesOf } from "../../graph/ops/layers.ts";
import type { AxisRef, Closure } from "./closure.ts";
import type { Unit } from "./groups.ts";
import { contraction } from "./matmul-links.ts";

/** MACs and parameters of the graph as units are taken out and put back; exact, without building the smaller graph. */
export interface CostModel {
  readonly macs: number;
  readonly parameters: number;
  readonly remove: (units: readonly Unit[]) => void;
  readonly restore: (units: readonly Unit[]) => void;
}

/** A product of axis sizes times a constant: the cost of one layer or the size of one weight. */
interface Term {
  readonly full: number;
  readonly axes: readonly AxisRef[];
}

/** `counted` is `countMacs` of the whole graph. */
export const costModel = (graph: Graph, closure: Closure, counted: ModelCost): CostModel => {
  const kept = closure.axes.map(({ size }) => size);
  const value = ({ full, axes }: Term): number => axes.reduce((cost, { id, size }) => (cost * kept[id]!) / size, full);
  const total = (terms: readonly Term[]): number => terms.reduce((sum, term) => sum + value(term), 0);
  const macs = costsByAxis(nodeCosts(graph, counted).map(([node, full]) => ({ full, axes: factors(closure, node) })));
  const parameters = costsByAxis(weightTerms(closure));
  const fixedMacs = counted.macs - total(macs);
  const fixedParameters = counted.parameters - total(parameters);
  const change = (units: readonly Unit[], sign: 1 | -1): void => {
    for (const { atoms } of units) for (const [{ id }, indexes] of atoms) kept[id]! += sign * indexes.length;
  };
  return {
    get macs() { return fixedMacs + total(macs); },
    get parameters() { return fixedParameters + total(parameters); },
    remove: (units) => change(units, -1),
    restore: (units) => change(units, 1),
  };
};

/** The nodes that `perNode` lists, in execution order, with their MACs; names need not be unique. */
const nodeCosts = (graph: Graph, { perNode }: ModelCost): [Node, number][] => {
  const costs: [Node, number][] = [];
  for (const node of graph.sorted()) {
    const next = perNode[costs.length];
    if (next?.name === node.name && next.opType === node.opType) costs.push([node, next.macs]);
  }
  if (costs.length !== perNode.length) throw new Error(`bug: no node for the cost of "${perNode[costs.length]!.name}"`);
  return costs;
};

const costsByAxis = (terms: readonly Term[]): Term[] => terms.filter(({ axes, full }) => axes.length > 0 && full > 0);

/** Axes whose sizes the MACs of `node` are proportional to. */
const factors = ({ find }: Closure, node: Node): AxisRef[] => axesOfMacs(node).flatMap(([value, axis]) => find(value, axis) ?? []);

const axesOfMacs = (node: Node): readonly (readonly [Value, number])[] => {
  switch (node.opType) {
    case "Conv": return [[node.out(), 1], [node.in(1), weightAxesOf(node).input]];
    case "ConvTranspose": return [[node.in(0), 1], [node.in(1), weightAxesOf(node).output]];
    case "Gemm": case "MatMul":
      return [...(node.out().shape ?? []).map((_, axis) => [node.out(), axis] as const), [node.in(0), contraction(node)[0]]];
    default: return [[node.out(), 1]];
  }
};

const weightTerms = ({ axes }: Closure): Term[] => {
  const byWeight = new Map<Value, AxisRef[]>();
  for (const at of axes) if (isParameter(at.value)) byWeight.set(at.value, [...(byWeight.get(at.value) ?? []), at]);
  return [...byWeight].map(([value, refs]) => ({ full: value.constant!.size, axes: refs }));
};

/** Learned numbers as `countMacs` counts them: not the statistics of a BatchNormalization, nor constants of the arithmetic. */
const isParameter = ({ constant, uses }: Value): boolean =>
  constant !== undefined && [...uses].some(({ node, slot }) => (carriesWeight(node) ? slot === 0 : learnedSlots(node).includes(slot)));
