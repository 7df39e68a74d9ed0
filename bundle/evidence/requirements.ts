import type { RunResult, Variant } from "../../pipeline/result.ts";
import type { BundledModel, Requirement } from "../input.ts";
import type { Interval, ModelAccuracyRecord, RequirementRow, SliceAccuracy } from "../manifest-schema.ts";

/** Where figures of a kind lie in the bundle. */
export const evidenceFiles = { accuracy: "evidence/accuracy.json", run: "evidence/run.json", drift: "evidence/drift.json", requirements: "evidence/requirements.json" } as const;

/** Where what was timed lies. */
export const timedFile = "measured/timings.json";

interface Measured extends Interval {
  readonly model: string;
}

/** What a metric reads; `higher` says which side of the limit is good. */
interface Metric {
  readonly higher: boolean;
  readonly evidence: string;
  readonly read: (model: BundledModel, sources: Sources) => Interval | null;
}

interface Sources {
  readonly result: RunResult;
  readonly accuracies: readonly ModelAccuracyRecord[];
  readonly slice: string;
}

const point = (value: number | null | undefined): Interval | null => (value === null || value === undefined ? null : { value, low: null, high: null });
const variantOf = ({ variant }: BundledModel, { result }: Sources): Variant | undefined => result.variants.find(({ name }) => name === variant);
const sliceOf = ({ role }: BundledModel, { accuracies, slice }: Sources): SliceAccuracy | undefined => accuracies.find((record) => record.role === role)?.slices.find((one) => one.slice === slice);

const accuracy = (read: (slice: SliceAccuracy) => Interval | undefined): Metric => ({
  higher: true, evidence: evidenceFiles.accuracy, read: (model, sources) => { const slice = sliceOf(model, sources); return (slice && read(slice)) ?? null; },
});
const cost = (read: (variant: Variant, sources: Sources) => number | null | undefined, evidence: string = evidenceFiles.run): Metric => ({
  higher: false, evidence, read: (model, sources) => { const variant = variantOf(model, sources); return point(variant && read(variant, sources)); },
});

const latency = /^(.+)\.(p50Ms|p90Ms|p95Ms|p99Ms|meanMs|maxMs)$/;
/** Metrics with a fixed name, and what they mean. */
const named: Readonly<Record<string, Metric>> = {
  map: accuracy(({ map }) => map),
  map50: accuracy(({ map50 }) => map50),
  mapDrop: cost(({ accuracy: own }, { result }) => { const teacher = result.variants.find(({ stage }) => stage === "teacher")?.accuracy; return own && teacher ? teacher.map - own.map : null; }),
  macs: cost(({ macs }) => macs),
  parameters: cost(({ parameters }) => parameters),
  sizeBytes: cost(({ sizeBytes }) => sizeBytes),
};

/** Names that a requirement may use, for messages: the fixed ones, `ap.<class>`, `<target>.p99Ms`. */
export const metricNames = [...Object.keys(named), "ap.<class>", "<target>.p50Ms (p90Ms, p95Ms, p99Ms, meanMs, maxMs)"];

/** The metric of a name; undefined where there is none. `ap.pedestrian` is a class's AP, `local.p99Ms` a latency on a target. */
export const metricOf = (name: string): Metric | undefined => {
  if (Object.hasOwn(named, name)) return named[name];
  if (name.startsWith("ap.")) return accuracy(({ perClass }) => perClass[name.slice(3)]?.ap);
  const match = latency.exec(name);
  if (!match) return undefined;
  const [, target, figure] = match as unknown as [string, string, string];
  return cost(({ latency: records }) => records[target]?.inferenceMs[figure.replace("Ms", "") as "p50"], timedFile);
};

/**
 * Requirement → metric → limit → measured → passed → file. Every int8 file (the float one where there is none) is measured; the worst counts.
 * What was not measured has not passed. A latency of a file that was not timed is left to those that were.
 */
export const requirementRows = (requirements: readonly Requirement[], models: readonly BundledModel[], result: RunResult, accuracies: readonly ModelAccuracyRecord[]): RequirementRow[] => {
  const int8 = models.filter(({ role }) => role !== "float");
  return requirements.map(({ id, metric: name, limit, slice }): RequirementRow => {
    const metric = metricOf(name);
    const measured = (int8.length > 0 ? int8 : models).flatMap((model): Measured[] => {
      const found = metric?.read(model, { result, accuracies, slice });
      return found?.value == null ? [] : [{ ...found, model: model.role }];
    });
    const isComplete = latency.test(name) || measured.length === (int8.length > 0 ? int8.length : models.length);
    const worst = isComplete ? measured.sort((a, b) => (metric!.higher ? a.value! - b.value! : b.value! - a.value!))[0] : undefined;
    const passed = worst !== undefined && (metric!.higher ? worst.value! >= limit : worst.value! <= limit);
    return {
      id, metric: name, limit, slice, relation: metric?.higher === true ? ">=" : "<=", model: worst?.model ?? "none",
      measured: worst?.value ?? null, low: worst?.low ?? null, high: worst?.high ?? null, passed, evidence: metric?.evidence ?? evidenceFiles.run,
    };
  });
};
