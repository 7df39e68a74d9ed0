import type { Transport } from "../transport.ts";
import { measureCommand, profileCommand, type Trtexec } from "./command.ts";
import type { Engine } from "./engine.ts";
import { convolutionPrecision, parseLayerInfo, parseProfile, parseTimes, type LayerTime, type PrecisionCount, type QueryTimes } from "./exports.ts";
import { deviceOutOfMemory, hasPassed, isForeignEngine, isOutOfMemory, measurementFailed, measurementWarnings, throughputOf } from "./log.ts";

export interface TrtexecOptions {
  readonly model: string;
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

const warmUpMs = 1000;
/** Beyond the measuring time: loading the engine, warming up, writing the times. */
const graceMs = 180_000;

/** Times of every run; undefined where the engine was built by another TensorRT or for another GPU. Throws UserError TRTEXEC_FAILED, DEVICE_OUT_OF_MEMORY, DEVICE_OUTPUT. */
export const measureEngine = async (transport: Transport, trtexec: Trtexec, engine: Engine, options: TrtexecOptions): Promise<Measurement | undefined> =>
  inRemoteFolder(transport, async (folder) => {
    const times = `${folder}/times.json`;
    const log = await run(transport, measureCommand(trtexec, { ...options, engine: engine.path, warmUpMs, times }), options);
    if (log === undefined) return undefined;
    const text = (await transport.readFile(times)) ?? "";
    return { ...parseTimes(text, warmUpMs), throughputQps: throughputOf(log), warnings: measurementWarnings(log) };
  });

export interface LayerReport {
  /** Layers by time, slowest first. */
  readonly layers: readonly LayerTime[];
  readonly precision: PrecisionCount;
}

/** Times and element types of layers, from a short run of its own; undefined as above. */
export const profileEngine = async (transport: Transport, trtexec: Trtexec, engine: Engine, options: TrtexecOptions): Promise<LayerReport | undefined> =>
  inRemoteFolder(transport, async (folder) => {
    const [profile, layers] = [`${folder}/profile.json`, `${folder}/layers.json`];
    const log = await run(transport, profileCommand(trtexec, { ...options, engine: engine.path, profile, layers }), options);
    if (log === undefined) return undefined;
    const times = parseProfile((await transport.readFile(profile)) ?? "");
    return { layers: [...times].sort((a, b) => b.averageMs - a.averageMs), precision: convolutionPrecision(parseLayerInfo((await transport.readFile(layers)) ?? "")) };
  });

const run = async (transport: Transport, command: readonly string[], { model, seconds, signal }: TrtexecOptions): Promise<string | undefined> => {
  const { exitCode, stdout, stderr } = await transport.run(["env", "LC_ALL=C", ...command], { timeoutMs: 1000 * seconds + graceMs, signal });
  const text = `${stdout}\n${stderr}`;
  if (exitCode === 0 && hasPassed(text)) return text;
  if (isForeignEngine(text)) return undefined;
  if (isOutOfMemory(text) || exitCode === 137) throw deviceOutOfMemory(transport.label, model);
  throw measurementFailed(transport.label, model, text);
};

/** A folder on the device that is gone afterwards. */
const inRemoteFolder = async <T>(transport: Transport, work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = `${await transport.cacheFolder()}/tensorrt/run`;
  await transport.mkdir(folder);
  try {
    return await work(folder);
  } finally {
    await transport.run(["rm", "-rf", "--", folder]).catch(() => undefined); // a lost connection is told by `work`; the next run empties the folder
  }
};
