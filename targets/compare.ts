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

/** What a measurement is of; its figures are comparable where the settings and the machine below are the same too. */
type Setup = Pick<BenchmarkRecord, "model" | "target" | "threads" | "batch">;

type Fact = string | number | boolean | null | undefined;

/** What two records must share to be compared. A fact that one of them does not know is a doubt; the name of a machine may change (containers), its processor may not. */
const mustBeSame: readonly { readonly what: string; readonly of: (record: BenchmarkRecord) => Fact }[] = [
  { what: "threads", of: ({ threads }) => threads }, { what: "batch", of: ({ batch }) => batch },
  { what: "precision", of: ({ precision }) => precision }, { what: "provider", of: ({ provider }) => provider },
  { what: "processor", of: ({ device }) => device.cpu }, { what: "power mode", of: ({ device }) => device.powerMode },
  { what: "emulated", of: ({ emulated = false }) => emulated },
];

/** Facts that make a comparison weaker where they differ. */
const shouldBeSame: readonly { readonly what: string; readonly of: (record: BenchmarkRecord) => Fact }[] = [
  { what: "governor", of: ({ device }) => device.governor ?? "none" },
  { what: "runtime", of: ({ device }) => (device.runtimes ? Object.entries(device.runtimes).map(([name, version]) => `${name} ${version}`).sort().join(", ") : undefined) },
];

const isKnown = (fact: Fact): boolean => fact !== undefined && fact !== null && fact !== "";

/** "threads 4, now 1" for each fact that both know and that differs. */
const differencesOf = (before: BenchmarkRecord, after: BenchmarkRecord, facts = mustBeSame): string[] =>
  facts.flatMap(({ what, of }) => (isKnown(of(before)) && isKnown(of(after)) && of(before) !== of(after) ? [`${what} ${String(of(before))}, now ${String(of(after))}`] : []));

export interface CompareOptions {
  /** Also compare with an earlier record that is not stable, where no stable one is comparable; the change says it among its doubts. */
  readonly allowUnstable?: boolean;
}

/** The last comparable stable record, or why there is none. */
const baseOf = (before: readonly BenchmarkRecord[], after: BenchmarkRecord, { allowUnstable = false }: CompareOptions): BenchmarkRecord | { readonly why: string } => {
  const named = before.filter(({ model, target }) => model === after.model && target === after.target);
  if (named.length === 0) return { why: "it has no earlier record" };
  const same = named.filter((other) => differencesOf(other, after).length === 0 && other.inferenceMs.p50 > 0);
  const found = same.findLast(({ stable }) => stable) ?? (allowUnstable ? same.at(-1) : undefined);
  if (found) return found;
  const last = same.at(-1);
  if (last) return { why: `its earlier ${same.length === 1 ? "record is" : `${same.length} records are`} not stable (${last.unstableReasons?.join("; ") || "no reason recorded"})` };
  const nearest = named.map((other) => differencesOf(other, after)).reduce((best, differences) => (differences.length <= best.length ? differences : best));
  return { why: nearest.length > 0 ? `its earlier records are of other settings or another machine (${nearest.join("; ")})` : "its earlier records hold no time" };
};

/**
 * Compares each record with the last stable earlier one of the same model name and target, of the same settings and processor. A regression is both larger than `limit`
 * (0.05 is 5 % of the median) and significant. Records without such a base are left out: `notComparable` names them. Throws UserError BASE_NOT_STABLE or NOTHING_TO_COMPARE where no record has one.
 */
export const compareRecords = (before: readonly BenchmarkRecord[], after: readonly BenchmarkRecord[], limit: number, options: CompareOptions = {}): Change[] => {
  const changes = after.flatMap((record): Change[] => {
    const base = baseOf(before, record, options);
    return "why" in base ? [] : [changeOf(base, record, limit)];
  });
  if (changes.length > 0) return changes;
  const missing = notComparable(before, after, options);
  throw missing.some(({ why }) => why.includes("not stable")) ? baseNotStable(missing.map(({ record, why }) => `${setupOf(record)}: ${why}`))
    : nothingToCompare(after.map((record) => `${setupOf(record)} on ${processorOf(record)}`), before.map((record) => `${setupOf(record)} on ${processorOf(record)}`), missing.map(({ why }) => why));
};

/** Records without a comparable earlier one, and why. */
export const notComparable = (before: readonly BenchmarkRecord[], after: readonly BenchmarkRecord[], options: CompareOptions = {}): { readonly record: BenchmarkRecord; readonly why: string }[] =>
  after.flatMap((record) => {
    const base = baseOf(before, record, options);
    return "why" in base ? [{ record, why: base.why }] : [];
  });

/** Throws UserError NOTHING_TO_COMPARE or BASE_NOT_STABLE where no model has an earlier record on one of the targets, or no stable one: known before anything is measured. */
export const checkComparable = (before: readonly BenchmarkRecord[], models: readonly string[], targets: readonly string[], { allowUnstable = false }: CompareOptions = {}): void => {
  const named = before.filter(({ model, target }) => models.includes(model) && targets.includes(target));
  if (named.length === 0) throw nothingToCompare(models.map((model) => `${model} on ${targets.join(" or ")}`), before.map(({ model, target }) => `${model} on ${target}`));
  if (!allowUnstable && named.every(({ stable }) => !stable)) throw baseNotStable(named.slice(-1).map((record) => `${setupOf(record)}: ${record.unstableReasons?.join("; ") || "no reason recorded"}`));
};

export const isSameSetup = (a: Setup, b: Setup): boolean => a.model === b.model && a.target === b.target && a.threads === b.threads && a.batch === b.batch;

/** "int8.onnx on pi5 (4 threads, batch 1)" */
export const setupOf = ({ model, target, threads, batch }: Setup): string => `${model} on ${target} (${threads} thread${threads === 1 ? "" : "s"}, batch ${batch})`;
const processorOf = ({ device: { name, cpu } }: BenchmarkRecord): string => cpu ?? name;

const changeOf = (before: BenchmarkRecord, after: BenchmarkRecord, limit: number): Change => {
  const slower = after.inferenceMs.p50 / before.inferenceMs.p50 - 1;
  const p = before.blockMediansMs && after.blockMediansMs ? mannWhitney(before.blockMediansMs, after.blockMediansMs) : null;
  const doubts = [
    ...(before.stable ? [] : ["the earlier measurement was not stable"]), ...(after.stable ? [] : ["this measurement is not stable"]),
    ...(before.device.name === after.device.name && before.device.cpu === after.device.cpu ? [] : [`another device (${before.device.name}, now ${after.device.name})`]),
    ...mustBeSame.flatMap(({ what, of }) => (isKnown(of(before)) === isKnown(of(after)) ? [] : [`the ${isKnown(of(before)) ? "present" : "earlier"} record does not say its ${what}`])),
    ...differencesOf(before, after, shouldBeSame).map((difference) => `another ${difference}`),
    ...(p === null ? ["a record without block medians: judged by the limit alone"] : []),
  ];
  return {
    model: after.model, target: after.target, threads: after.threads, batch: after.batch, beforeMs: before.inferenceMs.p50, afterMs: after.inferenceMs.p50,
    slower, p, regressed: slower > limit && (p === null || p < significance), doubts,
  };
};

const nothingToCompare = (now: readonly string[], then: readonly string[], reasons: readonly string[] = []): UserError =>
  new UserError("NOTHING_TO_COMPARE", `There is no earlier record of ${now.join(", ")}; the earlier file has ${shortList([...new Set(then)])}.${reasons.length > 0 ? ` Not comparable: ${shortList([...new Set(reasons)])}.` : ""}`,
    "measure the same model file names on the same target and machine with the same --threads and --batch, or begin a history there with --history alone.");

const baseNotStable = (missing: readonly string[]): UserError =>
  new UserError("BASE_NOT_STABLE", `No earlier record is stable enough to compare with. ${shortList(missing)}.`,
    "mend what made it unstable and measure with --history alone until a record is stable, or accept it as it is with --allow-unstable.");

const shortList = (entries: readonly string[]): string => `${entries.slice(0, 5).join(", ")}${entries.length > 5 ? ` and ${entries.length - 5} more` : ""}`;
