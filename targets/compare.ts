import { UserError } from "../graph/error.ts";
import type { BenchmarkRecord } from "../pipeline/result.ts";
import { mannWhitney } from "./statistics.ts";

/** One model on one target, then and now. */
export interface Change {
  readonly model: string;
  readonly target: string;
  readonly threads: number;
  readonly batch: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  /** p50 now over p50 then, less 1. */
  readonly slower: number;
  /** Mann-Whitney, one-sided: chance of this much slower block medians without a change. Null where a record has none. */
  readonly p: number | null;
  readonly regressed: boolean;
  /** Why the comparison is weak; empty where it is not. */
  readonly doubts: readonly string[];
}

const significance = 0.01;

/**
 * Compares each record with the earlier one of the same model name, target, threads and batch. A regression is both larger than `limit` (0.05 is 5 % of the
 * median) and significant. Throws UserError NOTHING_TO_COMPARE.
 */
export const compareRecords = (before: readonly BenchmarkRecord[], after: readonly BenchmarkRecord[], limit: number): Change[] => {
  const changes = after.flatMap((record): Change[] => {
    const earlier = before.findLast((other) => other.model === record.model && other.target === record.target && other.threads === record.threads && other.batch === record.batch && (other.emulated ?? false) === (record.emulated ?? false));
    return earlier ? [changeOf(earlier, record, limit)] : [];
  });
  if (changes.length === 0) throw nothingToCompare();
  return changes;
};

const changeOf = (before: BenchmarkRecord, after: BenchmarkRecord, limit: number): Change => {
  const slower = after.inferenceMs.p50 / before.inferenceMs.p50 - 1;
  const p = before.blockMediansMs && after.blockMediansMs ? mannWhitney(before.blockMediansMs, after.blockMediansMs) : null;
  const doubts = [
    ...(before.stable ? [] : ["the earlier measurement was not stable"]), ...(after.stable ? [] : ["this measurement is not stable"]),
    ...(before.device.name === after.device.name && before.device.cpu === after.device.cpu ? [] : [`another device (${before.device.name}, now ${after.device.name})`]),
    ...(before.device.governor === after.device.governor ? [] : [`another governor (${before.device.governor ?? "none"}, now ${after.device.governor ?? "none"})`]),
    ...(p === null ? ["a record without block medians: judged by the limit alone"] : []),
  ];
  return {
    model: after.model, target: after.target, threads: after.threads, batch: after.batch, beforeMs: before.inferenceMs.p50, afterMs: after.inferenceMs.p50,
    slower, p, regressed: slower > limit && (p === null || p < significance), doubts,
  };
};

const nothingToCompare = (): UserError =>
  new UserError("NOTHING_TO_COMPARE", "The earlier file has no record of the same model name, target, threads and batch.", "measure with the same options, or compare with a file that `bench --json` or `--history` wrote.");
