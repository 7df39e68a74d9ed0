import type { BenchmarkRecord, RunResult, Variant } from "../pipeline/result.ts";

/** A record whose times are the target's own: not made on an emulator. */
export const timed = (record: BenchmarkRecord | undefined): record is BenchmarkRecord => record !== undefined && record.emulated !== true;

/** The record of a variant on a target; names such as "constructor" are names too. */
export const recordOn = ({ latency }: Pick<Variant, "latency">, target: string): BenchmarkRecord | undefined =>
  Object.hasOwn(latency, target) ? latency[target] : undefined;

/** Every target that any variant has a record for, in the order of first appearance. */
export const targetsOf = (result: RunResult): string[] => [...new Set(result.variants.flatMap(({ latency }) => Object.keys(latency)))];

export const variantNamed = (result: RunResult, name: string | null): Variant | undefined =>
  result.variants.find((variant) => variant.name === name);

export const teacherOf = (result: RunResult): Variant | undefined => result.variants.find(({ stage }) => stage === "teacher");

/** mAP of the variant less that of its parent, as a fraction; undefined where either was not evaluated. */
export function mapChange(variant: Variant, parent: Variant | undefined): number | undefined {
  return variant.accuracy && parent?.accuracy ? variant.accuracy.map - parent.accuracy.map : undefined;
}

/** Times of two variants on one target. */
export interface Comparison {
  readonly target: string;
  readonly before: BenchmarkRecord;
  readonly after: BenchmarkRecord;
}

/** On the first target where both times are stable, else the first that timed both. */
export function compareLatency(before: Variant, after: Variant): Comparison | undefined {
  const both = Object.entries(before.latency).flatMap(([target, record]): Comparison[] => {
    const other = recordOn(after, target);
    return timed(record) && timed(other) ? [{ target, before: record, after: other }] : [];
  });
  return both.find(isStable) ?? both[0];
}

export const isStable = ({ before, after }: Comparison): boolean => before.stable && after.stable;

/**
 * The variant that the run was for: of those in the last stage reached the fastest beside the teacher, or the last one where none was timed.
 */
export function finalVariant(result: RunResult): Variant | undefined {
  const last = result.variants.at(-1);
  const teacher = teacherOf(result);
  if (!last || !teacher) return last;
  const p50 = (variant: Variant) => compareLatency(teacher, variant)?.after.inferenceMs.p50 ?? Infinity;
  return result.variants
    .filter(({ stage }) => stage === last.stage)
    .reduce((best, variant) => (p50(variant) < p50(best) ? variant : best), last);
}

export interface Placed {
  readonly variant: Variant;
  readonly record: BenchmarkRecord;
  readonly p50Ms: number;
  readonly map: number;
}

/** Variants with both a time on the target and an accuracy. */
export function placedOn(result: RunResult, target: string): Placed[] {
  return result.variants.flatMap((variant) => {
    const record = recordOn(variant, target);
    return timed(record) && variant.accuracy ? [{ variant, record, p50Ms: record.inferenceMs.p50, map: variant.accuracy.map }] : [];
  });
}

/** Those that no other beats in both time and accuracy, fastest first. */
export function paretoFront(placed: readonly Placed[]): Placed[] {
  const front: Placed[] = [];
  for (const place of [...placed].sort((a, b) => a.p50Ms - b.p50Ms || b.map - a.map))
    if (place.map > (front.at(-1)?.map ?? -Infinity)) front.push(place);
  return front;
}
