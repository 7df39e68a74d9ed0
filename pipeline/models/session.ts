import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { settingsProblem } from "../../runtime/settings.ts";
import { isQuantizedOp } from "../quantize/prepare.ts";

/** Metadata key of the session settings that make an int8 file compute what its target computes: JSON object of strings. */
export const sessionKey = "edgestill.session";

/**
 * The settings that give a quantized model its exact numerics on this machine, and a line that says so; nothing for a float model. Throws UserError
 * SESSION_SETTINGS.
 */
export const exactSession = (graph: Graph): { readonly session: SessionOptions; readonly note: string | undefined } => {
  const saved = graph.metadata.get(sessionKey);
  const extra = saved === undefined ? guessed(graph) : settingsOf(saved);
  const entries = Object.entries(extra);
  if (entries.length === 0) return { session: {}, note: undefined };
  return { session: { extra }, note: `int8 model: measured with ${entries.map(([key, value]) => `${key}=${value}`).join(", ")}` };
};

/** A model is not trusted: its settings are the known numeric switches, or refused. */
const settingsOf = (saved: string): Readonly<Record<string, string>> => {
  let value: unknown;
  try {
    value = JSON.parse(saved);
  } catch (cause) {
    throw badSettings("they are not JSON", cause);
  }
  const problem = settingsProblem(value);
  if (problem !== undefined) throw badSettings(problem);
  return value as Readonly<Record<string, string>>;
};

const badSettings = (problem: string, cause?: unknown): UserError =>
  new UserError("SESSION_SETTINGS", `The session settings in the model's metadata (${sessionKey}) are refused: ${problem}.`, "remove that entry from the metadata, or quantize the model again.", { cause });

/** int8 where any node computes or reads quantized values, whatever session the file needs. */
export const precisionOf = (graph: Graph): "float32" | "int8" => ([...graph.nodes].some(({ opType }) => isQuantizedOp(opType)) ? "int8" : "float32");

/** uint8 activations: the kernel that does not saturate; int8 ones: Q/DQ as written. */
const guessed = (graph: Graph): Readonly<Record<string, string>> => {
  const zeroPoints = [...graph.nodes].filter(({ opType }) => opType === "QuantizeLinear").map((node) => node.optionalIn(2)?.constant?.dtype ?? "uint8");
  if (zeroPoints.length === 0) return {};
  return zeroPoints.includes("uint8") ? { "session.x64quantprecision": "1" } : { "session.disable_quant_qdq": "1" };
};
