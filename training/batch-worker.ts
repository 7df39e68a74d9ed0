/* Entry of the worker threads of workers.ts: opens the batch module and answers one request after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { setMemoryBudget } from "../graph/budget.ts";
import type { Batch } from "./batches.ts";
import type { OpenBatches, Reply, Request, WireError, WireTensor, WorkerInit } from "./workers.ts";

const main = parentPort!;
const reply = (message: Reply, transfer: ArrayBuffer[] = []): void => main.postMessage(message, transfer);

/** The batch's tensors and the buffers that move with them; a tensor that shares its buffer with other data is copied. */
const toWire = (batch: Batch): { readonly tensors: Record<string, WireTensor>; readonly buffers: ArrayBuffer[] } => {
  const buffers = new Set<ArrayBuffer>();
  const tensors = Object.fromEntries(Object.entries(batch).map(([name, { dtype, shape, bytes }]) => {
    const whole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength && !buffers.has(bytes.buffer);
    const own = whole ? bytes : Uint8Array.from(bytes);
    buffers.add(own.buffer as ArrayBuffer);
    return [name, { dtype, shape, bytes: own }];
  }));
  return { tensors, buffers: [...buffers] };
};

const toWireError = (error: unknown): WireError => {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, code: undefined, nextStep: undefined };
  const text = (name: string): string | undefined => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === "string" ? value : undefined;
  };
  return { message: error.message, stack: error.stack, code: text("code"), nextStep: text("nextStep") };
};

const fail = (error: unknown): void => reply({ kind: "failed", error: toWireError(error) });

try {
  const { moduleUrl, spec, memoryBudgetBytes } = workerData as WorkerInit;
  setMemoryBudget(memoryBudgetBytes);
  const { openBatches } = (await import(moduleUrl)) as { readonly openBatches: OpenBatches };
  const opened = await openBatches(spec);
  let turn = Promise.resolve();
  const answer = async ({ sequence, epoch, index }: Request): Promise<void> => {
    const { tensors, buffers } = toWire(await opened.batch(epoch, index));
    reply({ kind: "batch", sequence, tensors }, buffers);
  };
  main.on("message", (request: Request) => { turn = turn.then(() => answer(request)).catch(fail); });
  reply({ kind: "opened", batchesPerEpoch: opened.batchesPerEpoch });
} catch (error) {
  fail(error);
}
