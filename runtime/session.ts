import { Graph } from "../graph/graph.ts";
import { serializeModel } from "../onnx/save.ts";
import type { Tensor } from "../graph/tensor.ts";
import { openFileSession, type Feeds, type Session, type SessionOptions } from "./file-session.ts";

export type { Feeds, Port, Session, SessionOptions } from "./file-session.ts";

/** Opens a graph, an .onnx path or serialized bytes on the CPU provider. Throws UserError SESSION when the runtime refuses the model. */
export const openSession = async (model: Graph | string | Uint8Array, options: SessionOptions = {}): Promise<Session> =>
  openFileSession(model instanceof Graph ? serializeModel(model) : model, options);

/** Opens, runs once and closes. */
export const runOnce = async (model: Graph | string | Uint8Array, feeds: Feeds, options: SessionOptions = {}): Promise<Record<string, Tensor>> => {
  const session = await openSession(model, options);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
};
