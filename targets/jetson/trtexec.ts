import { rm } from "node:fs/promises";
import { join } from "node:path";
import { inputLimits } from "../../input/limits.ts";
import { readPlainFile } from "../../input/read.ts";
import type { Transport } from "../transport.ts";
import { measureCommand, profileCommand, type Trtexec } from "./command.ts";
import type { Engine } from "./engine.ts";
import { convolutionPrecision, parseLayerInfo, parseProfile, parseTimes, type LayerTime, type PrecisionCount, type QueryTimes } from "./exports.ts";
import { deviceOutOfMemory, hasPassed, isForeignEngine, isOutOfMemory, measurementFailed, measurementWarnings, throughputOf } from "./log.ts";

export interface TrtexecOptions {
  readonly model: string;
  /** Folder of this machine for the exported files. */
  readonly scratch: string;
  readonly runs: number;
  readonly seconds: number;
  readonly shapes?: string;
  readonly dlaCore?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Measurement extends QueryTimes {
  readonly throughputQps: number;
  /** What trtexec itself thinks of the measurement. */
  readonly warnings: readonly string[];
}

export const warmUpMs = 1000;
/** Beyond the measuring time: loading the engine, warming up, writing the times. */
const graceMs = 180_000;
/** Allowed for one run, when the time limit is worked out. */
const slowestRunMs = 2000;

/** Times of every run; undefined where the engine was built by another TensorRT or for another GPU. Throws UserError TRTEXEC_FAILED, DEVICE_OUT_OF_MEMORY, DEVICE_OUTPUT. */
export const measureEngine = async (transport: Transport, trtexec: Trtexec, engine: Engine, options: TrtexecOptions): Promise<Measurement | undefined> => {
  const exported = await exports(transport, ["times.json"]);
  const log = await run(transport, measureCommand(trtexec, { ...options, engine: engine.path, warmUpMs, times: exported.remote[0]! }), options);
  if (log === undefined) return undefined;
  const [times] = await exported.read(options.scratch);
  return { ...parseTimes(times!, warmUpMs), throughputQps: throughputOf(log), warnings: measurementWarnings(log) };
};

export interface LayerReport {
  /** Layers by time, slowest first. */
  readonly layers: readonly LayerTime[];
  readonly precision: PrecisionCount;
}

/** Times and element types of layers, from a short run of its own; undefined as above. */
export const profileEngine = async (transport: Transport, trtexec: Trtexec, engine: Engine, options: TrtexecOptions): Promise<LayerReport | undefined> => {
  const exported = await exports(transport, ["profile.json", "layers.json"]);
  const [profile, info] = exported.remote;
  const log = await run(transport, profileCommand(trtexec, { ...options, engine: engine.path, profile: profile!, layers: info! }), options);
  if (log === undefined) return undefined;
  const [times, layers] = await exported.read(options.scratch);
  return { layers: [...parseProfile(times!)].sort((a, b) => b.averageMs - a.averageMs), precision: convolutionPrecision(parseLayerInfo(layers!)) };
};

const run = async (transport: Transport, command: readonly string[], { model, seconds, runs, signal }: TrtexecOptions): Promise<string | undefined> => {
  const { exitCode, stdout, stderr } = await transport.run(["env", "LC_ALL=C", ...command], { timeoutMs: 1000 * seconds + slowestRunMs * runs + graceMs, signal });
  const text = `${stdout}\n${stderr}`;
  if (exitCode === 0 && hasPassed(text)) return text;
  if (isForeignEngine(text)) return undefined;
  if (isOutOfMemory(text) || exitCode === 137) throw deviceOutOfMemory(transport.label, model);
  throw measurementFailed(transport.label, model, text);
};

/** Files that trtexec shall write on the device: they travel here, as a long run's times are tens of megabytes, and are removed there. */
const exports = async (transport: Transport, names: readonly string[]): Promise<{ readonly remote: readonly string[]; readonly read: (scratch: string) => Promise<string[]> }> => {
  const folder = `${await transport.cacheFolder()}/tensorrt/run`;
  await transport.run(["rm", "-rf", "--", folder]);
  await transport.mkdir(folder);
  const remote = names.map((name) => `${folder}/${name}`);
  const fetch = async (path: string, local: string): Promise<string> => {
    await transport.download(path, local);
    const text = (await readPlainFile(local, inputLimits.textBytes)).toString("utf8");
    await rm(local);
    return text;
  };
  return {
    remote,
    read: async (scratch) => {
      const texts: string[] = [];
      for (const [index, path] of remote.entries()) texts.push(await fetch(path, join(scratch, names[index]!)));
      await transport.run(["rm", "-rf", "--", folder]);
      return texts;
    },
  };
};
