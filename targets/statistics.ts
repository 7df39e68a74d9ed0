import { errorFunction, max, mean, median, min, quantileSorted } from "simple-statistics";
import type { LatencyMs } from "../pipeline/result.ts";

/** Quantiles of at least one sample, in milliseconds. */
export const latencyOf = (samplesMs: readonly number[]): LatencyMs => {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number): number => quantileSorted(sorted, share);
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), mean: mean(sorted), min: min(sorted), max: max(sorted) };
};

export type Interval = readonly [low: number, high: number];

/** 95 % confidence intervals of quantiles from order statistics (Conover 1999, 3.2): no distribution is assumed. */
export const confidenceOf = (samplesMs: readonly number[]): { readonly p50: Interval; readonly p90: Interval; readonly p99: Interval } => {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const n = sorted.length;
  const interval = (share: number): Interval => {
    const half = 1.96 * Math.sqrt(n * share * (1 - share));
    const at = (rank: number): number => sorted[Math.min(n, Math.max(1, rank)) - 1]!;
    return [at(Math.floor(n * share - half)), at(Math.ceil(n * share + half) + 1)];
  };
  return { p50: interval(0.5), p90: interval(0.9), p99: interval(0.99) };
};

/** At most `count` samples in their order: medians of blocks of neighbours, so that slow drift does not count as many independent samples. */
export const blockMedians = (samples: readonly number[], count = 40): number[] => {
  if (samples.length <= count) return [...samples];
  return Array.from({ length: count }, (_, block) => median(samples.slice(Math.floor((block * samples.length) / count), Math.floor(((block + 1) * samples.length) / count))));
};

/** One-sided Mann-Whitney U test: probability of `after` being this much larger than `before` by chance (normal approximation, ties corrected). */
export const mannWhitney = (before: readonly number[], after: readonly number[]): number => {
  const all = [...before.map((value) => ({ value, late: false })), ...after.map((value) => ({ value, late: true }))].sort((a, b) => a.value - b.value);
  let [rankSum, ties] = [0, 0];
  for (let start = 0; start < all.length;) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    const tied = end - start;
    rankSum += all.slice(start, end).filter(({ late }) => late).length * ((start + 1 + end) / 2);
    ties += tied ** 3 - tied;
    start = end;
  }
  const [m, n] = [before.length, after.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  return variance === 0 ? 1 : 0.5 * (1 - errorFunction((u - (m * n) / 2 - 0.5) / Math.sqrt(2 * variance)));
};

/** p90 above this multiple of the median is too wide a spread to compare models by. */
const widestSpread = 1.25;
/** Medians of the rounds that differ by more than this share mean that the machine changed while measuring. */
const widestDrift = 0.1;

/** Other work counts from half a core on, or from this share of the cores where there are many. */
const otherWork = { cores: 0.5, share: 0.1 };

export interface StabilityQuestion {
  readonly latency: LatencyMs;
  /** Median of each round. */
  readonly roundMediansMs: readonly number[];
  readonly governor: string | null;
  /** Cores that other work kept busy just before measuring; null where the system does not say. */
  readonly busyCores: number | null;
  readonly cores: number;
  /** What the device said of its power supply and heat. */
  readonly deviceReasons?: readonly string[];
}

/** Why a measurement should not be trusted; empty where it may be. */
export const unstableReasons = ({ latency, roundMediansMs, governor, busyCores, cores, deviceReasons = [] }: StabilityQuestion): string[] => {
  const reasons: string[] = [...deviceReasons];
  if (latency.p90 > widestSpread * latency.p50) reasons.push(`wide spread: p90 is ${(latency.p90 / latency.p50).toFixed(2)} times the median`);
  const drift = max([...roundMediansMs]) / min([...roundMediansMs]) - 1;
  if (drift > widestDrift) reasons.push(`medians of the rounds differ by ${(100 * drift).toFixed(0)} %`);
  if (governor !== null && governor !== "performance") reasons.push(`clock not locked: governor ${governor}`);
  if (busyCores !== null && busyCores > Math.max(otherWork.cores, otherWork.share * cores)) reasons.push(`other work on the machine: ${busyCores.toFixed(1)} of ${cores} cores were busy just before measuring`);
  return reasons;
};
