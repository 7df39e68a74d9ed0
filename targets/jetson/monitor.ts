import { mean } from "simple-statistics";
import { UserError } from "../../graph/error.ts";
import type { Transport } from "../transport.ts";
import { unreadableOutput } from "./errors.ts";
import type { ClockState } from "./power-mode.ts";
import { junctionC, modulePowerMW, parseTegrastats, type TegraSample } from "./tegrastats.ts";
import { smallest } from "../../input/largest.ts";

const intervalMs = 200;
const longestMs = 12 * 3_600_000;
/** Share of samples in which a locked GPU must run at its clock. */
const atClockShare = 0.95;
/** A clock is reached within this share of it: tegrastats rounds to MHz, and not every divider exists. */
const clockTolerance = 0.03;

/** What the device did while it was measured. */
export interface Telemetry {
  readonly samples: number;
  readonly startC: number | null;
  readonly endC: number | null;
  readonly maxC: number | null;
  /** Mean power of the module; null where the rails are not known. */
  readonly meanW: number | null;
  /** Mean power by rail, in watts. */
  readonly railsW: Readonly<Record<string, number>>;
  /** Slowest cluster of the GPU, sample by sample; empty where tegrastats does not say. */
  readonly gpuMHz: readonly number[];
  /** Memory of the whole device: at the first sample, and at most. */
  readonly firstRamMB: number;
  readonly peakRamMB: number;
  /** Heat sample by sample, in the order of `gpuMHz`'s lines; null where a line has no sensor. */
  readonly heatC: readonly (number | null)[];
  readonly intervalSeconds: number;
}

/** Runs `work` while tegrastats watches. Throws what `work` throws, else UserError TEGRASTATS or DEVICE_OUTPUT. */
export const withTelemetry = async <T>(transport: Transport, work: () => Promise<T>): Promise<{ readonly result: T; readonly telemetry: Telemetry }> => {
  const ending = new AbortController();
  const lines: string[] = [];
  let started: () => void = () => undefined;
  const first = new Promise<void>((resolve) => { started = resolve; });
  const watching = transport.run(["env", "LC_ALL=C", "tegrastats", "--interval", String(intervalMs)], {
    timeoutMs: longestMs, signal: ending.signal, onLine: (line, stream) => { if (stream === "stdout" && line.trim() !== "") { lines.push(line); started(); } },
  }).then(({ exitCode, stderr }) => (exitCode === 0 ? undefined : noTegrastats(transport.label, stderr)), (error: unknown) => (ending.signal.aborted ? undefined : error));
  const early = await Promise.race([first, watching]);
  if (early instanceof Error) throw early;
  const result = await work().finally(async () => {
    ending.abort();
    await watching;
  });
  const failure = await watching;
  if (failure instanceof Error) throw failure;
  return { result, telemetry: telemetryOf(lines) };
};

/** Samples put together; the last line may be cut off by the end. Throws UserError DEVICE_OUTPUT. */
export const telemetryOf = (lines: readonly string[]): Telemetry => {
  const samples = lines.slice(0, -1).map(parseTegrastats);
  const last = lines.length === 0 ? undefined : lastSample(lines.at(-1)!, samples.length > 0);
  if (last) samples.push(last);
  if (samples.length === 0) throw unreadableOutput("tegrastats", "", "it printed nothing");
  const heat = samples.map(junctionC).filter((celsius) => celsius !== null);
  const power = samples.map(modulePowerMW).filter((milliwatts) => milliwatts !== null);
  const clocks = samples.filter(({ gpuMHz }) => gpuMHz.length > 0).map(({ gpuMHz }) => smallest(gpuMHz));
  return {
    samples: samples.length, startC: heat[0] ?? null, endC: heat.at(-1) ?? null, maxC: heat.length > 0 ? heat.reduce((most, celsius) => Math.max(most, celsius)) : null,
    meanW: power.length > 0 ? mean(power) / 1000 : null, railsW: railMeans(samples),
    gpuMHz: clocks, firstRamMB: samples[0]!.ramUsedMB, heatC: samples.map(junctionC), intervalSeconds: intervalMs / 1000,
    peakRamMB: samples.reduce((most, { ramUsedMB }) => Math.max(most, ramUsedMB), 0),
  };
};

const lastSample = (line: string, mayBeCut: boolean): TegraSample | undefined => {
  try {
    return parseTegrastats(line);
  } catch (error) {
    if (mayBeCut && error instanceof UserError) return undefined;
    throw error;
  }
};

const railMeans = (samples: readonly TegraSample[]): Record<string, number> => {
  const names = new Set(samples.flatMap(({ powerMW }) => Object.keys(powerMW)));
  return Object.fromEntries([...names].map((name) => [name, mean(samples.flatMap(({ powerMW }) => powerMW[name] ?? [])) / 1000]));
};

/** Why the clocks make the figures doubtful; empty where they do not. */
export const clockReasons = (clocks: ClockState | null, { gpuMHz, maxC }: Telemetry): string[] => {
  if (!clocks) return ["clock state unknown: jetson_clocks --show needs root"];
  if (!clocks.locked) return ["clocks not locked: pass --lock-clocks"];
  const lockedMHz = clocks.gpu.maxHz / 1e6;
  const slow = gpuMHz.filter((clock) => clock < (1 - clockTolerance) * lockedMHz);
  if (slow.length <= (1 - atClockShare) * gpuMHz.length) return [];
  return [`throttled: the GPU ran below its clock in ${Math.round((100 * slow.length) / gpuMHz.length)} % of the samples, down to ${slow.reduce((least, clock) => Math.min(least, clock))} MHz of ${lockedMHz.toFixed(0)} MHz${maxC === null ? "" : ` at ${maxC.toFixed(0)} °C`}`];
};

const noTegrastats = (label: string, stderr: string): UserError =>
  new UserError("TEGRASTATS", `${label}: tegrastats does not run: ${stderr.trim().split("\n").at(-1) ?? ""}.`, "it belongs to JetPack: `sudo apt install nvidia-l4t-tools` on the device.");
