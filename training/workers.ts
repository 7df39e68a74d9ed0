import { Worker } from "node:worker_threads";
import { memoryBudget } from "../graph/budget.ts";
import { UserError } from "../graph/error.ts";
import { Tensor, type DataType } from "../graph/tensor.ts";
import type { Batch, BatchFeed, BatchSource } from "./batches.ts";

/** What a batch module exports as `openBatches(spec)`; it runs in a worker thread. The tensors of a batch are given away: never keep or repeat one. */
export interface OpenedBatches {
  readonly batchesPerEpoch: number;
  /** A pure function of epoch and index, both from 0. */
  batch(epoch: number, index: number): Batch | Promise<Batch>;
}
export type OpenBatches = (spec: unknown) => OpenedBatches | Promise<OpenedBatches>;

export interface WorkerOptions {
  /** Threads that prepare batches; 1 when absent. */
  readonly workers?: number;
  /** Batches prepared ahead; two per worker, at least 3, when absent. */
  readonly prefetch?: number;
}

/** Messages of training/batch-worker.ts. */
export interface WireTensor { readonly dtype: DataType; readonly shape: readonly number[]; readonly bytes: Uint8Array }
export interface WireError { readonly message: string; readonly stack: string | undefined; readonly code: string | undefined; readonly nextStep: string | undefined }
export type Reply =
  | { readonly kind: "opened"; readonly batchesPerEpoch: number }
  | { readonly kind: "batch"; readonly sequence: number; readonly tensors: Readonly<Record<string, WireTensor>> }
  | { readonly kind: "failed"; readonly error: WireError };
export interface Request { readonly sequence: number; readonly epoch: number; readonly index: number }
export interface WorkerInit {
  readonly moduleUrl: string;
  readonly spec: unknown;
  /** That of this process (graph/budget.ts). */
  readonly memoryBudgetBytes: number;
}

/**
 * Batches prepared in worker threads ahead of the step and handed over without a copy.
 * `moduleUrl` (see moduleBeside) is a module that exports `openBatches` (OpenBatches); `spec` must survive structured clone and JSON.
 */
export const workerSource = (moduleUrl: string | URL, spec: unknown, options: WorkerOptions = {}): BatchSource => ({
  identity: spec,
  open: (epochs) => openWorkers({ moduleUrl: String(moduleUrl), spec, memoryBudgetBytes: memoryBudget() }, epochs, options),
});

interface Pending { readonly promise: Promise<Batch>; resolve(batch: Batch): void; reject(error: Error): void }

const openWorkers = async (init: WorkerInit, epochs: number, options: WorkerOptions): Promise<BatchFeed> => {
  const workers = Array.from({ length: Math.max(1, options.workers ?? 1) }, () => startWorker(init));
  const pending = new Map<number, Pending>();
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    for (const entry of pending.values()) entry.reject(failure);
  };
  const close = async (): Promise<void> => { await Promise.all(workers.map((worker) => worker.terminate())); };

  const opened = workers.map((worker) => new Promise<number>((resolve, reject) => {
    const stop = (error: Error): void => { reject(error); fail(error); };
    worker.on("message", (reply: Reply) => {
      if (reply.kind === "opened") resolve(reply.batchesPerEpoch);
      else if (reply.kind === "failed") stop(revive(reply.error));
      else pending.get(reply.sequence)?.resolve(toBatch(reply.tensors));
    });
    worker.on("error", (error: unknown) => stop(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", (code) => stop(new Error(`bug: a data worker ended early (exit code ${code})`)));
  }));
  const counts = await Promise.all(opened).catch(async (error: unknown) => { await close(); throw error; });
  const batchesPerEpoch = counts[0]!;

  const prefetch = options.prefetch ?? Math.max(3, 2 * workers.length);
  const last = epochs * batchesPerEpoch;
  const request = (sequence: number): Pending => {
    const known = pending.get(sequence);
    if (known) return known;
    const entry = newPending();
    pending.set(sequence, entry);
    if (failure) entry.reject(failure);
    else workers[sequence % workers.length]!.postMessage({ sequence, epoch: Math.floor(sequence / batchesPerEpoch), index: sequence % batchesPerEpoch } satisfies Request);
    return entry;
  };
  return {
    batchesPerEpoch,
    batch: async (epoch, index) => {
      const sequence = epoch * batchesPerEpoch + index;
      const wanted = request(sequence);
      for (let ahead = sequence + 1; ahead <= Math.min(sequence + prefetch, last - 1); ahead++) request(ahead);
      const batch = await wanted.promise;
      pending.delete(sequence);
      return batch;
    },
    close,
  };
};

const newPending = (): Pending => {
  let settle: Pick<Pending, "resolve" | "reject"> | undefined;
  const promise = new Promise<Batch>((resolve, reject) => { settle = { resolve, reject }; });
  promise.catch(() => undefined); // whoever awaits it gets the error; a batch that nobody asks for any more may fail in silence
  return { promise, ...settle! };
};

/** URL of the module `name` (without extension, e.g. "./batches") beside `from`, an import.meta.url: .ts in a checkout, .js in the built package. */
export const moduleBeside = (from: string, name: string): URL => new URL(`${name}.${from.endsWith(".ts") ? "ts" : "js"}`, from);

/** Node's workers do not inherit the TypeScript loader, so in a checkout the worker registers it itself. */
const startWorker = (init: WorkerInit): Worker => {
  const entry = moduleBeside(import.meta.url, "./batch-worker");
  if (entry.href.endsWith(".js")) return new Worker(entry, { workerData: init });
  const [loader, main] = [import.meta.resolve("tsx/esm/api"), entry.href].map((url) => JSON.stringify(url));
  return new Worker(`import(${loader}).then(({ register }) => { register(); return import(${main}); });`, { eval: true, workerData: init });
};

const toBatch = (tensors: Readonly<Record<string, WireTensor>>): Batch =>
  Object.fromEntries(Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => [name, new Tensor(dtype, shape, bytes)]));

const revive = ({ message, stack, code, nextStep }: WireError): Error => {
  const error = code !== undefined && nextStep !== undefined ? new UserError(code, message, nextStep) : new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
};
