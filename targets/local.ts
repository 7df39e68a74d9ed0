import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, hostname, loadavg, release, type } from "node:os";
import { versions } from "node:process";
import { median } from "simple-statistics";
import { runtimeVersion } from "../pipeline/environment.ts";
import type { BenchmarkDevice, BenchmarkRecord } from "../pipeline/result.ts";
import type { SoakPoint } from "./device/job.ts";
import { sensorReader } from "./device/sensors.ts";
import { rounds, soak } from "./measure.ts";
import { blockMedians, confidenceOf, latencyOf, unstableReasons } from "./statistics.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel, Target } from "./target.ts";
import { startWorkerProcess, type WorkerProcess } from "./worker-process.ts";
import { largest } from "../input/largest.ts";

/** This machine: each model in a process of its own, measured in turns. */
export const localTarget = (name = "local", ownThreads?: number): Target => ({
  name, kind: "local", runtime: "cpu",
  benchmark: async (job, hooks = {}) => {
    const cores = availableParallelism();
    const counts = job.threads === "sweep" ? Array.from({ length: cores }, (_, index) => index + 1) : [job.threads ?? ownThreads ?? cores];
    const variations = counts.flatMap((threads) => (job.batches ?? [1]).map((batch) => ({ threads, batch })));
    const records: BenchmarkRecord[][] = job.models.map(() => []);
    for (const [index, variation] of variations.entries()) {
      const measured = await measureAll(name, job, variation, { ...hooks, onProgress: (done, total) => hooks.onProgress?.(index * total + done, variations.length * total) });
      for (const [at, record] of measured.entries()) records[at]!.push(record);
    }
    return records.flat();
  },
});

interface Variation {
  readonly threads: number;
  readonly batch: number;
}

interface Measured {
  readonly roundsMs: number[][];
  readonly endToEndMs: number[];
  warmup: number;
  busyCores: number | null;
  memoryBytes: number;
  soak: SoakPoint[];
}

const measureAll = async (target: string, job: BenchmarkJob, variation: Variation, { onProgress, onStep, signal }: BenchmarkHooks): Promise<BenchmarkRecord[]> => {
  const circumstances = await lookAround();
  const sensors = sensorReader(performance.now());
  const measured = job.models.map((): Measured => ({ roundsMs: [], endToEndMs: [], warmup: 0, busyCores: null, memoryBytes: 0, soak: [] }));
  const workers: WorkerProcess[] = [];
  try {
    for (const [index, model] of job.models.entries()) {
      const worker = startWorkerProcess(model.name, { signal });
      workers.push(worker);
      const session = { ...model.session, threads: variation.threads };
      const { warmup, busyCores } = await worker.ask({ kind: "open", path: model.path, picture: job.picture ?? null, batch: variation.batch, session }, "opened");
      Object.assign(measured[index]!, { warmup, busyCores });
    }
    sensors.read(true);
    for (let round = 0; round < rounds; round++) { // over all models, so that noise hits all alike
      for (const [index, worker] of workers.entries()) {
        signal?.throwIfAborted();
        const reply = await worker.ask({ kind: "round", runs: Math.ceil(job.runs / rounds), seconds: job.seconds / rounds }, "round");
        const own = measured[index]!;
        own.roundsMs.push([...reply.inferenceMs]);
        for (const time of reply.endToEndMs) own.endToEndMs.push(time);
        own.memoryBytes = Math.max(own.memoryBytes, reply.memoryBytes);
        sensors.read();
        onProgress?.(round * workers.length + index + 1, rounds * workers.length);
      }
    }
    sensors.read(true);
    if (job.soakSeconds !== undefined) {
      for (const [index, worker] of workers.entries()) {
        const round = async (seconds: number): Promise<readonly number[]> => {
          signal?.throwIfAborted();
          return (await worker.ask({ kind: "round", runs: 1, seconds }, "round")).inferenceMs;
        };
        measured[index]!.soak = await soak(round, job.soakSeconds, variation.batch, sensors, (seconds) => onStep?.(`soak of ${job.models[index]!.name}`, seconds, job.soakSeconds!, "second"));
      }
    }
    return job.models.map((model, index) => recordOf(target, model, variation, measured[index]!, circumstances, sensors.readings));
  } finally {
    await Promise.all(workers.map((worker) => worker.close()));
  }
};

interface Circumstances {
  readonly loadAverage: number;
  readonly governor: string | null;
  readonly device: BenchmarkDevice;
}

const lookAround = async (): Promise<Circumstances> => {
  const governor = await cpuGovernor();
  return {
    loadAverage: loadavg()[0]!, governor,
    device: { name: hostname(), cpu: cpus()[0]?.model.trim() ?? null, os: `${type()} ${release()}`, runtimes: { "onnxruntime-node": runtimeVersion(), node: `v${versions.node}` }, powerMode: null, governor },
  };
};

type Readings = ReturnType<typeof sensorReader>["readings"];

const recordOf = (target: string, model: BenchmarkModel, { threads, batch }: Variation, measured: Measured, { loadAverage, governor, device }: Circumstances, readings: Readings): BenchmarkRecord => {
  const { roundsMs, endToEndMs, memoryBytes, warmup, busyCores, soak: points } = measured;
  const samples = roundsMs.flat();
  const latency = latencyOf(samples);
  const reasons = unstableReasons({ latency, roundMediansMs: roundsMs.map((round) => median(round)), governor, busyCores, cores: availableParallelism() });
  const temperatures = readings.flatMap(({ temperatureC }) => temperatureC ?? []);
  return {
    model: model.name, sha256: model.sha256, target, provider: "cpu", precision: model.precision, threads, batch,
    runs: samples.length, warmup, stable: reasons.length === 0, ...(reasons.length > 0 && { unstableReasons: reasons }),
    inferenceMs: latency, endToEndMs: endToEndMs.length > 0 ? latencyOf(endToEndMs) : null, ...(endToEndMs.length > 0 && { endToEndFrom: "file" as const }),
    fps: (1000 * batch) / latency.mean, memoryBytes, device,
    thermal: temperatures.length > 0 ? { startC: temperatures[0]!, endC: temperatures.at(-1)!, maxC: largest(temperatures), throttled: false } : null,
    power: null, confidenceMs: confidenceOf(samples), ...(points.length > 0 && { soak: points }), blockMediansMs: blockMedians(samples),
    details: { busyCoresBefore: busyCores, loadAverageBefore: loadAverage }, at: new Date().toISOString(),
  };
};

/** Frequency governor of the first core; null where the system does not say. */
const cpuGovernor = async (): Promise<string | null> =>
  readFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "utf8").then((text) => text.trim(), () => null);
