import type { Graph } from "../graph/graph.ts";
import { forgetDescriptions } from "../onnx/beyond.ts";
import { castLikeToCast, constantsToInitializers, inferTypes } from "../rewrite/constants.ts";
import { inlineDecidedIfs } from "../rewrite/inline-if.ts";
import { toOpset } from "../rewrite/opset.ts";
import { sequence } from "../rewrite/rule.ts";
import { removeSequences } from "../rewrite/sequences.ts";
import { singlePrecision } from "../rewrite/single-precision.ts";

const editable = sequence("editable", [
  toOpset(17), constantsToInitializers, inlineDecidedIfs, removeSequences, castLikeToCast, inferTypes, singlePrecision,
]);

/** A copy that can be edited and differentiated: opset 17 or later, constants as initializers, exporters' forms made plain, float32 where it was float16. */
export const prepareGraph = (input: Graph): Graph => {
  const { graph } = editable(input);
  forgetDescriptions(graph);
  return graph;
};
