import type { Graph } from "../graph/graph.ts";
import { upgradeOpset } from "../rewrite/opset.ts";
import { constantsToInitializers } from "../rewrite/constants.ts";

/** A copy that can be edited and differentiated: opset 17 or later, constants as initializers. */
export const prepareGraph = (graph: Graph): Graph => constantsToInitializers(upgradeOpset(graph, 17).graph).graph;
