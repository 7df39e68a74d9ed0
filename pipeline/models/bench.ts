import { access, appendFile, constants } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { inputLimits } from "../../input/limits.ts";
import { isMissing, readTextFile } from "../../input/read.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import { loadModel } from "../../onnx/load.ts";
import { checkComparable } from "../../targets/compare.ts";
import { sha256File } from "../../files/digest.ts";
import { chooseTargets, nameOf, type TargetEntry } from "../../targets/inventory.ts";
import { openTarget } from "../../targets/open.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel } from "../../targets/target.ts";
import { renderRecords } from "../../report/records.ts";
import { cannotWrite, notWritten, writeFileSafely } from "../files.ts";
import { benchmarkRecord, type BenchmarkRecord } from "../result.ts";
import { exactSession, precisionOf } from "./session.ts";

export interface BenchOptions extends Partial<Pick<BenchmarkJob, "runs" | "seconds" | "threads" | "batches" | "picture" | "soakSeconds" | "lockClocks">> {
  /** Names of targets, or user@host; default `local`. */
  readonly targets?: readonly string[];
  /** Entries of targets.yaml, as `readInventory` gives them. */
  readonly inventory?: readonly TargetEntry[];
  /** Records that the new ones will be compared with: refused before measuring where they have none of these models and targets. */
  readonly against?: readonly BenchmarkRecord[];
  /** They may be records that are not stable. */
  readonly allowUnstable?: boolean;
  readonly hooks?: BenchmarkHooks;
}

/** Benchmark records of model files, target by target. Throws UserError UNKNOWN_TARGET, NOTHING_TO_COMPARE, BASE_NOT_STABLE, and those of `loadModel` and of the targets. */
export const benchModels = async (paths: readonly string[], options: BenchOptions = {}): Promise<BenchmarkRecord[]> => {
  const { targets = ["local"], inventory = [], runs = 200, seconds = 10, hooks = {}, threads, batches, picture, soakSeconds, lockClocks, against, allowUnstable = false } = options;
  const chosen = chooseTargets(inventory, targets);
  if (against) checkComparable(against, paths.map((path) => basename(path)), chosen.map(nameOf), { allowUnstable });
  const models: BenchmarkModel[] = [];
  for (const path of paths) {
    const { graph } = await loadModel(path);
    const { session } = exactSession(graph);
    models.push({ name: basename(path), path, sha256: await sha256File(path), precision: precisionOf(graph), session });
  }
  const job: BenchmarkJob = { models, runs, seconds, threads, soakSeconds, lockClocks, ...(batches && { batches }), ...(picture !== undefined && { picture }) };
  const records: BenchmarkRecord[] = [];
  for (const entry of chosen) records.push(...(await openTarget(entry).benchmark(job, hooks)));
  return records;
};

/** Records of an earlier `bench --json`, or of a history file (JSON lines); at least one. Throws UserError NOT_RECORDS. */
export const readRecords = async (path: string): Promise<BenchmarkRecord[]> => {
  const text = await readTextFile(path, inputLimits.textBytes).catch((cause: unknown) => { throw cannotReadRecords(path, cause); });
  if (text.trim() === "") throw notRecords(path, "it is empty");
  const entries = isOneValue(text) ? wholeFile(text, path) : linesOf(text, path);
  if (entries.length === 0) throw notRecords(path, "it holds no record");
  return entries.map(({ place, value }) => {
    const { data, problems } = checkSchema(benchmarkRecord, value);
    if (problems) throw notRecords(path, `${place}: ${problemText(problems)}`);
    return data;
  });
};

/** That records can be appended: the file is a history, or there is none yet but its folder. Throws UserError NOT_RECORDS or CANNOT_WRITE. */
export const checkHistory = async (path: string): Promise<void> => {
  const text = await readTextFile(path, inputLimits.textBytes).catch((cause: unknown) => { if (!isMissing(cause)) throw cannotWrite(path, cause); return undefined; });
  await access(text === undefined ? dirname(path) : path, constants.W_OK).catch((cause: unknown) => { throw cannotWrite(path, cause); });
  if (text === undefined || text.trim() === "") return;
  if (isOneValue(text)) throw notRecords(path, "it was written by --json, and a history has one record a line");
  await readRecords(path);
};

/** One JSON line per record, oldest first; begins the file where there is none. Throws UserError CANNOT_WRITE or DISK_FULL. */
export const appendHistory = async (path: string, records: readonly BenchmarkRecord[]): Promise<void> => {
  try {
    const before = await readTextFile(path, inputLimits.textBytes).catch((cause: unknown) => { if (!isMissing(cause)) throw cause; return ""; });
    const gap = before === "" || before.endsWith("\n") ? "" : "\n"; // an editor took the last line's end
    await appendFile(path, gap + records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  } catch (cause) {
    throw notWritten(path, cause);
  }
};

/** Renders the records of a file (`bench --json`, or a history) as HTML beside it; returns its path. Throws UserError NOT_RECORDS. */
export const renderRecordsFile = async (path: string): Promise<string> => {
  const { dir, name } = parse(path);
  const report = join(dir, `${name}.html`);
  await writeFileSafely(report, renderRecords(name, await readRecords(path)));
  return report;
};

interface Entry {
  readonly place: string;
  readonly value: unknown;
}

/** `bench --json` prints a list; with --against the records beside the changes. */
const isOneValue = (text: string): boolean => /^\s*(\[|\{\s*"records")/.test(text);

const wholeFile = (text: string, path: string): Entry[] => {
  const value = parsedJson(text, path, "the file");
  const list: unknown = typeof value === "object" && value !== null && "records" in value ? value.records : value;
  if (!Array.isArray(list)) throw notRecords(path, "it has no list of records");
  return list.map((entry: unknown, index) => ({ place: `record ${index + 1}`, value: entry }));
};

const linesOf = (text: string, path: string): Entry[] =>
  text.split("\n").flatMap((line, index) => (line.trim() === "" ? [] : [{ place: `line ${index + 1}`, value: parsedJson(line, path, `line ${index + 1}`) }]));

const parsedJson = (text: string, path: string, place: string): unknown => {
  try {
    return parseJson(text);
  } catch (cause) {
    throw notRecords(path, `${place} is not JSON, or cut off (${cause instanceof Error ? cause.message : String(cause)})`);
  }
};

const notRecords = (path: string, problem: string): UserError =>
  new UserError("NOT_RECORDS", `${path} does not hold benchmark records: ${problem}.`, "give a file that `edgestill bench --json` or `--history` wrote; of a history a broken line may be removed.");

const cannotReadRecords = (path: string, cause: unknown): UserError =>
  new UserError("NOT_RECORDS", `Cannot read the benchmark records ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`, `check the path; to begin a history run the same command with --history ${path} and without --against.`);
