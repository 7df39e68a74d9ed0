import type { Graph } from "../graph/graph.ts";
import { upgradeOpset } from "../rewrite/opset.ts";
import { constantsToInitializers } from "../rewrite/constants.ts";
import { singlePrecision } from "../rewrite/single-precision.ts";

/** A copy that can be edited and differentiated: opset 17 or later, constants as initializers, float32 where it was float16. */
export const prepareGraph = (graph: Graph): Graph => singlePrecision(constantsToInitializers(upgradeOpset(graph, 17).graph).graph).graph;
