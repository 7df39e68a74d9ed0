import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { activationInputs, cpuRole, isLayer } from "./ops.ts";

/** Layers that only the TensorRT file quantizes; `cpuRole` covers the others. */
const tensorrtLayers: ReadonlySet<string> = new Set(["ConvTranspose", "Gemm"]);

/** Every activation whose range an emitter may ask for: what layers and ops of the int8 path outside the float set read and write. */
export const observedValues = (graph: Graph, floatNodes: ReadonlySet<string>): Value[] => {
  const found = new Set<Value>();
  for (const node of graph.sorted()) {
    if (floatNodes.has(node.name) || (!cpuRole(node) && !isLayer(node, tensorrtLayers))) continue;
    for (const value of [...activationInputs(node), ...node.outputs]) {
      if (!value.constant && value.name !== "" && (value.dtype ?? "float32") === "float32") found.add(value);
    }
  }
  return [...found];
};
