import { readFile } from "node:fs/promises";
import { cpus, hostname, loadavg, release, type } from "node:os";
import { availableParallelism } from "node:os";
import { median } from "simple-statistics";
import { runtimeVersion } from "../pipeline/environment.ts";
import type { BenchmarkDevice, BenchmarkRecord } from "../pipeline/result.ts";
import { warmupRuns } from "./protocol.ts";
import { latencyOf, unstableReasons } from "./statistics.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel, Target } from "./target.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";

/** Rounds over all models, so that noise hits all alike. */
const rounds = 5;

/** This machine: each model in a process of its own, measured in turns. */
export const localTarget = (name = "local"): Target => ({
  name, kind: "local",
  benchmark: async (job, hooks = {}) => {
    const loadBefore = loadavg()[0]!;
    const governor = await cpuGovernor();
    const measured = await measureAll(job, hooks);
    const at = new Date().toISOString();
    const device: BenchmarkDevice = {
      name: hostname(), cpu: cpus()[0]?.model.trim() ?? null, os: `${type()} ${release()}`, runtimes: { "onnxruntime-node": runtimeVersion() }, powerMode: null, governor,
    };
    return job.models.map((model, index) => recordOf(name, job, model, measured[index]!, { loadBefore, governor, device, at }));
  },
});

interface Measured {
  readonly roundsMs: number[][];
  readonly endToEndMs: number[];
  memoryBytes: number;
}

const measureAll = async (job: BenchmarkJob, { onProgress, signal }: BenchmarkHooks): Promise<Measured[]> => {
  const measured = job.models.map((): Measured => ({ roundsMs: [], endToEndMs: [], memoryBytes: 0 }));
  const workers: WorkerProcess[] = [];
  try {
    for (const model of job.models) {
      const worker = startWorkerProcess(model.name, signal);
      workers.push(worker);
      await worker.ask({ kind: "open", path: model.path, picture: job.picture ?? null, session: { ...model.session, threads: job.threads } }, "opened");
    }
    for (let round = 0; round < rounds; round++) {
      for (const [index, worker] of workers.entries()) {
        signal?.throwIfAborted();
        const reply = await worker.ask({ kind: "round", runs: Math.ceil(job.runs / rounds), seconds: job.seconds / rounds }, "round");
        const own = measured[index]!;
        own.roundsMs.push([...reply.inferenceMs]);
        own.endToEndMs.push(...reply.endToEndMs);
        own.memoryBytes = Math.max(own.memoryBytes, reply.memoryBytes);
        onProgress?.(round * workers.length + index + 1, rounds * workers.length);
      }
    }
    return measured;
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
};

interface Circumstances {
  readonly loadBefore: number;
  readonly governor: string | null;
  readonly device: BenchmarkDevice;
  readonly at: string;
}

const recordOf = (target: string, job: BenchmarkJob, model: BenchmarkModel, { roundsMs, endToEndMs, memoryBytes }: Measured, { loadBefore, governor, device, at }: Circumstances): BenchmarkRecord => {
  const samples = roundsMs.flat();
  const latency = latencyOf(samples);
  const reasons = unstableReasons({ latency, roundMediansMs: roundsMs.map((round) => median(round)), governor, loadBefore, cores: availableParallelism() });
  return {
    model: model.name, sha256: model.sha256, target, provider: "cpu", precision: model.precision, threads: job.threads, batch: 1,
    runs: samples.length, warmup: warmupRuns, stable: reasons.length === 0, ...(reasons.length > 0 && { unstableReasons: reasons }),
    inferenceMs: latency, endToEndMs: endToEndMs.length > 0 ? latencyOf(endToEndMs) : null, fps: 1000 / latency.mean, memoryBytes, device, thermal: null, power: null, at,
  };
};

/** Frequency governor of the first core; null where the system does not say. */
const cpuGovernor = async (): Promise<string | null> =>
  readFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "utf8").then((text) => text.trim(), () => null);
