import { execPath as processPath } from "node:process";
import { execa } from "execa";
import { fileURLToPath } from "node:url";
import { createInterface } from "node:readline";
import { UserError } from "../graph/error.ts";
import type { WorkerReply, WorkerRequest } from "./protocol.ts";

/** A fresh process that holds one model. */
export interface WorkerProcess {
  ask<Kind extends WorkerReply["kind"]>(request: WorkerRequest, kind: Kind): Promise<Extract<WorkerReply, { readonly kind: Kind }>>;
  close(): Promise<void>;
}

/** Starts targets/local-worker.ts, in a checkout through tsx, in the built package as it is. */
export const startWorkerProcess = (label: string, signal?: AbortSignal): WorkerProcess => {
  const inCheckout = import.meta.url.endsWith(".ts");
  const entry = fileURLToPath(new URL(`./local-worker.${inCheckout ? "ts" : "js"}`, import.meta.url));
  const child = execa(processPath, [...(inCheckout ? ["--import", import.meta.resolve("tsx")] : []), entry], {
    stdout: "pipe", stderr: "pipe", stdin: "pipe", buffer: { stdout: false, stderr: true }, reject: false, ...(signal && { cancelSignal: signal }),
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (request, kind) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next() as { value: string; done?: boolean };
      if (done) {
        signal?.throwIfAborted();
        throw workerDied(label, String((await child).stderr ?? ""));
      }
      const reply = JSON.parse(value) as WorkerReply;
      if (reply.kind === "failed") throw reply.code === "" ? new Error(reply.message) : new UserError(reply.code, `${label}: ${reply.message}`, reply.nextStep);
      if (reply.kind !== kind) throw new Error(`bug: the benchmark process answered ${reply.kind} to ${request.kind}`);
      return reply as Extract<WorkerReply, { readonly kind: typeof kind }>;
    },
    close: async () => {
      child.stdin.end();
      await child;
    },
  };
};

const workerDied = (label: string, stderr: string): UserError =>
  new UserError("BENCHMARK_DIED", `The process that measured ${label} ended early${stderr === "" ? "" : `: ${stderr.trim().split("\n").slice(-3).join(" ")}`}.`,
    "check the free memory; `edgestill bench <model.onnx>` measures this model alone.");
