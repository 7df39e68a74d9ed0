import type { Graph } from "../graph/graph.ts";
import { blockConvolutions, blockSize } from "../runtime/blocked-convolutions.ts";
import { openSession, type Session, type SessionOptions } from "../runtime/session.ts";

/**
 * A session for a graph of `buildStep` or `buildAccumulation`; lowers `graph` to the convolution kernels of this machine.
 * Threads wait for the next op awake for as long as the gap between two ops of a step (8% faster on a free machine) and then sleep: on a shared machine, spinning without
 * end makes a step up to a third slower.
 * Without the memory pattern a step takes as long and 15% less memory.
 * Q/DQ pairs are computed as written: their gradient is that of rounding floats, not of integer kernels.
 */
export const openTraining = async (graph: Graph, threads: number, options: SessionOptions = {}): Promise<Session> => {
  const block = await blockSize();
  if (block !== undefined) blockConvolutions(graph, block);
  return openSession(graph, {
    threads, memoryPattern: false, ...options,
    extra: { "session.intra_op.allow_spinning": "1", "session.intra_op.spin_duration_us": "50", "session.use_deterministic_compute": "1", "session.disable_quant_qdq": "1", ...options.extra },
  });
};
