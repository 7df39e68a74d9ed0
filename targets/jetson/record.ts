import type { BenchmarkRecord, JsonObject } from "../../pipeline/result.ts";
import type { LinuxFacts } from "../linux/probe.ts";
import { blockMedians, confidenceOf, latencyOf, unstableReasons } from "../statistics.ts";
import type { JetsonPrecision } from "./command.ts";
import type { JetsonFacts } from "./device.ts";
import type { CheckedFile } from "./model.ts";
import { clockReasons, type Telemetry } from "./monitor.ts";
import type { ClockState } from "./power-mode.ts";
import type { JetsonSettings } from "./settings.ts";
import { releaseText } from "./version.ts";

export interface JetsonMeasurement {
  readonly settings: JetsonSettings;
  readonly linux: LinuxFacts;
  readonly jetson: JetsonFacts;
  /** Cores that were busy just before measuring. */
  readonly busyCores: number | null;
  /** Over-current events while measuring, by counter. */
  readonly overCurrent: Readonly<Record<string, number>>;
  readonly clocks: ClockState | null;
  readonly telemetry: Telemetry;
  readonly file: CheckedFile;
  readonly precision: JetsonPrecision;
  readonly batch: number;
  readonly provider: string;
  readonly warmup: number;
  readonly latencyMs: readonly number[];
  /** What the runner itself says against its figures. */
  readonly warnings: readonly string[];
  readonly soak: NonNullable<BenchmarkRecord["soak"]>;
  readonly details: JsonObject;
}

const counterNames: Readonly<Record<string, string>> = { oc1: "under-voltage", oc2: "average over-current" };

/** One record. It is stable where the clocks were locked and held, nothing throttled, nothing else ran and the spread is narrow. */
export const recordOf = (measured: JetsonMeasurement): BenchmarkRecord => {
  const { settings, linux, jetson, clocks, telemetry, file, precision, batch, provider, warmup, latencyMs, soak } = measured;
  const latency = latencyOf(latencyMs);
  const clock = clockReasons(clocks, telemetry);
  const power = Object.entries(measured.overCurrent).filter(([name, events]) => events > 0 && name in counterNames).map(([name]) => `${counterNames[name]} while measuring (${name})`);
  const reasons = unstableReasons({
    latency, roundMediansMs: blockMedians(latencyMs, 5), governor: null, busyCores: measured.busyCores, cores: linux.cores ?? 1,
    deviceReasons: [...(linux.emulated ? ["emulated: these times are not the device's"] : []), ...clock, ...power, ...measured.warnings],
  });
  return {
    model: file.model.name, sha256: file.model.sha256, target: settings.name, provider, precision, threads: 1, batch, runs: latencyMs.length, warmup,
    stable: reasons.length === 0, ...(reasons.length > 0 && { unstableReasons: reasons }), ...(linux.emulated && { emulated: true }),
    inferenceMs: latency, endToEndMs: null, fps: (1000 * batch) / latency.mean, memoryBytes: Math.max(0, telemetry.peakRamMB - telemetry.firstRamMB) * 2 ** 20,
    device: {
      name: jetson.model ?? linux.hostname ?? settings.name, cpu: linux.cpu, os: [linux.os, linux.kernel].filter((text) => text !== null).join(", "),
      runtimes: { ...(jetson.tensorrt && { tensorrt: releaseText(jetson.tensorrt) }), ...(jetson.jetpack !== null && { jetpack: jetson.jetpack }), ...(jetson.onnxruntime && settings.runner === "onnxruntime" && { onnxruntime: jetson.onnxruntime.version }) },
      powerMode: jetson.powerMode ? `${jetson.powerMode.name} (${jetson.powerMode.id})` : null, governor: clocks?.governor ?? linux.governor,
    },
    thermal: { startC: telemetry.startC, endC: telemetry.endC, maxC: telemetry.maxC, throttled: clock.some((reason) => reason.startsWith("throttled")) },
    power: telemetry.meanW === null ? null : { meanW: telemetry.meanW },
    confidenceMs: confidenceOf(latencyMs), blockMediansMs: blockMedians(latencyMs),
    clockMHz: { start: telemetry.gpuMHz[0] ?? null, end: telemetry.gpuMHz.at(-1) ?? null, min: telemetry.gpuMHz.length > 0 ? telemetry.gpuMHz.reduce((least, clock) => Math.min(least, clock)) : null },
    ...(soak.length > 0 && { soak }), details: { ...measured.details, ...conditions(measured) }, at: new Date().toISOString(),
  };
};

const conditions = ({ linux, busyCores, clocks, telemetry, overCurrent, file }: JetsonMeasurement): JsonObject => ({
  busyCoresBefore: busyCores, loadAverageBefore: linux.loadAverage, clocksLocked: clocks?.locked ?? null, gpuMaxMHz: clocks ? clocks.gpu.maxHz / 1e6 : null, emcMHz: clocks?.emc ? clocks.emc.currentHz / 1e6 : null,
  railsW: telemetry.railsW, telemetrySamples: telemetry.samples, overCurrent, slowFindings: file.slow.map(({ rule, node }) => `${rule}: ${node}`),
});

const windowSeconds = 5;

/** FPS over time from the runs' own clock, with heat and clock of the nearest telemetry sample. */
export const soakOf = (startMs: readonly number[], latencyMs: readonly number[], batch: number, { heatC, gpuMHz, intervalSeconds }: Telemetry): NonNullable<BenchmarkRecord["soak"]> => {
  const windows = new Map<number, number[]>();
  for (const [index, start] of startMs.entries()) {
    const window = Math.floor(start / 1000 / windowSeconds);
    windows.set(window, [...(windows.get(window) ?? []), latencyMs[index]!]);
  }
  const whole = [...windows].sort(([a], [b]) => a - b).filter((_, index, all) => index < all.length - 1 || all.length === 1); // the last is not full
  return whole.map(([window, samples]) => {
    const seconds = (window + 1) * windowSeconds;
    const at = Math.min(heatC.length - 1, Math.round(seconds / intervalSeconds));
    return { seconds, fps: (batch * samples.length) / windowSeconds, p99Ms: latencyOf(samples).p99, temperatureC: heatC[at] ?? null, clockMHz: gpuMHz[at] ?? null };
  });
};
