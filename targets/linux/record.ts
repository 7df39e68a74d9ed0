import { median } from "simple-statistics";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import type { DeviceResult, SensorReading } from "../device/job.ts";
import { blockMedians, confidenceOf, latencyOf, unstableReasons } from "../statistics.ts";
import type { BenchmarkModel } from "../target.ts";
import type { LinuxSettings } from "./benchmark.ts";
import type { LinuxFacts } from "./probe.ts";

/** What of the readings spoils a measurement on this kind of device. */
export type Judge = (readings: readonly SensorReading[], facts: LinuxFacts) => string[];

interface Measured {
  readonly settings: LinuxSettings;
  readonly facts: LinuxFacts;
  readonly model: BenchmarkModel;
  readonly threads: number;
  readonly batch: number;
  readonly result: DeviceResult;
  readonly againstHost: BenchmarkRecord["againstHost"];
  readonly judge: Judge;
  readonly emulated: boolean;
}

/** A list of any length: a call takes about 100,000 arguments. */
const least = (values: readonly number[]): number => values.reduce((low, value) => Math.min(low, value), Infinity);
const most = (values: readonly number[]): number => values.reduce((high, value) => Math.max(high, value), -Infinity);

/** A clock below this share of its highest is a clock that fell while measuring. */
const steadyClock = 0.95;

/** Reasons of any board: a clock that fell under a governor that holds it. */
export const clockFell = (readings: readonly SensorReading[]): string[] => {
  const clocks = readings.flatMap(({ clockMHz }) => clockMHz ?? []);
  const [low, high] = [least(clocks), most(clocks)];
  return clocks.length > 1 && low < steadyClock * high ? [`the clock fell from ${high.toFixed(0)} to ${low.toFixed(0)} MHz while measuring`] : [];
};

export const recordOf = ({ settings, facts, model, threads, batch, result, againstHost, judge, emulated }: Measured): BenchmarkRecord => {
  const { roundsMs, endToEndMs, memoryBytes, sensors, soak, warmup, node, onnxruntime } = result;
  const samples = roundsMs.flat();
  const latency = latencyOf(samples);
  const throttling = judge(sensors, facts);
  const reasons = unstableReasons({
    latency, roundMediansMs: roundsMs.map((round) => median([...round])), governor: facts.governor, busyCores: result.busyCores, cores: facts.cores ?? 1,
    deviceReasons: [...(emulated ? ["emulated: these times are not the device's"] : []), ...throttling, ...clockFell(sensors)],
  });
  const [start, end] = [sensors[0], sensors.at(-1)];
  const temperatures = sensors.flatMap(({ temperatureC }) => temperatureC ?? []);
  const clocks = sensors.flatMap(({ clockMHz }) => clockMHz ?? []);
  return {
    model: model.name, sha256: model.sha256, target: settings.name, provider: "cpu", precision: model.precision, threads, batch, runs: samples.length, warmup,
    stable: reasons.length === 0, ...(reasons.length > 0 && { unstableReasons: reasons }), ...(emulated && { emulated }),
    inferenceMs: latency, endToEndMs: endToEndMs.length > 0 ? latencyOf(endToEndMs) : null, ...(endToEndMs.length > 0 && { endToEndFrom: "pixels" as const }),
    fps: (1000 * batch) / latency.mean, memoryBytes,
    device: {
      name: facts.model ?? facts.hostname ?? settings.name, cpu: facts.cpu, os: [facts.os, facts.kernel].filter((text) => text !== null).join(", "),
      runtimes: { "onnxruntime-node": onnxruntime, node }, powerMode: null, governor: facts.governor,
    },
    thermal: { startC: start?.temperatureC ?? null, endC: end?.temperatureC ?? null, maxC: temperatures.length > 0 ? most(temperatures) : null, throttled: throttling.length > 0 },
    power: null, confidenceMs: confidenceOf(samples), clockMHz: { start: start?.clockMHz ?? null, end: end?.clockMHz ?? null, min: clocks.length > 0 ? least(clocks) : null },
    ...(soak.length > 0 && { soak }), blockMediansMs: blockMedians(samples), ...(againstHost && { againstHost }),
    details: { architecture: result.architecture, busyCoresBefore: result.busyCores, loadAverageBefore: facts.loadAverage, cpuFeatures: facts.cpuFeatures, throttledBits: sensors.flatMap(({ throttledBits }) => throttledBits ?? []) },
    at: new Date().toISOString(),
  };
};
