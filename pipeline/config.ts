import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { UserError } from "../graph/error.ts";
import { codeKeys, refuseCode, type Trust } from "../targets/code-keys.ts";
import { readYaml, refusedText } from "../targets/yaml-text.ts";
import { crossChecks, fileFields, type Found } from "./config-checks.ts";
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
  const text = await readFile(path, "utf8").catch((cause: unknown) => { throw cannotRead(path, cause); });
  return parseConfig(text, path, trust);
};

/** As `loadConfig`, for text; `path` names the file in errors and is what paths are relative to. */
export const parseConfig = (text: string, path: string, { allowCode = true }: Trust = {}): LoadedConfig => {
  const yaml = readYaml(text);
  const { document, lineOf } = yaml;
  const folder = dirname(resolve(path));
  if (document.errors.length > 0) {
    throw invalid(path, document.errors.map((error) => ({ line: error.linePos?.[0].line ?? 1, message: error.message.split(" at line ")[0] ?? error.message })));
  }
  const raw: unknown = document.toJS();
  const parsed = configSchema.safeParse(raw ?? {});
  const found: readonly Found[] = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap(flatten)),
    ...crossChecks(raw),
    ...fileFields(raw).flatMap(({ path: at, file }) => (existsSync(resolve(folder, file)) ? [] : [{ path: at, message: `${at.join(".")}: there is no file or folder "${file}" (looked for ${resolve(folder, file)})` }])),
  ];
  const problems = [...refusedText(yaml), ...found.map(({ path: at, key, message }) => ({ line: lineOf(at, key), message }))];
  if (!parsed.success || problems.length > 0) throw invalid(path, problems);
  if (!allowCode) refuseCode(path, codeKeys(raw, configJsonSchema()), lineOf);
  return { config: parsed.data, path: resolve(path), folder };
};

/** zod's issues in words; of a union the branch that fits best speaks. */
const flatten = (issue: z.core.$ZodIssue): Found[] => {
  if (issue.code === "invalid_union") {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] })));
    const best = branches.filter((branch) => branch.length > 0).sort((a, b) => misfit(a, issue.path) - misfit(b, issue.path))[0];
    return best ?? [{ path: issue.path, message: `${nameOf(issue.path)}: ${issue.message}` }];
  }
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => ({ path: issue.path, key, message: `unknown key "${[...issue.path, key].join(".")}"` }));
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return [{ path: issue.path, message: missing ? `"${nameOf(issue.path)}" is missing` : `${nameOf(issue.path)}: ${words(issue.message)}` }];
};

/** A branch of another type altogether fits worst, then one of other keys. */
const misfit = (found: readonly Found[], at: readonly PropertyKey[]): number =>
  found.reduce((sum, { path, key, message }) => sum + (path.length === at.length && key === undefined && !message.includes("missing") ? 100 : 1), 0);

const nameOf = (path: readonly PropertyKey[]): string => path.map(String).join(".") || "the config";

const words = (message: string): string => message
  .replace(/^Too (small|big): expected (?:number|int|string|array|tuple)(?: to (?:be|have))? /, (_, size: string) => `too ${size === "big" ? "large" : "small"}, must be `)
  .replace(/^Invalid input: expected (\w+), received (\w+)$/, "must be a $1, not a $2")
  .replace(/^Invalid option: expected one of /, "must be one of ").replaceAll("|", ", ")
  .replace(/^Invalid string: must match pattern.*$/, "has characters that are not allowed");

const invalid = (path: string, problems: readonly ConfigProblem[]): UserError => {
  const sorted = [...problems].sort((a, b) => a.line - b.line);
  return new UserError("CONFIG_INVALID", `${path} has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n${sorted.map(({ line, message }) => `  ${path}:${line}: ${message}`).join("\n")}`,
    "mend these lines; docs/config.md explains every key, `edgestill init --schema` prints the JSON Schema.");
};

const cannotRead = (path: string, cause: unknown): UserError =>
  new UserError("CONFIG_READ", `Cannot read the config ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`, "check the path, or make a config with `edgestill init`.", { cause });
