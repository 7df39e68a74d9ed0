import { max, mean, min, quantileSorted } from "simple-statistics";
import type { LatencyMs } from "../pipeline/result.ts";

/** Quantiles of at least one sample, in milliseconds. */
export const latencyOf = (samplesMs: readonly number[]): LatencyMs => {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number): number => quantileSorted(sorted, share);
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), mean: mean(sorted), min: min(sorted), max: max(sorted) };
};

/** p90 above this multiple of the median is too wide a spread to compare models by. */
const widestSpread = 1.25;
/** Medians of the rounds that differ by more than this share mean that the machine changed while measuring. */
const widestDrift = 0.1;

export interface StabilityQuestion {
  readonly latency: LatencyMs;
  /** Median of each round. */
  readonly roundMediansMs: readonly number[];
  readonly governor: string | null;
  /** Load average of the last minute before measuring, in busy cores. */
  readonly loadBefore: number;
  readonly cores: number;
}

/** Why a measurement should not be trusted; empty where it may be. */
export const unstableReasons = ({ latency, roundMediansMs, governor, loadBefore, cores }: StabilityQuestion): string[] => {
  const reasons: string[] = [];
  if (latency.p90 > widestSpread * latency.p50) reasons.push(`wide spread: p90 is ${(latency.p90 / latency.p50).toFixed(2)} times the median`);
  const drift = max([...roundMediansMs]) / min([...roundMediansMs]) - 1;
  if (drift > widestDrift) reasons.push(`medians of the rounds differ by ${(100 * drift).toFixed(0)} %`);
  if (governor !== null && governor !== "performance") reasons.push(`clock not locked: governor ${governor}`);
  if (loadBefore > 0.5 * cores) reasons.push(`other work on the machine: load ${loadBefore.toFixed(1)} on ${cores} cores`);
  return reasons;
};
