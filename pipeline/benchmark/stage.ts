import { basename, join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { openTarget } from "../../targets/open.ts";
import { nameOf, type TargetEntry } from "../../targets/inventory.ts";
import type { BenchmarkModel } from "../../targets/target.ts";
import { readKept, writeKept } from "../kept.ts";
import { benchmarkHooks } from "../progress.ts";
import type { BenchmarkRecord, JsonObject } from "../result.ts";
import type { Stage, StageContext, VariantFile } from "../stage.ts";
import { variantPath } from "../variant-files.ts";

/**
 * Latency of every variant on every target. The report holds the records: `{records: {<target>: [...]}}`. Each target's are kept as soon as it is measured; a
 * target that fails does not stop the others.
 */
export const benchmarkStage: Stage<"benchmark"> = {
  name: "benchmark",
  identity: ({ loaded: { config } }) => (config.targets.length === 0 ? undefined : { targets: config.targets, benchmark: config.benchmark }),
  run: async (context) => {
    const { loaded: { config: { targets } }, withoutTargets, folder, damaged, reporter } = context;
    const measureAll = damaged.some((path) => path.endsWith(".timing")); // only measuring brings timing caches back
    const records: Record<string, readonly BenchmarkRecord[]> = {};
    const failures: Failure[] = [];
    const wanted = targets.filter((entry) => !withoutTargets.includes(nameOf(entry)));
    for (const entry of wanted) {
      const name = nameOf(entry);
      const file = join(folder, `records-${name}.json`);
      const of = `benchmark ${basename(folder)} ${name}`;
      const kept = measureAll ? undefined : ((await readKept(file, of, `${name} is measured again`, reporter)) as { readonly records: readonly BenchmarkRecord[] } | undefined)?.records;
      if (kept) reporter.line(`benchmark on ${name}: measured already`);
      try {
        records[name] = kept ?? (await measure(context, entry));
        if (!kept) await writeKept(file, of, { records: records[name] });
      } catch (error) {
        if (!(error instanceof UserError)) throw error; // an interruption, or a bug
        failures.push({ name, error });
        reporter.warn(`benchmark on ${name} failed: ${error.message}`);
      }
    }
    const undone = failures.length > 0 || wanted.length < targets.length ? { undone: { error: failures.length > 0 ? notMeasured(failures) : undefined } } : {};
    return { variants: [], report: { records: records as unknown as JsonObject }, ...undone };
  },
};

const measure = async ({ loaded: { config: { benchmark } }, plan, variants, runFolder, folder, reporter, signal }: StageContext, entry: TargetEntry): Promise<readonly BenchmarkRecord[]> => {
  const { hooks, end } = benchmarkHooks(reporter, `benchmark on ${nameOf(entry)}`, signal);
  try {
    const target = openTarget(entry);
    return await target.benchmark({
      models: variants.filter(({ runtime = target.runtime }) => runtime === target.runtime).map((variant) => benchmarkModel(variant, runFolder)), picture: plan.val.items[0]!.path,
      runs: benchmark.runs, seconds: benchmark.seconds, threads: threadsOf(entry) ?? benchmark.threads, soakSeconds: benchmark.soakSeconds, keepIn: folder,
    }, hooks);
  } finally {
    end();
  }
};

interface Failure {
  readonly name: string;
  readonly error: UserError;
}

/** With the code and the advice of the first failure. */
const notMeasured = (failures: readonly Failure[]): UserError => {
  const { error } = failures[0]!;
  const [names, without] = [failures.map(({ name }) => name).join(" and "), failures.map(({ name }) => name).join(" ")];
  return new UserError(error.code, `The benchmark on ${names} failed. ${failures.map((failure) => failure.error.message).join(" ")}`,
    `${error.nextStep} All that is finished is kept: the same command measures what is missing, and with \`--without ${without}\` it goes on without it.`, { cause: error });
};

const threadsOf = (entry: TargetEntry): number | undefined => (entry === "local" ? undefined : entry.threads);

const benchmarkModel = ({ name, model, sha256, precision, session }: VariantFile, runFolder: string): BenchmarkModel =>
  ({ name, path: variantPath(runFolder, model), sha256, precision, ...(session && { session }) });
