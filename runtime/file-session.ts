import "./no-telemetry.ts";
import { env as ortEnv, InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { UserError } from "../graph/error.ts";
import type { Shape } from "../graph/node.ts";
import { Tensor, type DataType, type TypedArray } from "../graph/tensor.ts";
import { plainFile, UnreadableFile } from "../input/read.ts";
import { cannotReadModel } from "../onnx/errors.ts";
import { runtimeLog } from "./log.ts";
import { duringNativeWork, hasLoopBytes, type NativeWork } from "./native-work.ts";

export interface SessionOptions {
  /** Threads inside one op; the runtime's default (all cores) when absent. */
  readonly threads?: number;
  readonly optimization?: "disabled" | "basic" | "extended" | "layout" | "all";
  /** Session configuration entries, e.g. {"session.qdqisint8allowed": "1"} (onnxruntime_session_options_config_keys.h). */
  readonly extra?: Readonly<Record<string, string>>;
  /** Where to write the model as the runtime has optimised it. */
  readonly optimizedModelPath?: string;
  /** Turns profiling on; the runtime writes `<prefix>_<time>.json` when the session closes. */
  readonly profilePrefix?: string;
  readonly memoryPattern?: boolean;
  readonly memoryArena?: boolean;
}

export interface Port {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: Shape;
}

export type Feeds = Readonly<Record<string, Tensor>>;

/** A model ready to run. `run` blocks the JavaScript thread for the duration of one inference. */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Throws UserError RUN_FAILED when the runtime refuses the feeds. Without `outputNames` all outputs are returned. */
  run(feeds: Feeds, outputNames?: readonly string[]): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/**
 * Opens an .onnx path or serialized bytes on the CPU provider: the part of a session that also travels to devices. `label` names bytes in messages.
 * Throws as `openSession`.
 */
export const openFileSession = async (model: string | Uint8Array, options: SessionOptions = {}, label = "the model"): Promise<Session> => {
  ortEnv.logLevel = runtimeLog.isShown ? "warning" : "fatal";
  const work = { model: typeof model === "string" ? model : label, hasLoops: await hasLoops(model) };
  const doing = <Result>(what: NativeWork["doing"], native: () => Promise<Result>): Promise<Result> => duringNativeWork({ doing: what, ...work }, native);
  const session = await doing("loading", () => create(model, sessionOptions(options))).catch((cause: unknown) => { throw refusedModel(model, cause); });
  return {
    inputs: session.inputMetadata.map(port),
    outputs: session.outputMetadata.map(port),
    run: async (feeds, outputNames) => {
      const converted = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toOrt(tensor)]));
      const results = await doing("running", () => run(session, converted, outputNames)).catch((cause: unknown) => { throw refusedRun(cause); });
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    },
    close: () => session.release(),
  };
};

const pieceBytes = 1 << 20;

/** Whether a model has a Loop or Scan anywhere. False for a file that cannot be read: the runtime says why. Throws UserError MODEL_FILE for what is no plain file: the runtime would wait for a pipe. */
export const hasLoops = async (model: string | Uint8Array): Promise<boolean> => {
  if (typeof model !== "string") return hasLoopBytes(model);
  return plainFile(model, async (file) => {
    const piece = Buffer.alloc(pieceBytes);
    const overlap = 8; // a type's name may lie across two pieces
    for (let at = 0; ; at += pieceBytes - overlap) {
      const { bytesRead } = await file.read(piece, 0, pieceBytes, at);
      if (hasLoopBytes(piece.subarray(0, bytesRead))) return true;
      if (bytesRead < pieceBytes) return false;
    }
  }).catch((cause: unknown) => {
    if (cause instanceof UnreadableFile && cause.code === "NOT_A_FILE") throw cannotReadModel(model, cause);
    return false;
  });
};

const create = (source: string | Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> =>
  typeof source === "string" ? InferenceSession.create(source, options) : InferenceSession.create(source, options);

const run = async (session: InferenceSession, feeds: Record<string, OrtTensor>, outputNames?: readonly string[]) =>
  outputNames ? session.run(feeds, outputNames, runOptions()) : session.run(feeds, runOptions());

const runOptions = (): InferenceSession.RunOptions => ({ logSeverityLevel: runtimeLog.isShown ? 2 : 4 });

const sessionOptions = (options: SessionOptions): InferenceSession.SessionOptions => ({
  executionProviders: ["cpu"],
  logSeverityLevel: runtimeLog.isShown ? 2 : 4,
  graphOptimizationLevel: options.optimization ?? "all",
  ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
  ...(options.extra && { extra: options.extra }),
  ...(options.optimizedModelPath !== undefined && { optimizedModelFilePath: options.optimizedModelPath }),
  ...(options.profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: options.profilePrefix }),
  ...(options.memoryPattern !== undefined && { enableMemPattern: options.memoryPattern }),
  ...(options.memoryArena !== undefined && { enableCpuMemArena: options.memoryArena }),
});

const port = (metadata: InferenceSession.ValueMetadata): Port => {
  if (!metadata.isTensor) throw new UserError("SESSION", `"${metadata.name}" is a sequence or map, not a tensor.`, "export the model with tensor inputs and outputs.");
  return { name: metadata.name, dtype: metadata.type, shape: metadata.shape };
};

const toOrt = (tensor: Tensor): OrtTensor =>
  tensor.dtype === "string" ? new OrtTensor("string", [...tensor.strings], tensor.shape) : new OrtTensor(tensor.dtype as "float32", tensor.data as Float32Array, tensor.shape);

const fromOrt = (tensor: OrtTensor): Tensor =>
  tensor.type === "string"
    ? new Tensor("string", tensor.dims, new Uint8Array(0), tensor.data as string[])
    : Tensor.of(tensor.type, tensor.dims, tensor.data as TypedArray);

/** All lines of what the runtime says, without the place in its sources; the later ones are indented. */
const reason = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replaceAll(sourcePlace, "").replace(nothingComputed, "it computes nothing: no output depends on a node or an input").split("\n").map((line) => line.trimEnd()).filter((line) => line !== "").join("\n  ");

/** `/onnxruntime_src/…/file.cc:12 type namespace::function(parameters) `, as its checks put it before what failed. */
const sourcePlace = /\/onnxruntime_src\/\S+:\d+ [^\n]*?\)(?: const)? (?=\S)/g;

const nothingComputed = /.*ort_value_name_idx_map.*/;

const refusedModel = (model: unknown, cause: unknown) =>
  new UserError("SESSION", `ONNX Runtime cannot load ${typeof model === "string" ? model : "the model"}: ${reason(cause)}`,
    /two nodes with same node name/.test(reason(cause))
      ? "give every node a name of its own: prune, quantize and compress write files in which each has one."
      : "check the model with `edgestill inspect`; custom operators are not supported.", { cause });

const refusedRun = (cause: unknown) =>
  new UserError("RUN_FAILED", `ONNX Runtime stopped while running the model: ${reason(cause)}`,
    "check that the inputs have the names, types and shapes that `edgestill inspect` shows.", { cause });
