import type { RequirementRow } from "../bundle/manifest-schema.ts";
import { limitTexts } from "../report/limits.ts";
import type { RunResult, StageReports } from "../pipeline/result.ts";

/** "gate mapDrop failed: 2.4 points, limit 2.0 points". */
export const failedGate = (name: string, limit: number, value: number | null): string => {
  const text = limitTexts(name, limit, value);
  return `gate ${name} failed: ${text.value}, limit ${text.limit}`;
};

/** "requirement PER-12 (ap.pedestrian >= 40.0 points, night) is not met: 31.0 points". */
export const failedRequirement = ({ id, metric, relation, limit, slice, measured }: RequirementRow): string => {
  const text = limitTexts(metric, limit, measured);
  return `requirement ${id} (${metric} ${relation} ${text.limit}, ${slice}) is not met: ${text.value}`;
};

/** Requirements that the run's bundle does not meet: as a gate, each fails the run. None where the run made no bundle. */
export const unmetRequirements = ({ stages }: RunResult): RequirementRow[] => {
  const bundle = stages.find(({ name }) => name === "bundle")?.report as StageReports["bundle"] | undefined;
  return ((bundle?.["requirements"] ?? []) as unknown as readonly RequirementRow[]).filter(({ passed }) => !passed);
};
