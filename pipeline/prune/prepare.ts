import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/shapes.ts";

/**
 * A copy with all shapes that can be inferred, in which no two layers share a bias or another vector: exporters merge equal ones,
 * which would tie channels that have nothing in common. Throws UserError PRUNE_OPSET.
 */
export const preparedGraph = (input: Graph): Graph => {
  if (input.opset < 13) throw oldOpset(input);
  const graph = input.clone();
  for (const value of graph.initializers) {
    if (value.tensor!.shape.length > 1) continue;
    for (const { node, slot } of [...value.uses].slice(1)) node.replaceInput(slot, graph.addInitializer(value.name, value.tensor!));
  }
  inferShapes(graph);
  return graph;
};

const oldOpset = ({ name, opset }: Graph) =>
  new UserError("PRUNE_OPSET", `"${name}" is of opset ${opset}; pruning reads opset 13 and newer.`, "upgrade the model first (compress and prune do it by themselves).");
