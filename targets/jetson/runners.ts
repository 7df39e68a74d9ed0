import { join } from "node:path";
import { loadModel } from "../../onnx/load.ts";
import { saveModel } from "../../onnx/save.ts";
import type { JsonObject } from "../../pipeline/result.ts";
import { sha256File } from "../../files/digest.ts";
import type { KindContext } from "../kind.ts";
import { latencyOf } from "../statistics.ts";
import type { BenchmarkHooks, BenchmarkModel } from "../target.ts";
import type { JetsonPrecision } from "./command.ts";
import { trtexecOf, type JetsonFacts } from "./device.ts";
import { dropEngine, ensureEngine, timingCacheName, timingCachePath, type Engine } from "./engine.ts";
import { typeHalf } from "./half.ts";
import { engineStaysForeign } from "./log.ts";
import type { CheckedFile } from "./model.ts";
import { measureWithOrt, providerName } from "./ort.ts";
import type { JetsonSettings } from "./settings.ts";
import { measureEngine, profileEngine, warmUpMs } from "./trtexec.ts";

export interface Wanted {
  readonly file: CheckedFile;
  readonly precision: JetsonPrecision;
  readonly batch: number;
  readonly shapes: string | undefined;
}

export interface Measured {
  readonly provider: string;
  readonly latencyMs: readonly number[];
  readonly startMs: readonly number[];
  readonly warmup: number;
  readonly warnings: readonly string[];
  readonly details: JsonObject;
}

/** A way to run models on a Jetson. */
export interface Runner {
  /** Sends the model and builds its engine; at once where both are kept from before. */
  prepare(wanted: Wanted): Promise<void>;
  measure(wanted: Wanted, runs: number, seconds: number): Promise<Measured>;
  /** What to record beside the times: engine, layers, proof of precision. */
  describe(wanted: Wanted, measured: Measured): Promise<JsonObject>;
  /** Fetches the timing cache into a folder of this machine, where there is one. */
  keep(folder: string): Promise<void>;
}

export const runnerOf = (context: KindContext<JetsonSettings>, facts: JetsonFacts, scratch: string, hooks: BenchmarkHooks): Runner =>
  context.settings.runner === "onnxruntime" ? ortRunner(context, hooks) : trtexecRunner(context, facts, scratch, hooks);

/** TensorRT 11 runs a file in the types that it says: one with float16 up to the last layers is made of it, but for fp32. */
const typedFor = async ({ file: { model }, precision }: Wanted, { tensorrt }: JetsonFacts, scratch: string, hooks: BenchmarkHooks): Promise<BenchmarkModel> => {
  if (tensorrt === null || tensorrt.major < 11 || precision === "fp32") return model;
  const graph = typeHalf((await loadModel(model.path)).graph);
  if (!graph) {
    hooks.onNote?.(`${model.name} holds a constant beyond float16: it runs in float32`);
    return model;
  }
  const path = join(scratch, `${model.sha256.slice(0, 16)}-half.onnx`);
  await saveModel(graph, path);
  return { ...model, path, sha256: await sha256File(path) };
};

const send = ({ transport }: KindContext<JetsonSettings>, model: BenchmarkModel, hooks: BenchmarkHooks): Promise<string> =>
  transport.cached(model.path, model.sha256, "model.onnx", { signal: hooks.signal, onProgress: (done, total) => hooks.onStep?.(`${model.name} to ${transport.label}`, done, total, "byte") });

const keyOf = ({ file, precision, batch }: Wanted): string => `${file.model.sha256} ${precision} ${batch}`;
const slowestLayers = 12;

const trtexecRunner = (context: KindContext<JetsonSettings>, facts: JetsonFacts, scratch: string, hooks: BenchmarkHooks): Runner => {
  const { transport, settings: { dla, workspaceMiB } } = context;
  const trtexec = trtexecOf(transport.label, facts);
  const engines = new Map<string, Engine>();
  const gpu = facts.compatible ?? facts.model ?? "unknown";
  const common = (wanted: Wanted) => ({ ...(wanted.shapes !== undefined && { shapes: wanted.shapes }), ...(dla !== undefined && { dlaCore: dla }) });
  const options = (wanted: Wanted, runs: number, seconds: number) => ({ model: wanted.file.model.name, scratch, runs, seconds, signal: hooks.signal, ...common(wanted) });
  const build = async (wanted: Wanted): Promise<Engine> => {
    const label = `engine of ${wanted.file.model.name} (${wanted.precision})`;
    const model = await typedFor(wanted, facts, scratch, hooks);
    const onnx = await send(context, model, hooks);
    hooks.onStep?.(label, 0, 1, "engine");
    const engine = await ensureEngine(transport, trtexec, {
      model, onnx, release: facts.tensorrt!, gpu, precision: wanted.precision, ...common(wanted), ...(workspaceMiB !== undefined && { workspaceMiB }),
    }, hooks.signal);
    hooks.onStep?.(label, 1, 1, "engine");
    engines.set(keyOf(wanted), engine);
    return engine;
  };
  const engineOf = async (wanted: Wanted): Promise<Engine> => engines.get(keyOf(wanted)) ?? build(wanted);
  /** An engine of another TensorRT is built anew, once. */
  const withEngine = async <T>(wanted: Wanted, use: (engine: Engine) => Promise<T | undefined>): Promise<T> => {
    const first = await use(await engineOf(wanted));
    if (first !== undefined) return first;
    hooks.onNote?.(`${transport.label}: the kept engine of ${wanted.file.model.name} is of another TensorRT; building it anew`);
    await dropEngine(transport, await engineOf(wanted));
    const second = await use(await build(wanted));
    if (second === undefined) throw engineStaysForeign(transport.label, wanted.file.model.name);
    return second;
  };
  return {
    prepare: async (wanted) => { await engineOf(wanted); },
    keep: async (folder) => {
      const path = await timingCachePath(transport, facts.tensorrt!, gpu);
      if (await transport.exists(path)) await transport.download(path, join(folder, timingCacheName(facts.tensorrt!, gpu)), { signal: hooks.signal });
    },
    measure: async (wanted, runs, seconds) => {
      const { latencyMs, computeMs, startMs, throughputQps, warnings } = await withEngine(wanted, (engine) => measureEngine(transport, trtexec, engine, options(wanted, runs, seconds)));
      const median = latencyOf(latencyMs).p50;
      return { provider: dla === undefined ? "tensorrt" : `tensorrt dla${dla}`, latencyMs, startMs, warnings, warmup: Math.round(warmUpMs / median), details: { computeMs: { ...latencyOf(computeMs) }, throughputQps } };
    },
    describe: async (wanted, { details }) => {
      const { layers, precision } = await withEngine(wanted, (engine) => profileEngine(transport, trtexec, engine, options(wanted, 20, 1)));
      const { key, built, buildSeconds, placement } = await engineOf(wanted);
      return {
        ...details, runner: "trtexec", engine: { key, built, buildSeconds }, convolutions: { total: precision.convolutions, int8: precision.int8, float: precision.float },
        slowestLayers: layers.slice(0, slowestLayers).map(({ name, averageMs, percentage }) => ({ name, averageMs, percentage })),
        ...(placement && { dlaLayers: placement.dla, gpuFallback: placement.gpu }),
      };
    },
  };
};

const ortRunner = (context: KindContext<JetsonSettings>, hooks: BenchmarkHooks): Runner => {
  const { transport, settings: { dla, workspaceMiB, python } } = context;
  return {
    prepare: async (wanted) => { await send(context, wanted.file.model, hooks); },
    keep: () => Promise.resolve(), // the provider's cache is a file per model
    measure: async (wanted, runs, seconds) => {
      const folder = `${await transport.cacheFolder()}/ort/${wanted.file.model.sha256.slice(0, 16)}-${wanted.precision}-${wanted.batch}`;
      const result = await measureWithOrt(transport, {
        name: wanted.file.model.name, model: await send(context, wanted.file.model, hooks), folder, precision: wanted.precision, batch: wanted.batch, runs, seconds, signal: hooks.signal,
        ...(dla !== undefined && { dlaCore: dla }), ...(workspaceMiB !== undefined && { workspaceMiB }), ...(python !== undefined && { python }),
      });
      let now = 0;
      const startMs = result.latencyMs.map((ms) => (now += ms) - ms);
      return {
        provider: providerName(result), latencyMs: result.latencyMs, startMs, warmup: result.warmup, warnings: [],
        details: { onnxruntime: result.version, loadSeconds: result.loadSeconds, nodes: result.nodes.map(({ name, op, provider }) => ({ name, op, provider })) },
      };
    },
    describe: (_wanted, { details }) => Promise.resolve({ ...details, runner: "onnxruntime" }),
  };
};
