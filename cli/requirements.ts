import type { RequirementRow } from "../bundle/manifest-schema.ts";
import type { RunResult, StageReports } from "../pipeline/result.ts";

/** "requirement PER-12 (ap.pedestrian >= 0.4, night) is not met: 0.31". */
export const failedRequirement = ({ id, metric, relation, limit, slice, measured }: RequirementRow): string =>
  `requirement ${id} (${metric} ${relation} ${limit}, ${slice}) is not met: ${measured === null ? "not measured" : String(Number(measured.toPrecision(4)))}`;

/** Requirements that the run's bundle does not meet: as a gate, each fails the run. None where the run made no bundle. */
export const unmetRequirements = ({ stages }: RunResult): RequirementRow[] => {
  const bundle = stages.find(({ name }) => name === "bundle")?.report as StageReports["bundle"] | undefined;
  return ((bundle?.["requirements"] ?? []) as unknown as readonly RequirementRow[]).filter(({ passed }) => !passed);
};
