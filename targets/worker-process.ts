import { execPath as processPath } from "node:process";
import { execa } from "execa";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { memoryBudget } from "../graph/budget.ts";
import { UserError } from "../graph/error.ts";
import { crashWords, whileDoing } from "../runtime/crash.ts";
import { tellNativeWork } from "../runtime/native-work.ts";
import { WorkWatch } from "../runtime/work-watch.ts";
import { workDescriptor, type WorkerReply, type WorkerRequest } from "./protocol.ts";

/** A fresh process that holds one model. */
export interface WorkerProcess {
  ask<Kind extends WorkerReply["kind"]>(request: WorkerRequest, kind: Kind): Promise<Extract<WorkerReply, { readonly kind: Kind }>>;
  close(): Promise<void>;
}

/** Starts targets/local-worker.ts, in a checkout through tsx, in the built package as it is; it has the memory budget of this process. */
export const startWorkerProcess = (label: string, signal?: AbortSignal): WorkerProcess => {
  const inCheckout = import.meta.url.endsWith(".ts");
  const entry = fileURLToPath(new URL(`./local-worker.${inCheckout ? "ts" : "js"}`, import.meta.url));
  const child = execa(processPath, [...(inCheckout ? ["--import", import.meta.resolve("tsx")] : []), entry, String(memoryBudget())], {
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"], buffer: { stdout: false, stderr: true, fd3: false, fd4: false }, reject: false, ...(signal && { cancelSignal: signal }),
  });
  const watch = new WorkWatch(noLimits, () => undefined); // whoever watches this process has the limits: what the worker does is passed on
  let isAsked = false;
  const told = child.stdio[workDescriptor];
  told.setEncoding("utf8").on("error", () => undefined).on("data", (piece: string) => {
    watch.read(piece);
    if (isAsked) tellNativeWork(watch.current);
  });
  const ask = async (request: WorkerRequest): Promise<WorkerReply> => {
    isAsked = true;
    tellNativeWork(watch.current);
    try {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next() as { value: string; done?: boolean };
      if (!done) return JSON.parse(value) as WorkerReply;
      signal?.throwIfAborted();
      const { exitCode, signal: end, stderr } = await child;
      throw workerDied(label, crashWords({ exitCode, signal: end }), whileDoing(watch.current), String(stderr ?? ""));
    } finally {
      isAsked = false;
      tellNativeWork(undefined);
    }
  };
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request, kind) => {
      const reply = await ask(request);
      if (reply.kind === "failed") throw reply.code === "" ? new Error(reply.message) : new UserError(reply.code, `${label}: ${reply.message}`, reply.nextStep);
      if (reply.kind !== kind) throw new Error(`bug: the benchmark process answered ${reply.kind} to ${request.kind}`);
      return reply as Extract<WorkerReply, { readonly kind: typeof kind }>;
    },
    close: async () => {
      watch.stop();
      child.stdin.end();
      await child;
    },
  };
};

const noLimits = { loopSeconds: 0, seconds: 0 };

const workerDied = (label: string, crash: string | undefined, doing: string, stderr: string): UserError =>
  crash === undefined
    ? new UserError("BENCHMARK_DIED", `The process that measured ${label} ended early${stderr === "" ? "" : `: ${stderr.trim().split("\n").slice(-3).join(" ")}`}.`, nextStep)
    : new UserError("BENCHMARK_DIED", `The process that measured ${label} crashed ${doing} (${crash}).`, nextStep);

const nextStep = "check the free memory and where the model comes from; `edgestill bench <model.onnx>` measures this model alone.";
