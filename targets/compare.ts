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

/** What a measurement is of: two of the same can be compared, on one kind of machine. */
type Setup = Pick<BenchmarkRecord, "model" | "target" | "threads" | "batch">;

/**
 * Compares each record with the last stable earlier one (the last where none is) of the same model name, target, threads and batch on the same processor. A regression is both larger than `limit`
 * (0.05 is 5 % of the median) and significant. Throws UserError NOTHING_TO_COMPARE where no record has an earlier one.
 */
export const compareRecords = (before: readonly BenchmarkRecord[], after: readonly BenchmarkRecord[], limit: number): Change[] => {
  const changes = after.flatMap((record): Change[] => {
    const candidates = before.filter((other) => isSameSetup(other, record) && (other.emulated ?? false) === (record.emulated ?? false) && isSameProcessor(other, record));
    const earlier = candidates.findLast(({ stable }) => stable) ?? candidates.at(-1);
    return earlier ? [changeOf(earlier, record, limit)] : [];
  });
  if (changes.length === 0) throw nothingToCompare(after.map((record) => `${setupOf(record)} on ${processorOf(record)}`), before.map((record) => `${setupOf(record)} on ${processorOf(record)}`));
  return changes;
};

/** Throws UserError NOTHING_TO_COMPARE where none of the models was ever measured on one of the targets: known before anything is measured. */
export const checkComparable = (before: readonly BenchmarkRecord[], models: readonly string[], targets: readonly string[]): void => {
  if (before.some(({ model, target }) => models.includes(model) && targets.includes(target))) return;
  throw nothingToCompare(models.map((model) => `${model} on ${targets.join(" or ")}`), before.map(({ model, target }) => `${model} on ${target}`));
};

export const isSameSetup = (a: Setup, b: Setup): boolean => a.model === b.model && a.target === b.target && a.threads === b.threads && a.batch === b.batch;

/** The name of a machine may change (containers), its processor may not. One that is not known is no other. */
const isSameProcessor = ({ device: a }: BenchmarkRecord, { device: b }: BenchmarkRecord): boolean => !a.cpu || !b.cpu || a.cpu === b.cpu;

/** "int8.onnx on pi5 (4 threads, batch 1)" */
export const setupOf = ({ model, target, threads, batch }: Setup): string => `${model} on ${target} (${threads} thread${threads === 1 ? "" : "s"}, batch ${batch})`;
const processorOf = ({ device: { name, cpu } }: BenchmarkRecord): string => cpu ?? name;

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

const nothingToCompare = (now: readonly string[], then: readonly string[]): UserError =>
  new UserError("NOTHING_TO_COMPARE", `There is no earlier record of ${now.join(", ")}; the earlier file has ${shortList([...new Set(then)])}.`,
    "measure the same model file names on the same target and machine with the same --threads and --batch, or begin a history there with --history alone.");

const shortList = (entries: readonly string[]): string => `${entries.slice(0, 5).join(", ")}${entries.length > 5 ? ` and ${entries.length - 5} more` : ""}`;
