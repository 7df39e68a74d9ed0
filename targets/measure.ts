import { median } from "simple-statistics";
import type { SoakPoint } from "./device/job.ts";
import type { sensorReader } from "./device/sensors.ts";
import { latencyOf } from "./statistics.ts";

/** Timing loops: what runs on this machine and, as part of the runner, on devices. */

export type Work = () => Promise<unknown>;

/** A benchmark is cut into this many rounds: their medians say whether the machine was quiet. */
export const rounds = 5;
const soakPointSeconds = 5;

/** Consecutive windows of at least this many runs and milliseconds are compared while warming up. */
const window = { runs: 5, ms: 200 };
/** Warm: a window that is faster than those before by less than this share. One that is slower is noise or heat, which the rounds judge. */
const warmGain = 0.02;

/** Runs until it gets no faster, for `maxSeconds` at most; the number of runs. */
export const warmUp = async (work: Work, maxSeconds: number): Promise<number> => {
  const end = performance.now() + 1000 * maxSeconds;
  let [runs, fastest] = [0, Infinity];
  do {
    const samples = await timeFor(work, window.runs, window.ms / 1000);
    runs += samples.length;
    const now = median(samples);
    if (now > (1 - warmGain) * fastest) break;
    fastest = now;
  } while (performance.now() < end);
  return runs;
};

/** Milliseconds of each run, for at least `runs` runs and `seconds`. `between` is called outside the timed part. */
export const timeFor = async (work: Work, runs: number, seconds: number, between?: (samples: readonly number[]) => void): Promise<number[]> => {
  const samples: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (samples.length < runs || performance.now() < end) {
    const started = performance.now();
    await work();
    samples.push(performance.now() - started);
    between?.(samples);
  }
  return samples;
};

/** Speed over `wholeSeconds`, a point every few seconds; `measure` gives the milliseconds of each run in about so many seconds. */
export const soak = async (
  measure: (seconds: number) => Promise<readonly number[]>, wholeSeconds: number, batch: number, sensors: ReturnType<typeof sensorReader>, onSecond: (seconds: number) => void,
): Promise<SoakPoint[]> => {
  const points: SoakPoint[] = [];
  const started = performance.now();
  for (let seconds = 0; seconds < wholeSeconds;) {
    const { mean, p99 } = latencyOf(await measure(Math.min(soakPointSeconds, wholeSeconds - seconds)));
    seconds = (performance.now() - started) / 1000;
    sensors.read(true);
    const { temperatureC, clockMHz } = sensors.readings.at(-1)!;
    points.push({ seconds, fps: (1000 * batch) / mean, p99Ms: p99, temperatureC, clockMHz });
    onSecond(Math.min(Math.round(seconds), wholeSeconds));
  }
  return points;
};
