import type { Graph } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { forgetDescriptions } from "../../onnx/beyond.ts";
import { castLikeToCast, foldShapeArithmetic } from "../../rewrite/constants.ts";
import { inlineDecidedIfs } from "../../rewrite/inline-if.ts";
import { toOpset } from "../../rewrite/opset.ts";
import { sequence } from "../../rewrite/rule.ts";
import { plainShapeOperands } from "../../rewrite/shape-operands.ts";
import { removeSequences } from "../../rewrite/sequences.ts";

/** Axes of Split, Squeeze, Softmax and the like mean the same from here on. */
const oldestOpset = 13;

/**
 * A copy of opset 13 or newer with all shapes that can be inferred and the shape arithmetic done, in which no two layers share a bias or another
 * vector: exporters merge equal ones, which would tie channels that have nothing in common. Throws what `upgradeOpset` throws.
 */
export const preparedGraph = (input: Graph): Graph => {
  const { graph } = sequence("plain", [
    ...(input.opset < oldestOpset ? [toOpset(17)] : []), inlineDecidedIfs, removeSequences, castLikeToCast, foldShapeArithmetic, plainShapeOperands,
  ])(input);
  for (const value of graph.initializers) {
    if (value.tensor!.shape.length > 1) continue;
    for (const { node, slot } of [...value.uses].slice(1)) node.replaceInput(slot, graph.addInitializer(graph.freshName(`${value.name}/copy`), value.tensor!));
  }
  forgetDescriptions(graph);
  inferShapes(graph);
  return graph;
};
