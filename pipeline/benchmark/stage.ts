import { availableParallelism } from "node:os";
import { localTarget } from "../../targets/local.ts";
import type { BenchmarkModel, Target } from "../../targets/target.ts";
import type { TargetConfig } from "../config-schema.ts";
import { lazyTask } from "../progress.ts";
import type { BenchmarkRecord, JsonObject } from "../result.ts";
import type { Stage, VariantFile } from "../stage.ts";
import { variantPath } from "../variant-files.ts";

/** Latency of every variant on every target. The report holds the records: `{records: {<target>: [...]}}`. */
export const benchmarkStage: Stage<"benchmark"> = {
  name: "benchmark",
  identity: ({ loaded: { config } }) => (config.targets.length === 0 ? undefined : { targets: config.targets, benchmark: config.benchmark }),
  run: async ({ loaded: { config }, plan, variants, runFolder, reporter, signal }) => {
    const records: Record<string, readonly BenchmarkRecord[]> = {};
    for (const entry of config.targets) {
      const target = targetOf(entry);
      const task = lazyTask(reporter, `benchmark on ${target.name}`, "round");
      try {
        records[target.name] = await target.benchmark({
          models: variants.filter(({ timed }) => timed !== false).map((variant) => benchmarkModel(variant, runFolder)), picture: plan.val.items[0]!.path,
          runs: config.benchmark.runs, seconds: config.benchmark.seconds, threads: threadsOf(entry) ?? config.benchmark.threads ?? availableParallelism(),
        }, { onProgress: task.update, signal });
      } finally {
        task.end();
      }
    }
    return { variants: [], report: { records: records as unknown as JsonObject } };
  },
};

export const targetOf = (entry: TargetConfig): Target => localTarget(entry === "local" ? "local" : entry.name);

const threadsOf = (entry: TargetConfig): number | undefined => (entry === "local" ? undefined : entry.threads);

const benchmarkModel = ({ name, model, sha256, precision, session, timedSession = session }: VariantFile, runFolder: string): BenchmarkModel =>
  ({ name, path: variantPath(runFolder, model), sha256, precision, ...(timedSession && { session: timedSession }) });
