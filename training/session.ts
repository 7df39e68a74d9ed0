import type { Graph } from "../graph/graph.ts";
import { blockConvolutions, blockSize } from "../runtime/blocked-convolutions.ts";
import { openSession, type Session, type SessionOptions } from "../runtime/session.ts";

/**
 * A session for a graph of `buildStep` or `buildAccumulation`; lowers `graph` to the convolution kernels of this machine.
 * Threads sleep between ops: on a free machine spinning makes a step 5–10% faster, on a shared one it makes it up to a third slower.
 * Without the memory pattern a step takes as long and 15% less memory.
 * Q/DQ pairs are computed as written: their gradient is that of rounding floats, not of integer kernels.
 */
export const openTraining = async (graph: Graph, threads: number, options: SessionOptions = {}): Promise<Session> => {
  const block = await blockSize();
  if (block !== undefined) blockConvolutions(graph, block);
  return openSession(graph, {
    threads, memoryPattern: false, ...options,
    extra: { "session.intra_op.allow_spinning": "0", "session.use_deterministic_compute": "1", "session.disable_quant_qdq": "1", ...options.extra },
  });
};
