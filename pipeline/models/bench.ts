import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { UserError } from "../../graph/error.ts";
import { loadModel } from "../../onnx/load.ts";
import { localTarget } from "../../targets/local.ts";
import { hashFile } from "../hash.ts";
import type { BenchmarkRecord } from "../result.ts";
import { exactSession } from "./session.ts";

export interface BenchOptions {
  /** Names of targets; this version has `local`. */
  readonly targets?: readonly string[];
  readonly runs?: number;
  readonly seconds?: number;
  readonly threads?: number;
  /** Picture for the end-to-end time of detectors. */
  readonly picture?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Benchmark records of model files, target by target. Throws UserError UNKNOWN_TARGET and those of `loadModel`. */
export const benchModels = async (paths: readonly string[], options: BenchOptions = {}): Promise<BenchmarkRecord[]> => {
  const targets = options.targets ?? ["local"];
  const unknown = targets.find((name) => name !== "local");
  if (unknown !== undefined) throw unknownTarget(unknown);
  const models = [];
  for (const path of paths) {
    const { graph } = await loadModel(path);
    const { session } = exactSession(graph);
    models.push({ name: basename(path), path, sha256: await hashFile(path), precision: session.extra ? "int8" : "float32", session });
  }
  return [...(await localTarget().benchmark({
    models, runs: options.runs ?? 100, seconds: options.seconds ?? 2, threads: options.threads ?? availableParallelism(), ...(options.picture !== undefined && { picture: options.picture }),
  }, { ...(options.onProgress && { onProgress: options.onProgress }), signal: options.signal }))];
};

const unknownTarget = (name: string): UserError => new UserError("UNKNOWN_TARGET", `There is no target "${name}".`, "use local; devices come with a later version.");
