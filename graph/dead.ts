import { readValues, subgraphsOf, type Graph } from "./graph.ts";
import type { Value } from "./node.ts";

/** Removes every node that no graph output needs; returns how many. Mutates `graph`. */
export const removeDead = (graph: Graph): number => {
  const order = graph.sorted();
  const needed = new Set<Value>(graph.outputs);
  const dead = order.reverse().filter((node) => {
    const alive = node.outputs.some((output) => needed.has(output));
    if (alive) for (const value of readValues(node)) needed.add(value);
    return !alive;
  });
  for (const node of dead) {
    for (const body of subgraphsOf(node)) for (const inner of body.nodes) inner.disconnect();
    graph.removeNode(node);
  }
  return dead.length;
};
