import { sha256Of } from "../../files/digest.ts";
import type { Transport } from "../transport.ts";
import { buildCommand, type JetsonPrecision, type Trtexec } from "./command.ts";
import { deviceOutOfMemory, engineFailed, hasPassed, isOutOfMemory, placementOf, type Placement } from "./log.ts";
import { releaseText, type TensorrtRelease } from "./version.ts";

const buildMs = 3_600_000;

/** All that an engine depends on. */
export interface EngineRequest {
  readonly model: { readonly name: string; readonly sha256: string };
  /** The model on the device. */
  readonly onnx: string;
  readonly release: TensorrtRelease;
  /** Module and chip: an engine runs on no other. */
  readonly gpu: string;
  readonly precision: JetsonPrecision;
  readonly shapes?: string;
  readonly dlaCore?: number;
  readonly workspaceMiB?: number;
}

export interface Engine {
  readonly path: string;
  readonly key: string;
  /** False where it was kept from an earlier run. */
  readonly built: boolean;
  readonly buildSeconds: number | null;
  /** Which layers went to the DLA and which to the GPU; null where no DLA was asked for. */
  readonly placement: Placement | null;
}

/** sha256 over model, TensorRT, GPU and the options of the build: another of any of them is another engine. */
export const engineKey = ({ model, release, gpu, precision, shapes = "", dlaCore = -1, workspaceMiB = 0 }: EngineRequest): string =>
  digest([model.sha256, releaseText(release), gpu, precision, shapes, String(dlaCore), String(workspaceMiB)]);

/** Kernel timings hold for all models of one TensorRT on one GPU. */
export const timingCacheKey = (release: TensorrtRelease, gpu: string): string => digest([releaseText(release), gpu]);

/** Where the device keeps it. */
export const timingCachePath = async (transport: Transport, release: TensorrtRelease, gpu: string): Promise<string> =>
  `${await transport.cacheFolder()}/tensorrt/${timingCacheKey(release, gpu)}.timing`;

/** Its name away from the device says what it holds for: "nvidia_p3767-0003_nvidia_tegra234.trt10.3.0.timing". */
export const timingCacheName = (release: TensorrtRelease, gpu: string): string => `${gpu.replace(/[^A-Za-z0-9.-]+/g, "_")}.trt${releaseText(release)}.timing`;

const digest = (parts: readonly string[]): string => sha256Of(JSON.stringify(parts)).slice(0, 32);

/** The engine of the request: kept from an earlier run, or built by trtexec on the device. Throws UserError ENGINE_BUILD, DEVICE_OUT_OF_MEMORY. */
export const ensureEngine = async (transport: Transport, trtexec: Trtexec, request: EngineRequest, signal?: AbortSignal): Promise<Engine> => {
  const key = engineKey(request);
  const folder = `${await transport.cacheFolder()}/tensorrt`;
  const [path, log] = [`${folder}/${key}.engine`, `${folder}/${key}.log`];
  const kept = await transport.exists(path) ? await transport.readFile(log) : undefined;
  if (kept !== undefined) return { path, key, built: false, buildSeconds: null, placement: placementFor(request, kept) };
  await transport.mkdir(folder);
  const partial = `${path}.part`;
  const command = buildCommand(trtexec, { ...request, engine: partial, timingCache: await timingCachePath(transport, request.release, request.gpu) });
  const started = performance.now();
  const { exitCode, stdout, stderr } = await transport.run(["env", "LC_ALL=C", ...command], { timeoutMs: buildMs, signal });
  const text = `${stdout}\n${stderr}`;
  if (exitCode !== 0 || !hasPassed(text)) {
    await transport.run(["rm", "-f", "--", partial]);
    if (isOutOfMemory(text) || exitCode === 137) throw deviceOutOfMemory(transport.label, request.model.name);
    throw engineFailed(transport.label, request.model.name, text);
  }
  const buildSeconds = (performance.now() - started) / 1000;
  await transport.writeFile(log, text);
  await transport.run(["mv", "-f", "--", partial, path]);
  return { path, key, built: true, buildSeconds, placement: placementFor(request, text) };
};

/** Takes an engine away that this TensorRT refuses, so that the next run builds it anew. */
export const dropEngine = async (transport: Transport, { path }: Engine): Promise<void> => {
  await transport.run(["rm", "-f", "--", path]);
};

const placementFor = ({ dlaCore }: EngineRequest, log: string): Placement | null => (dlaCore === undefined ? null : placementOf(log));
