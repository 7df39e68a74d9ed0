import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import type { Transport } from "../transport.ts";
import type { JetsonPrecision } from "./command.ts";
import { unreadableOutput } from "./errors.ts";
import { isOutOfMemory, deviceOutOfMemory } from "./log.ts";
import { ortScript } from "./ort-script.ts";

const tensorrt = "TensorrtExecutionProvider";
const cuda = "CUDAExecutionProvider";
const cpu = "CPUExecutionProvider";

export interface OrtJob {
  readonly name: string;
  /** The model on the device. */
  readonly model: string;
  /** Folder on the device for engines and profiles. */
  readonly folder: string;
  readonly precision: JetsonPrecision;
  readonly batch: number;
  readonly runs: number;
  readonly seconds: number;
  readonly dlaCore?: number;
  readonly workspaceMiB?: number;
  readonly python?: string;
  /** Other providers than TensorRT's, in order. */
  readonly providers?: readonly ProviderEntry[];
  readonly signal?: AbortSignal | undefined;
}

export type ProviderEntry = readonly [name: string, options: Readonly<Record<string, string | number | boolean>> | null];

export interface NodeProvider {
  readonly name: string;
  readonly op: string;
  readonly provider: string;
}

const reply = z.object({
  version: z.string(), providers: z.array(z.string()), loadSeconds: z.number().min(0).max(1e9), warmup: z.number().min(0), latencyMs: z.array(z.number().min(0).max(1e9)).min(1),
  nodes: z.array(z.object({ name: z.string(), op: z.string(), provider: z.string() })),
});

export type OrtResult = z.infer<typeof reply>;

/** Options of ONNX Runtime's TensorRT provider: precision, engine and timing cache in `folder`, DLA. */
export const providerOptions = ({ precision, folder, dlaCore, workspaceMiB }: Pick<OrtJob, "precision" | "folder" | "dlaCore" | "workspaceMiB">): Record<string, string | number | boolean> => ({
  trt_fp16_enable: precision !== "fp32", trt_int8_enable: precision === "int8",
  trt_engine_cache_enable: true, trt_engine_cache_path: folder, trt_timing_cache_enable: true, trt_timing_cache_path: folder,
  ...(workspaceMiB !== undefined && { trt_max_workspace_size: workspaceMiB * 2 ** 20 }),
  ...(dlaCore !== undefined && { trt_dla_enable: true, trt_dla_core: dlaCore }),
});

const buildMs = 3_600_000;

/**
 * Measures a model with ONNX Runtime's TensorRT provider. CUDA and the CPU are offered too, as ONNX Runtime demands, and the profile then tells who ran
 * what. Throws UserError ORT_FAILED, DEVICE_OUT_OF_MEMORY, DEVICE_OUTPUT, and those of `assertProviders`.
 */
export const measureWithOrt = async (transport: Transport, job: OrtJob): Promise<OrtResult> => {
  const { name, signal, python = "python3", providers = [[tensorrt, providerOptions(job)], [cuda, null], [cpu, null]], ...rest } = job;
  await transport.mkdir(job.folder);
  const { model, folder, batch, runs, seconds } = rest;
  const argument = JSON.stringify({ model, folder, batch, runs, seconds, warmupSeconds: 1, providers });
  const { exitCode, stdout, stderr } = await transport.run(["env", "LC_ALL=C", python, "-c", ortScript, argument], { signal, timeoutMs: buildMs + 1000 * seconds });
  if (exitCode !== 0) {
    if (isOutOfMemory(stderr) || exitCode === 137) throw deviceOutOfMemory(transport.label, name);
    throw ortFailed(transport.label, name, stderr);
  }
  const result = parseOrtResult(stdout);
  assertProviders(transport.label, name, result, providers[0]![0]);
  return result;
};

/** The script's last line. Throws UserError DEVICE_OUTPUT. */
export const parseOrtResult = (stdout: string): OrtResult => {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (cause) {
    throw unreadableOutput("the ONNX Runtime script", line, "its last line is no JSON, or cut off", cause);
  }
  const { data, problems } = checkSchema(reply, value, "the line");
  if (problems) throw unreadableOutput("the ONNX Runtime script", line, problemText(problems, 1));
  return data;
};

/** Nobody but `wanted` and CUDA ran a node, and `wanted` ran at least one. Throws UserError PROVIDER_MISSING, PROVIDER_FALLBACK. */
export const assertProviders = (label: string, model: string, { providers, nodes }: Pick<OrtResult, "providers" | "nodes">, wanted: string = tensorrt): void => {
  if (!providers.includes(wanted)) throw providerMissing(label, wanted, providers);
  const fallen = nodes.filter(({ provider }) => provider !== wanted && provider !== cuda);
  if (fallen.length > 0) throw providerFallback(label, model, wanted, fallen);
  if (!nodes.some(({ provider }) => provider === wanted)) throw providerFallback(label, model, wanted, nodes);
};

/** "tensorrt", or "tensorrt + cuda" where CUDA ran nodes that TensorRT did not take. */
export const providerName = ({ nodes }: Pick<OrtResult, "nodes">): string => (nodes.some(({ provider }) => provider === cuda) ? "onnxruntime tensorrt + cuda" : "onnxruntime tensorrt");

const ortFailed = (label: string, model: string, stderr: string): UserError =>
  new UserError("ORT_FAILED", `${label}: ONNX Runtime could not run ${model}: ${stderr.trim().split("\n").slice(-2).join(" | ")}.`,
    "`edgestill targets check` says which wheel is installed; `runner: trtexec` needs none.");

const providerMissing = (label: string, wanted: string, providers: readonly string[]): UserError =>
  new UserError("PROVIDER_MISSING", `${label}: this ONNX Runtime did not load ${wanted}; it has ${providers.join(", ")}.`,
    "install a wheel that was built with TensorRT for this JetPack, or use `runner: trtexec`.");

const providerFallback = (label: string, model: string, wanted: string, nodes: readonly NodeProvider[]): UserError =>
  new UserError("PROVIDER_FALLBACK", `${label}: ${nodes.length} nodes of ${model} did not run on ${wanted}: ${nodes.slice(0, 4).map(({ name, op, provider }) => `${op} "${name}" on ${provider || "an unknown provider"}`).join(", ")}.`,
    "`edgestill inspect <model.onnx>` names what TensorRT does not take; a time with a silent fallback is no result.");
