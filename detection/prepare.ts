import type { Graph } from "../graph/graph.ts";
import { forgetDescriptions } from "../onnx/beyond.ts";
import { castLikeToCast, constantsToInitializers } from "../rewrite/constants.ts";
import { inlineDecidedIfs } from "../rewrite/inline-if.ts";
import { upgradeOpset } from "../rewrite/opset.ts";
import { sequence } from "../rewrite/rule.ts";
import { removeSequences } from "../rewrite/sequences.ts";
import { singlePrecision } from "../rewrite/single-precision.ts";

const editable = sequence("editable", [
  (graph) => upgradeOpset(graph, 17), constantsToInitializers, inlineDecidedIfs, removeSequences, castLikeToCast, singlePrecision,
]);

/** A copy that can be edited and differentiated: opset 17 or later, constants as initializers, exporters' forms made plain, float32 where it was float16. */
export const prepareGraph = (input: Graph): Graph => {
  const { graph } = editable(input);
  forgetDescriptions(graph);
  return graph;
};
