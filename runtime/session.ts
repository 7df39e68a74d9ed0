import { UserError } from "../graph/error.ts";
import { Graph } from "../graph/graph.ts";
import { checkLoops } from "../graph/loops.ts";
import { loadModel, parseModel } from "../onnx/load.ts";
import { serializeModel } from "../onnx/save.ts";
import type { Tensor } from "../graph/tensor.ts";
import { hasLoops, openFileSession, type Feeds, type Session, type SessionOptions } from "./file-session.ts";

export type { Feeds, Port, Session, SessionOptions } from "./file-session.ts";

/**
 * Opens a graph, an .onnx path or serialized bytes on the CPU provider. Throws UserError SESSION when the runtime refuses the model, ENDLESS_LOOP when its graph
 * says that it does not end. The runtime is native code in this process: see docs/isolation.md for what that means for a model of unknown origin.
 */
export const openSession = async (model: Graph | string | Uint8Array, options: SessionOptions = {}): Promise<Session> => {
  if (!(model instanceof Graph)) {
    const graph = (await hasLoops(model)) ? await readable(model) : undefined;
    if (graph) checkLoops(graph);
    return openFileSession(model, options);
  }
  checkLoops(model);
  return openFileSession(serializeModel(model), options, model.origin || `graph "${model.name}"`);
};

/** The graph of a file; undefined where we cannot read it: the runtime may be able to, or says why not. */
const readable = async (model: string | Uint8Array): Promise<Graph | undefined> => {
  try {
    return (typeof model === "string" ? await loadModel(model) : parseModel(model)).graph;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
};

/** Opens, runs once and closes. */
export const runOnce = async (model: Graph | string | Uint8Array, feeds: Feeds, options: SessionOptions = {}): Promise<Record<string, Tensor>> => {
  const session = await openSession(model, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
};
