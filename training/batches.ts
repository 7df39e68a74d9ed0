import type { Tensor } from "../graph/tensor.ts";

/** Feeds of one step, by input name of the problem's graph. */
export type Batch = Readonly<Record<string, Tensor>>;

/** Prepared batches. `batch` is a pure function of (epoch, index), so a resumed run sees the data of one that was never stopped. */
export interface BatchFeed {
  readonly batchesPerEpoch: number;
  /** Epoch and index from 0. Calls come in order; the tensors belong to the caller. */
  batch(epoch: number, index: number): Promise<Batch>;
  close(): Promise<void>;
}

export interface BatchSource {
  /** What tells this data from other data, for the check of checkpoints; must survive JSON. */
  readonly identity: unknown;
  /** `epochs`: how many will be asked for, so that nothing is prepared beyond. */
  open(epochs: number): Promise<BatchFeed>;
}

/** Batches made on this thread, e.g. from memory. `identity` as in BatchSource. */
export const inProcessSource = (batchesPerEpoch: number, batch: (epoch: number, index: number) => Batch | Promise<Batch>, identity: unknown = null): BatchSource => ({
  identity,
  open: () => Promise.resolve({ batchesPerEpoch, batch: async (epoch, index) => batch(epoch, index), close: () => Promise.resolve() }),
});
