import { UserError } from "../../graph/error.ts";
import { decimal, unreadableOutput } from "./errors.ts";

/** What trtexec prints. */

const entry = /^\[\d\d\/\d\d\/\d{4}-\d\d:\d\d:\d\d\] \[([A-Z])\] (.*)$/;

const messages = (text: string, severity: string): string[] =>
  text.split("\n").map((line) => entry.exec(line.trim())).filter((match) => match?.[1] === severity).map((match) => match![2]!);

/** Whether the last verdict of the log is PASSED. */
export const hasPassed = (text: string): boolean => /^&&&& (PASSED|FAILED)/m.exec(text.slice(text.lastIndexOf("&&&& ")))?.[1] === "PASSED";

/** The error lines of a failed run, the last ones at most; its last lines where it named no error. */
export const failureOf = (text: string): string[] => {
  const errors = messages(text, "E");
  const unknown = messages(text, "I").filter((line) => line.startsWith("Unknown option"));
  const found = [...errors, ...unknown];
  return (found.length > 0 ? found : text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("&&&&"))).slice(-4);
};

/** Warnings about the measurement itself: "GPU compute time is unstable", "Throughput may be bound by …". */
export const measurementWarnings = (text: string): string[] =>
  messages(text, "W").filter((line) => line.startsWith("* ")).map((line) => line.slice(2).replace(/\.$/, "")).filter((line) => !/^(If|Add|Consider|You can)\b/i.test(line));

export interface Placement {
  readonly dla: readonly string[];
  readonly gpu: readonly string[];
}

/** Layers by processor, as the build of an engine lists them: `[DlaLayer] {ForeignNode[…]}`, `[GpuLayer] …`. */
export const placementOf = (text: string): Placement => {
  const lines = messages(text, "I").map((line) => line.replace(/^\[TRT\] /, ""));
  const named = (tag: string): string[] => lines.filter((line) => line.startsWith(tag)).map((line) => line.slice(tag.length).trim());
  return { dla: named("[DlaLayer]"), gpu: named("[GpuLayer]") };
};

/** Queries per second of the performance summary. Throws UserError DEVICE_OUTPUT. */
export const throughputOf = (text: string): number => {
  const line = messages(text, "I").find((message) => /^Throughput:/.test(message));
  const value = line === undefined ? undefined : /^Throughput:\s*(\S+)\s+qps/.exec(line)?.[1];
  if (value === undefined) throw unreadableOutput("trtexec", line ?? text.slice(-120), "no `Throughput: … qps`");
  return decimal("trtexec", value);
};

/** An engine that another TensorRT or another GPU built. */
export const isForeignEngine = (text: string): boolean =>
  /(serialized engine version|version tag does not match|not compatible with this version|different .*compute capability|engine plan file is (not compatible|generated on an incompatible))/i.test(text);

export const isOutOfMemory = (text: string): boolean => /out ?of ?memory|OutOfMemory|NvMapMemAlloc.*error 12|cudaErrorMemoryAllocation/i.test(text);

export const engineFailed = (label: string, model: string, log: string): UserError =>
  new UserError("ENGINE_BUILD", `${label}: trtexec could not build the engine of ${model}: ${failureOf(log).join(" | ")}.`,
    "`edgestill inspect <model.onnx>` names what TensorRT refuses; for a model that it accepts, send the log with an issue.");

export const deviceOutOfMemory = (label: string, model: string): UserError =>
  new UserError("DEVICE_OUT_OF_MEMORY", `${label}: ${model} does not fit the device's memory.`,
    "stop what else runs there (a desktop takes 1 GB: `sudo systemctl isolate multi-user`), add swap for the build, or give a smaller workspaceMiB.");

export const measurementFailed = (label: string, model: string, log: string): UserError =>
  new UserError("TRTEXEC_FAILED", `${label}: trtexec could not measure ${model}: ${failureOf(log).join(" | ")}.`, "run the command of the message on the device; `edgestill targets check` says what is missing.");

export const engineStaysForeign = (label: string, model: string): UserError =>
  new UserError("ENGINE_FOREIGN", `${label}: TensorRT refuses the engine of ${model} that it has just built as one of another version.`, "two TensorRT versions are installed there: `dpkg -l | grep nvinfer` and `ldd $(command -v trtexec)` show which is which.");
