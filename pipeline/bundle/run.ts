import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { readKey } from "../../bundle/signature.ts";
import { writeBundle, type WrittenBundle } from "../../bundle/write.ts";
import type { Trust } from "../../targets/code-keys.ts";
import { UserError } from "../../graph/error.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import { bundleDefaults, configSchema, type BundleConfig } from "../config-schema.ts";
import { loadConfig } from "../config.ts";
import { readKept } from "../kept.ts";
import { makePlan, type Plan } from "../plan.ts";
import { silentReporter, type Reporter } from "../progress.ts";
import { readRun, runFile } from "../run-file.ts";
import { notARun, type RunResult } from "../result.ts";
import { bundleInput } from "./input.ts";
import { sourceFile } from "./source.ts";
import { following, toolRecord } from "./stage.ts";

export interface BundleRunOptions extends Trust {
  readonly variant?: string;
  readonly formats?: BundleConfig["formats"];
  /** Folder that gets the bundle; default `bundles` in the run folder. */
  readonly out?: string;
  /** PEM file of the private ed25519 key that signs. */
  readonly sign?: string;
  /** The run's config, for its data sets; default where it was when the run was made. */
  readonly config?: string;
  readonly archive?: boolean;
  readonly reporter?: Reporter;
  readonly signal?: AbortSignal;
}

/** The bundle of a finished run. Throws UserError NOT_A_RUN, BUNDLE_VARIANT, BUNDLE_CONFIG, BUNDLE_DATA, BUNDLE_MODEL, KEY and those of `writeBundle`. */
export const bundleRun = async (runFolder: string, options: BundleRunOptions = {}): Promise<WrittenBundle> => {
  const { reporter = silentReporter, signal } = options;
  const key = options.sign === undefined ? undefined : await readKey(options.sign, "private");
  const result = await readRun(runFolder, reporter);
  const settings = settingsOf(result, runFolder, options);
  const plan = await planOf(result, runFolder, options, reporter);
  if (!plan) reporter.warn("the run's config is not where it was: accuracy by slice is not measured (name it with --config)");
  const requirements = ofConfig(configSchema.shape.requirements, result, "requirements", runFolder) ?? [];
  const input = await bundleInput({ result, runFolder: resolve(runFolder), settings, requirements, plan });
  return writeBundle(input, resolve(options.out ?? join(runFolder, "bundles")), {
    tool: toolRecord(), archive: options.archive ?? settings.archive, ...(key && { key }), ...following(reporter, signal),
  });
};

/** A part of the config as run.json keeps it; a file that was changed by hand is refused as any other. */
const ofConfig = <T>(schema: z.ZodType<T>, { config }: RunResult, key: string, runFolder: string): T => {
  const { data, problems } = checkSchema(schema, config[key], `config.${key}`);
  if (problems) throw notARun(join(runFolder, runFile), problemText(problems));
  return data;
};

const settingsOf = (result: RunResult, runFolder: string, { variant, formats }: BundleRunOptions): BundleConfig => ({
  ...bundleDefaults(), ...(ofConfig(configSchema.shape.bundle, result, "bundle", runFolder) ?? {}), ...(variant !== undefined && { variant }), ...(formats && { formats }),
});

/** The run's data sets; null where no config is named and the old one is gone. */
const planOf = async (result: RunResult, runFolder: string, { config: given, ...trust }: BundleRunOptions, reporter: Reporter): Promise<Plan | null> => {
  const saved = (await readKept(join(runFolder, sourceFile), sourceFile, "the config is not known from there", reporter)) as { readonly config: string } | undefined;
  const path = given ?? saved?.config;
  if (path === undefined) return null;
  const loaded = await loadConfig(path, trust).catch((error: unknown) => {
    if (given === undefined && error instanceof UserError && error.code === "CONFIG_READ") return null;
    throw error;
  });
  if (!loaded) return null;
  const { name, data, seed } = loaded.config;
  const same = (key: string, value: unknown): boolean => JSON.stringify(result.config[key]) === JSON.stringify(value);
  if (!same("name", name) || !same("seed", seed) || !same("data", data)) throw otherConfig(path, runFolder);
  const cacheFolder = join(dirname(resolve(runFolder)), "cache");
  const plan = await makePlan(loaded, reporter, existsSync(cacheFolder) ? cacheFolder : undefined);
  const changed = changedSets(result, plan);
  if (changed.length > 0) throw otherData(changed, runFolder);
  return plan;
};

/** The sets whose pictures or labels are no longer those of the run. */
const changedSets = ({ stages }: RunResult, { fingerprints }: Plan): string[] => {
  const kept = (stages.find(({ name }) => name === "plan")?.report as { readonly fingerprints?: Readonly<Record<string, string>> } | undefined)?.fingerprints ?? {};
  const names: Readonly<Record<keyof typeof fingerprints, string>> = { train: "training set", val: "validation set", reported: "set that the reported figures come from" };
  return (Object.keys(names) as (keyof typeof names)[]).flatMap((set) => ((kept[set] ?? fingerprints[set]) === fingerprints[set] ? [] : [names[set]]));
};

const otherData = (sets: readonly string[], runFolder: string): UserError =>
  new UserError("BUNDLE_DATA", `Pictures or labels have changed since the run in ${runFolder}: of the ${sets.join(", the ")}. Its figures and new evidence would not belong together.`,
    "run compress again with the present data (what is still right is reused), or put the old data back.");

const otherConfig = (path: string, runFolder: string): UserError =>
  new UserError("BUNDLE_CONFIG", `${path} is not the config of the run in ${runFolder}: its name, seed or data differ.`, "name the config that the run was made with (--config), or run compress with the new one first.");
