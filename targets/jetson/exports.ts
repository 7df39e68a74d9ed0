import { z } from "zod";
import { parseJson } from "../../input/json.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import { unreadableOutput } from "./errors.ts";

/** The files that trtexec exports. */

/** Milliseconds; a device that says less than nothing or years is not believed. */
const time = z.number().min(0).max(1e9);
const query = z.object({ startComputeMs: z.number().min(-1e12).max(1e12), h2dMs: time, computeMs: time, d2hMs: time, latencyMs: time.min(1e-6), endToEndMs: z.number().optional() });

export interface QueryTimes {
  /** Copy in, compute, copy out: what an application waits for. */
  readonly latencyMs: readonly number[];
  /** The GPU's part. */
  readonly computeMs: readonly number[];
  /** When each run began to compute, from the first one on. */
  readonly startMs: readonly number[];
}

/**
 * `--exportTimes`: one object per run. TensorRT 8.2 (known by endToEndMs) counts the warm-up among them: runs that start within `warmUpMs`
 * of the first are left out there. Throws UserError DEVICE_OUTPUT.
 */
export const parseTimes = (text: string, warmUpMs: number): QueryTimes => {
  const queries = checked(z.array(query), "trtexec --exportTimes", text);
  const hasWarmUp = queries[0]?.endToEndMs !== undefined;
  const start = queries[0]?.startComputeMs ?? 0;
  const measured = hasWarmUp ? queries.filter(({ startComputeMs }) => startComputeMs - start >= warmUpMs) : queries;
  if (measured.length === 0) throw unreadableOutput("trtexec --exportTimes", "", "it holds no measured run");
  return { latencyMs: measured.map(({ latencyMs }) => latencyMs), computeMs: measured.map(({ computeMs }) => computeMs), startMs: measured.map(({ startComputeMs }) => startComputeMs - measured[0]!.startComputeMs) };
};

export interface LayerTime {
  readonly name: string;
  readonly averageMs: number;
  readonly percentage: number;
}

const profiled = z.object({ name: z.string(), averageMs: time, percentage: z.number().min(0).max(1000) });

/** `--exportProfile`: the count, then layers. Names are not escaped there, so a file that is no JSON is read entry by entry. Throws UserError DEVICE_OUTPUT. */
export const parseProfile = (text: string): readonly LayerTime[] => {
  const layers = checked(z.array(z.union([z.object({ count: z.number() }), profiled])), "trtexec --exportProfile", escapeNames(text)).filter((entry) => "name" in entry);
  if (layers.length === 0) throw unreadableOutput("trtexec --exportProfile", text, "it holds no layer");
  return layers.map(({ name, averageMs, percentage }) => ({ name, averageMs, percentage }));
};

/** Quotes and backslashes between `"name" : "` and `", "timeMs"` escaped as JSON wants. */
const escapeNames = (text: string): string =>
  text.replace(/("name"\s*:\s*)"(.*?)"(?=\s*,\s*"timeMs"\s*:)/g, (_all, before: string, name: string) => `${before}${JSON.stringify(name)}`);

const tensor = z.object({ "Format/Datatype": z.string().optional(), Format: z.string().optional(), Datatype: z.string().optional() });
const layer = z.object({ Name: z.string(), LayerType: z.string().optional(), Inputs: z.array(tensor).optional(), Outputs: z.array(tensor).optional() });

export interface LayerFormat {
  readonly name: string;
  readonly type: string;
  /** Element types of what it reads and writes, as "Int8", "Half", "Float". */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** `--exportLayerInfo` of an engine built with detailed profiling; TensorRT 11 renames Bindings only. Throws UserError DEVICE_OUTPUT. */
export const parseLayerInfo = (text: string): readonly LayerFormat[] => {
  const { Layers } = checked(z.object({ Layers: z.array(z.union([z.string(), layer])) }), "trtexec --exportLayerInfo", text);
  if (Layers.length === 0) throw unreadableOutput("trtexec --exportLayerInfo", text, "it holds no layer");
  return Layers.map((entry) => {
    if (typeof entry === "string") throw unreadableOutput("trtexec --exportLayerInfo", entry, "names only: the engine was built without detailed profiling");
    return { name: entry.Name, type: entry.LayerType ?? "", inputs: (entry.Inputs ?? []).map(elementType), outputs: (entry.Outputs ?? []).map(elementType) };
  });
};

const elementType = (port: z.infer<typeof tensor>): string => {
  const text = port["Format/Datatype"] ?? port.Datatype ?? port.Format ?? "";
  const known = Object.entries({ Int8: /int8/i, Half: /half|fp16|float16/i, BFloat16: /bf16|bfloat16/i, Float: /float|fp32/i, Int32: /int32/i }).find(([, pattern]) => pattern.test(text));
  return known?.[0] ?? text;
};

export interface PrecisionCount {
  readonly int8: number;
  readonly convolutions: number;
  /** Names of convolutions that do not read int8. */
  readonly float: readonly string[];
}

/** What the convolutions of an engine really read: the proof that int8 happened. */
export const convolutionPrecision = (layers: readonly LayerFormat[]): PrecisionCount => {
  const convolutions = layers.filter(({ type }) => /conv/i.test(type) && !/reformat/i.test(type));
  const float = convolutions.filter(({ inputs }) => inputs[0] !== "Int8");
  return { int8: convolutions.length - float.length, convolutions: convolutions.length, float: float.map(({ name }) => name) };
};

const checked = <T>(schema: z.ZodType<T>, tool: string, text: string): T => {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const comma = /:\s*-?\d+,\d+\s*[,}]/.test(text);
    throw unreadableOutput(tool, text.slice(-80), comma ? "numbers with a decimal comma, so the device's language is not C" : "it is not JSON, or cut off", cause);
  }
  const { data, problems } = checkSchema(schema, value, "the whole");
  if (problems) throw unreadableOutput(tool, text.slice(0, 80), problemText(problems, 1));
  return data;
};
