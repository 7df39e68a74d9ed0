import { env, execPath as processPath } from "node:process";
import { execa } from "execa";
import { fileURLToPath } from "node:url";
import { memoryBudget } from "../graph/budget.ts";
import { UserError } from "../graph/error.ts";
import { crashWords, whileDoing } from "../runtime/crash.ts";
import { tellNativeWork } from "../runtime/native-work.ts";
import { limitsFrom, WorkWatch } from "../runtime/work-watch.ts";
import { workDescriptor, type WorkerReply, type WorkerRequest } from "./protocol.ts";
import { readReply, ReplyLines } from "./worker-replies.ts";

/** A fresh process that holds one model. */
export interface WorkerProcess {
  ask<Kind extends WorkerReply["kind"]>(request: WorkerRequest, kind: Kind): Promise<Extract<WorkerReply, { readonly kind: Kind }>>;
  close(): Promise<void>;
}

export interface WorkerProcessOptions {
  readonly signal?: AbortSignal | undefined;
  /** Longest time without any message while a reply is awaited, in seconds; 0 is without limit. Default 60 more than a run of a model may take. */
  readonly silenceSeconds?: number;
  /** Longest line of a reply, in bytes. Default 256 MiB: all times of the longest round. */
  readonly lineBytes?: number;
  /** Script of the worker. Default targets/local-worker.ts, in a checkout through tsx, in the built package as it is. */
  readonly entry?: string;
}

/** Starts a worker; it has the memory budget of this process. */
export const startWorkerProcess = (label: string, { signal, silenceSeconds = silenceLimit(), lineBytes, entry = ownEntry }: WorkerProcessOptions = {}): WorkerProcess => {
  const child = execa(processPath, [...(entry.endsWith(".ts") ? ["--import", import.meta.resolve("tsx")] : []), entry, String(memoryBudget())], {
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"], buffer: { stdout: false, stderr: true, fd3: false, fd4: false }, reject: false, ...(signal && { cancelSignal: signal }),
  });
  const watch = new WorkWatch(noLimits, () => undefined); // whoever watches this process has the limits: what the worker does is passed on
  const lines = new ReplyLines(child.stdout, { silenceSeconds, ...(lineBytes !== undefined && { lineBytes }) });
  let isAsked = false;
  const told = child.stdio[workDescriptor];
  told.setEncoding("utf8").on("error", () => undefined).on("data", (piece: string) => {
    lines.heard();
    watch.read(piece);
    if (isAsked) tellNativeWork(watch.current);
  });
  /** What the worker said is no reply, or it says nothing: it is of no more use. */
  const given = (code: string, message: string): UserError => {
    child.kill("SIGKILL");
    return new UserError(code, message, nextStep);
  };
  const ask = async (request: WorkerRequest): Promise<WorkerReply> => {
    isAsked = true;
    tellNativeWork(watch.current);
    try {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const next = await lines.next();
      if (next.kind === "silent")
        throw given("BENCHMARK_SILENT", `The process that measures ${label} said nothing for ${silenceSeconds} s ${whileDoing(watch.current)}, and was stopped.`);
      if (next.kind === "endless") throw given("BENCHMARK_ANSWER", `The process that measures ${label} answered with a line longer than ${next.bytes} bytes, and was stopped.`);
      if (next.kind === "line") {
        const { reply, problem } = readReply(next.text, request);
        if (reply) return reply;
        throw given("BENCHMARK_ANSWER", `The process that measures ${label} did not answer as agreed, and was stopped: ${problem}.`);
      }
      signal?.throwIfAborted();
      const { exitCode, signal: end, stderr } = await child;
      throw workerDied(label, crashWords({ exitCode, signal: end }), whileDoing(watch.current), String(stderr ?? ""));
    } finally {
      isAsked = false;
      tellNativeWork(undefined);
    }
  };
  return {
    ask: async (request, kind) => {
      const reply = await ask(request);
      if (reply.kind === "failed") throw reply.code === "" ? new Error(reply.message) : new UserError(reply.code, `${label}: ${reply.message}`, reply.nextStep);
      if (reply.kind !== kind) throw new Error(`bug: ${request.kind} is answered with ${reply.kind}, not ${kind}`);
      return reply as Extract<WorkerReply, { readonly kind: typeof kind }>;
    },
    close: async () => {
      watch.stop();
      child.stdin.end();
      const deadline = setTimeout(() => child.kill("SIGKILL"), endingMs);
      await child;
      clearTimeout(deadline);
    },
  };
};

const ownEntry = fileURLToPath(new URL(`./local-worker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url));

/** Time for a worker to end once it is asked nothing more. */
const endingMs = 10_000;

/** A call that runs too long is ended by whoever watches this process; a worker that says nothing for longer than that does not answer at all. */
const silenceLimit = (): number => {
  const { seconds } = limitsFrom(env["EDGESTILL_RUN_LIMIT"]);
  return seconds === 0 ? 0 : seconds + 60;
};

const noLimits = { loopSeconds: 0, seconds: 0 };

const workerDied = (label: string, crash: string | undefined, doing: string, stderr: string): UserError =>
  crash === undefined
    ? new UserError("BENCHMARK_DIED", `The process that measured ${label} ended early${stderr === "" ? "" : `: ${stderr.trim().split("\n").slice(-3).join(" ")}`}.`, nextStep)
    : new UserError("BENCHMARK_DIED", `The process that measured ${label} crashed ${doing} (${crash}).`, nextStep);

const nextStep = "check the free memory and where the model comes from; `edgestill bench <model.onnx>` measures this model alone.";
