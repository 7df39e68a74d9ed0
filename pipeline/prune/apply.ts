import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { takeIndexes, Tensor } from "../../graph/tensor.ts";
import type { AxisRef } from "./closure.ts";
import type { Structure, Unit } from "./groups.ts";
import { layerResizers, type KeptAxes } from "./resizers.ts";
import { axisConsumers } from "./consumers.ts";

/** Units to take out of a graph. */
export interface Plan {
  readonly structure: Structure;
  readonly units: readonly Unit[];
}

/** Removed indexes by axis. */
const removedIndexes = (units: readonly Unit[]): Map<AxisRef, Set<number>> => {
  const removed = new Map<AxisRef, Set<number>>();
  for (const { atoms } of units)
    for (const [at, indexes] of atoms) {
      const known = removed.get(at) ?? new Set<number>();
      for (const index of indexes) known.add(index);
      removed.set(at, known);
    }
  return removed;
};

/** A copy of the graph without the channels of the plan: sliced constants, new Split sizes, Slice bounds, target shapes and groups. */
export const prunedGraph = ({ structure, units }: Plan): Graph => {
  const mapping = new Map<Value, Value>();
  const graph = structure.graph.clone(mapping);
  const removed = removedIndexes(units);
  const kept: KeptAxes = new Map();
  for (const [{ value, axis, size }, gone] of removed) {
    const twin = mapping.get(value)!;
    const axes = kept.get(twin) ?? new Map<number, readonly number[]>();
    axes.set(axis, Array.from({ length: size }, (_, index) => index).filter((index) => !gone.has(index)));
    kept.set(twin, axes);
  }
  for (const node of graph.sorted()) layerResizers[node.opType]?.(graph, node, kept);
  for (const [value, axes] of kept) shrink(graph, value, axes);
  dropUnread(graph);
  return graph;
};

/** Old shape constants and the like that nothing reads any more. */
const dropUnread = (graph: Graph): void => {
  const outputs = new Set(graph.outputs);
  for (const node of graph.sorted().reverse())
    if (node.outputs.every((output) => output.uses.size === 0 && !outputs.has(output))) graph.removeNode(node);
};

const shrink = (graph: Graph, value: Value, axes: ReadonlyMap<number, readonly number[]>): void => {
  const { constant } = value;
  if (!constant) { value.shape = value.shape?.map((dim, axis) => axes.get(axis)?.length ?? dim); return; }
  let tensor = constant;
  for (const [axis, indexes] of axes) tensor = takeIndexes(tensor, axis, indexes);
  if (value.producer) graph.replaceAllUses(value, graph.addInitializer(value.name, tensor));
  else { value.tensor = tensor; value.shape = tensor.shape; }
};

/**
 * A copy of the graph that keeps all channels but whose layers do not see the removed ones: their slices of every consumer's weight are zero.
 * Equal to `prunedGraph` in its outputs: the proof that pruning removed what it meant to.
 */
export const maskedGraph = ({ structure, units }: Plan): Graph => {
  const mapping = new Map<Value, Value>();
  const graph = structure.graph.clone(mapping);
  const removed = removedIndexes(units);
  const masked = new Set<AxisRef>();
  for (const node of structure.graph.nodes)
    for (const { value, axis } of axisConsumers(node)) {
      const at = structure.closure.find(value, axis);
      const gone = at && removed.get(at);
      if (!gone || masked.has(at)) continue;
      masked.add(at);
      mask(graph, mapping.get(value)!, axis, at.size, gone);
    }
  return graph;
};

const mask = (graph: Graph, value: Value, axis: number, size: number, gone: ReadonlySet<number>): void => {
  const { constant } = value;
  const ones = Array.from({ length: size }, (_, index) => Number(!gone.has(index)));
  if (constant?.dtype === "float32") {
    const stride = constant.shape.slice(axis + 1).reduce((n, dim) => n * dim, 1);
    const tensor = Tensor.float32(constant.shape, constant.floats.map((w, index) => w * ones[Math.floor(index / stride) % size]!));
    if (value.producer) graph.replaceAllUses(value, graph.addInitializer(value.name, tensor));
    else value.tensor = tensor;
    return;
  }
  const shape = value.shape!.map((_, at) => (at === axis ? size : 1));
  const factor = graph.addInitializer(graph.freshName(`${value.name}/mask`), Tensor.from(value.dtype ?? "float32", shape, ones));
  const node: Node = graph.addNode({ opType: "Mul", name: graph.freshName("mask"), inputs: [value, factor], outputs: [graph.freshName(`${value.name}/masked`)] });
  node.out().shape = value.shape;
  node.out().dtype = value.dtype;
  graph.replaceAllUses(value, node.out(), node);
};
