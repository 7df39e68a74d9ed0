import { openTarget } from "../../targets/open.ts";
import { nameOf, type TargetEntry } from "../../targets/inventory.ts";
import type { BenchmarkModel } from "../../targets/target.ts";
import { benchmarkHooks } from "../progress.ts";
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
      const { hooks, end } = benchmarkHooks(reporter, `benchmark on ${nameOf(entry)}`, signal);
      try {
        const target = openTarget(entry);
        records[nameOf(entry)] = await target.benchmark({
          models: variants.filter(({ runtime = target.runtime }) => runtime === target.runtime).map((variant) => benchmarkModel(variant, runFolder)), picture: plan.val.items[0]!.path,
          runs: config.benchmark.runs, seconds: config.benchmark.seconds, threads: threadsOf(entry) ?? config.benchmark.threads,
        }, hooks);
      } finally {
        end();
      }
    }
    return { variants: [], report: { records: records as unknown as JsonObject } };
  },
};

const threadsOf = (entry: TargetEntry): number | undefined => (entry === "local" ? undefined : entry.threads);

const benchmarkModel = ({ name, model, sha256, precision, session, timedSession }: VariantFile, runFolder: string): BenchmarkModel =>
  ({ name, path: variantPath(runFolder, model), sha256, precision, ...(session && { session }), ...(timedSession && { timedSession }) });
