import { sizedGraph, type Size } from "../../detection/input-size.ts";
import { prepareGraph } from "../../detection/prepare.ts";
import { proveSameOutputs, rewriteDiffers } from "../../detection/same-outputs.ts";
import type { Graph } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { loadModel } from "../../onnx/load.ts";
import { usesHalf } from "../../rewrite/single-precision.ts";

export interface EditableModel {
  readonly graph: Graph;
  /** What was assumed or could not be checked, one line each. */
  readonly notes: readonly string[];
}

/**
 * A model file as a graph that can be edited and differentiated: a fixed picture size, static shapes, opset 17, float32; run once beside the file's own
 * graph. Throws the UserErrors of `loadModel`, `sizedGraph` and `upgradeOpset`, and REWRITE_DIFFERS.
 */
export const openForEditing = async (path: string, size?: Size): Promise<EditableModel> => {
  const loaded = await loadModel(path);
  const sized = await sizedGraph(loaded.graph, { label: path, ...(size && { size }) });
  const graph = prepareGraph(sized.graph);
  inferShapes(graph);
  const given = loaded.graph;
  for (const [index, input] of given.inputs.entries()) input.shape = sized.graph.inputs[index]!.shape;
  const { note } = await proveSameOutputs(given, graph, { label: path, error: rewriteDiffers(path) });
  return { graph, notes: [...loaded.notes, ...sized.notes, ...halfNote(loaded.graph), ...(note === undefined ? [] : [note])] };
};

/** How a float16 model is worked on. */
export const halfNote = (graph: Graph): string[] =>
  usesHalf(graph) ? ["the model computes in float16: its weights are brought to float32 first, and what is written is float32"] : [];
