import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { parseJson } from "../../input/json.ts";
import { forbiddenSetting, modelSettings } from "../../runtime/model-settings.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { isQuantizedOp } from "../quantize/prepare.ts";

/** Metadata key of the session settings that make an int8 file compute what its target computes: JSON object of strings. */
export const sessionKey = "edgestill.session";

/** The settings that give a quantized model its exact numerics on this machine, and a line that says so; nothing for a float model. */
export const exactSession = (graph: Graph): { readonly session: SessionOptions; readonly note: string | undefined } => {
  const saved = graph.metadata.get(sessionKey);
  const extra = saved === undefined ? guessed(graph) : savedSettings(saved);
  const entries = Object.entries(extra);
  if (entries.length === 0) return { session: {}, note: undefined };
  return { session: { extra }, note: `int8 model: measured with ${entries.map(([key, value]) => `${key}=${value}`).join(", ")}` };
};

/** A model may choose how int8 is computed, and nothing else of the runtime: other settings load and write files. Throws UserError BAD_METADATA. */
const savedSettings = (text: string): Readonly<Record<string, string>> => {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw badSettings("it is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badSettings("it is no JSON object");
  const wrong = forbiddenSetting(value);
  if (wrong !== undefined) throw badSettings(`"${wrong.slice(0, 80)}" is none of ${modelSettings.join(", ")}, or is not "0" or "1"`);
  return value as Readonly<Record<string, string>>;
};

const badSettings = (reason: string, cause?: unknown): UserError =>
  new UserError("BAD_METADATA", `The model's metadata \`${sessionKey}\` cannot be used: ${reason}.`, "export the model again, or remove this entry of its metadata.", { cause });

/** int8 where any node computes or reads quantized values, whatever session the file needs. */
export const precisionOf = (graph: Graph): "float32" | "int8" => ([...graph.nodes].some(({ opType }) => isQuantizedOp(opType)) ? "int8" : "float32");

/** uint8 activations: the kernel that does not saturate; int8 ones: Q/DQ as written. */
const guessed = (graph: Graph): Readonly<Record<string, string>> => {
  const zeroPoints = [...graph.nodes].filter(({ opType }) => opType === "QuantizeLinear").map((node) => node.optionalIn(2)?.constant?.dtype ?? "uint8");
  if (zeroPoints.length === 0) return {};
  return zeroPoints.includes("uint8") ? { "session.x64quantprecision": "1" } : { "session.disable_quant_qdq": "1" };
};
