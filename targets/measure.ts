import { quantileSorted } from "simple-statistics";

/** Timing loops: what runs on this machine and, as part of the runner, on devices. */

export type Work = () => Promise<unknown>;

/** Consecutive windows of at least this many runs and milliseconds are compared while warming up. */
const window = { runs: 5, ms: 200 };
/** Warm: two windows whose medians differ by less than this share. */
const warmDrift = 0.02;

/** Runs until two windows in a row are as fast as each other, for `maxSeconds` at most; the number of runs. */
export const warmUp = async (work: Work, maxSeconds: number): Promise<number> => {
  const end = performance.now() + 1000 * maxSeconds;
  let [runs, before] = [0, Infinity];
  do {
    const samples = await timeFor(work, window.runs, window.ms / 1000);
    runs += samples.length;
    const now = medianOf(samples);
    if (Math.abs(now / before - 1) < warmDrift) break;
    before = now;
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

const medianOf = (samples: readonly number[]): number => quantileSorted([...samples].sort((a, b) => a - b), 0.5);
