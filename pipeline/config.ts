import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readTextFile } from "../input/read.ts";
import { codeKeys, refuseCode, type Trust } from "../targets/code-keys.ts";
import { readYamlText, refusedText } from "../targets/yaml-text.ts";
import { checkSchema, type SchemaProblem } from "../input/schema.ts";
import { crossChecks, fileFields } from "./config-checks.ts";
import { configJsonSchema, configSchema, type Config } from "./config-schema.ts";

/** One thing wrong with a config. */
export interface ConfigProblem {
  /** 1-based line in the file. */
  readonly line: number;
  readonly message: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly path: string;
  /** Folder of the file: paths in the config are relative to it. */
  readonly folder: string;
}

/**
 * Reads a config and checks it whole before any work: unknown keys, impossible values and missing files.
 * Throws UserError CONFIG_READ, CONFIG_INVALID with every problem and its line, or (without `allowCode`) CONFIG_RUNS_CODE.
 */
export const loadConfig = async (path: string, trust: Trust = {}): Promise<LoadedConfig> => {
  const text = await readTextFile(path, inputLimits.configBytes).catch((cause: unknown) => { throw cannotRead(path, cause); });
  return parseConfig(text, path, trust);
};

/** As `loadConfig`, for text; `path` names the file in errors and is what paths are relative to. */
export const parseConfig = (text: string, path: string, { allowCode = true }: Trust = {}): LoadedConfig => {
  const yaml = readYamlText(text);
  const { value: raw, lineOf } = yaml;
  const folder = dirname(resolve(path));
  if (yaml.problems.length > 0) throw invalid(path, yaml.problems);
  const parsed = checkSchema(configSchema, raw ?? {}, "the config");
  const found: readonly SchemaProblem[] = [
    ...(parsed.problems ?? []),
    ...crossChecks(raw),
    ...fileFields(raw).flatMap(({ path: at, file }) => (existsSync(resolve(folder, file)) ? [] : [{ path: at, message: `${at.join(".")}: there is no file or folder "${file}" (looked for ${resolve(folder, file)})` }])),
  ];
  const problems = [...refusedText(yaml), ...found.map(({ path: at, key, message }) => ({ line: lineOf(at, key), message }))];
  if (parsed.problems || problems.length > 0) throw invalid(path, problems);
  if (!allowCode) refuseCode(path, codeKeys(raw, configJsonSchema()), lineOf);
  return { config: parsed.data, path: resolve(path), folder };
};

const invalid = (path: string, problems: readonly ConfigProblem[]): UserError => {
  const sorted = [...problems].sort((a, b) => a.line - b.line);
  return new UserError("CONFIG_INVALID", `${path} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${sorted.map(({ line, message }) => `  ${path}:${line}: ${message}`).join("\n")}`,
    "mend these lines; docs/config.md explains every key, `edgestill init --schema` prints the JSON Schema.");
};

const cannotRead = (path: string, cause: unknown): UserError =>
  new UserError("CONFIG_READ", `Cannot read the config ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`, "check the path, or make a config with `edgestill init`.", { cause });
