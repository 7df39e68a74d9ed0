import { removeDead } from "../graph/dead.ts";
import type { Pass } from "./rule.ts";

/** Removes nodes whose outputs nobody needs. */
export const removeDeadNodes: Pass = (input) => {
  const graph = input.clone();
  removeDead(graph);
  return { graph, report: { pass: "remove-dead-nodes", applied: [], refused: [], nodes: [input.nodes.size, graph.nodes.size] } };
};
