import { appendFile, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { loadModel } from "../../onnx/load.ts";
import { sha256File } from "../../targets/digest.ts";
import { chooseTargets, type TargetEntry } from "../../targets/inventory.ts";
import { openTarget } from "../../targets/open.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel } from "../../targets/target.ts";
import { benchmarkRecord, type BenchmarkRecord } from "../result.ts";
import { exactSession } from "./session.ts";

export interface BenchOptions extends Partial<Pick<BenchmarkJob, "runs" | "seconds" | "threads" | "batches" | "picture" | "soakSeconds" | "lockClocks">> {
  /** Names of targets, or user@host; default `local`. */
  readonly targets?: readonly string[];
  /** Entries of targets.yaml, as `readInventory` gives them. */
  readonly inventory?: readonly TargetEntry[];
  readonly hooks?: BenchmarkHooks;
}

/** Benchmark records of model files, target by target. Throws UserError UNKNOWN_TARGET, and those of `loadModel` and of the targets. */
export const benchModels = async (paths: readonly string[], options: BenchOptions = {}): Promise<BenchmarkRecord[]> => {
  const { targets = ["local"], inventory = [], runs = 200, seconds = 10, hooks = {}, threads, batches, picture, soakSeconds, lockClocks } = options;
  const chosen = chooseTargets(inventory, targets);
  const models: BenchmarkModel[] = [];
  for (const path of paths) {
    const { graph } = await loadModel(path);
    const { session } = exactSession(graph);
    models.push({ name: basename(path), path, sha256: await sha256File(path), precision: session.extra ? "int8" : "float32", session });
  }
  const job: BenchmarkJob = { models, runs, seconds, threads, soakSeconds, lockClocks, ...(batches && { batches }), ...(picture !== undefined && { picture }) };
  const records: BenchmarkRecord[] = [];
  for (const entry of chosen) records.push(...(await openTarget(entry).benchmark(job, hooks)));
  return records;
};

/** Records of an earlier `bench --json`, or of a history file (JSON lines). Throws UserError NOT_RECORDS. */
export const readRecords = async (path: string): Promise<BenchmarkRecord[]> => {
  const text = await readFile(path, "utf8").catch((cause: unknown) => { throw notRecords(path, cause instanceof Error ? cause.message : String(cause)); });
  const found = parseEither(text, path);
  const raw = isComparison(found) ? found.records : found;
  const parsed = z.array(benchmarkRecord).safeParse(raw);
  if (!parsed.success) throw notRecords(path, parsed.error.issues.slice(0, 3).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  return parsed.data;
};

/** One JSON line per record, oldest first. */
export const appendHistory = (path: string, records: readonly BenchmarkRecord[]): Promise<void> => appendFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(""));

/** `bench --against --json` prints the records beside the changes. */
const isComparison = (value: unknown): value is { readonly records: unknown } => typeof value === "object" && value !== null && "records" in value;

const parseEither = (text: string, path: string): unknown => {
  try {
    return /^\s*(\[|\{\s*"records")/.test(text) ? JSON.parse(text) : text.split("\n").filter((line) => line.trim() !== "").map((line): unknown => JSON.parse(line));
  } catch (cause) {
    throw notRecords(path, cause instanceof Error ? cause.message : String(cause));
  }
};

const notRecords = (path: string, problem: string): UserError =>
  new UserError("NOT_RECORDS", `${path} does not hold benchmark records: ${problem}.`, "give a file that `edgestill bench --json` or `--history` wrote.");
