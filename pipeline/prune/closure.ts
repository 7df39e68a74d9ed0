import { disjointSets } from "../../graph/disjoint-sets.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { axisRule } from "./axis-links.ts";
import { isWeight, rankOf, sizeOf, type Port } from "./link.ts";

/** One axis that the closure came to; its indexes are the atoms `first … first + size - 1`. */
export interface AxisRef {
  readonly id: number;
  readonly value: Value;
  readonly axis: number;
  readonly size: number;
  readonly first: number;
}

/** An axis that must stay whole, and what demands it. `node` is undefined for the inputs and outputs of the graph. */
export interface Block {
  readonly node: Node | undefined;
  readonly name: string;
  readonly opType: string;
  readonly reason: string;
  readonly at: AxisRef;
}

/** A layer whose output channels may be removed: Conv, ConvTranspose, Gemm, MatMul with a weight. */
export interface Seed {
  readonly node: Node;
  readonly at: AxisRef;
}

/** All axes that channels of the layers reach, and which of their indexes stand or fall together. */
export interface Closure {
  readonly axes: readonly AxisRef[];
  readonly seeds: readonly Seed[];
  /** Layers whose number of channels no shape tells. */
  readonly unknown: readonly Node[];
  readonly blocks: readonly Block[];
  readonly find: (value: Value, axis: number) => AxisRef | undefined;
  /** Representative of the atom's unit. */
  readonly unitOf: (atom: number) => number;
}

/** Follows the axis links from the output channels of every layer: a worklist over axes, a union-find over their indexes. */
export const closeAxes = (graph: Graph): Closure => {
  const sets = disjointSets();
  const axes: AxisRef[] = [];
  const blocks: Block[] = [];
  const known = new Map<Value, (AxisRef | undefined)[]>();
  const find = (value: Value, axis: number): AxisRef | undefined => known.get(value)?.[axis];
  const reach = (value: Value, axis: number): AxisRef | undefined => {
    const found = find(value, axis);
    const size = sizeOf(value, axis);
    if (found || !Number.isInteger(size)) return found;
    const ref: AxisRef = { id: axes.length, value, axis, size, first: sets.grow(size) };
    axes.push(ref);
    const ofValue = known.get(value) ?? [];
    ofValue[axis] = ref;
    known.set(value, ofValue);
    return ref;
  };

  const follow = (at: AxisRef, node: Node, port: Port): void => {
    const block = (reason: string): void => { blocks.push({ node, name: node.name || node.out().name, opType: node.opType, reason, at }); };
    if (!graph.nodes.has(node)) return block("it is inside a subgraph");
    const rule = axisRule(node);
    if (!rule) return block(`${node.opType} has no row in the table of axis links`);
    const links = rule(node, port, (value, axis) => find(value, axis) !== undefined);
    if ("blocked" in links) return block(links.blocked);
    for (const { value, axis, map } of links) {
      const to = reach(value, axis);
      if (!to) { block(`the size of axis ${axis} of "${value.name}" is unknown`); continue; }
      for (let index = 0; index < at.size; index++)
        for (const other of map(index)) {
          if (!(other >= 0 && other < to.size)) throw new Error(`bug: ${node.opType} "${node.name}" links index ${index} of "${at.value.name}" to ${other} of "${value.name}"`);
          sets.union(at.first + index, to.first + other);
        }
    }
  };

  const seeds: Seed[] = [];
  const unknown: Node[] = [];
  for (const { node, axis } of seedsOf(graph)) {
    const at = reach(node.out(), axis);
    if (at) seeds.push({ node, at });
    else unknown.push(node);
  }
  const isInput = new Set(graph.inputs);
  const isOutput = new Set(graph.outputs);
  for (const at of axes) { // grows while it is walked
    const { value, axis } = at;
    const name = value.name;
    if (isOutput.has(value)) blocks.push({ node: undefined, name, opType: "output", reason: "it is an output of the model", at });
    if (isInput.has(value)) blocks.push({ node: undefined, name, opType: "input", reason: "it is an input of the model", at });
    else if (!value.producer && !value.tensor) blocks.push({ node: undefined, name, opType: "value", reason: "it comes from an outer graph", at });
    if (value.producer && !value.constant) follow(at, value.producer, { side: "out", index: value.producer.outputs.indexOf(value), axis });
    for (const { node, slot } of value.uses) follow(at, node, { side: "in", index: slot, axis });
  }
  return { axes, seeds, unknown, blocks, find, unitOf: sets.find };
};

const seedsOf = (graph: Graph): { node: Node; axis: number }[] =>
  graph.sorted().flatMap((node) => {
    if (node.domain !== "") return [];
    if ((node.opType === "Conv" || node.opType === "ConvTranspose") && isWeight(node.in(1)) && !isWeight(node.in(0))) return [{ node, axis: 1 }];
    if (node.opType !== "Gemm" && node.opType !== "MatMul") return [];
    const rank = rankOf(node.out());
    if (isWeight(node.in(0)) === isWeight(node.in(1))) return [];
    return [{ node, axis: isWeight(node.in(1)) ? rank - 1 : rank - 2 }];
  });
