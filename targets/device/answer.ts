import { z } from "zod";
import { shown } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import type { DeviceReply } from "./job.ts";

/** What the runner on a device may answer. A device is not trusted: figures that no machine can have are refused, not reported. */

const count = z.number().int().min(0).max(2 ** 53);
const milliseconds = z.number().min(0).max(1e9);
/** Of one run, at least a nanosecond: frames a second are made of it. */
const runMs = milliseconds.min(1e-6);
/** What people read is shown without control characters. */
const text = z.string().max(10_000).transform(shown);
const reading = z.object({ seconds: z.number().min(0).max(1e9), temperatureC: z.number().min(-300).max(1000).nullable(), clockMHz: z.number().min(0).max(1e6).nullable() });
const output = z.object({ name: text, dtype: text, shape: z.array(count).max(16), bytes: count });

const reply = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("progress"), done: z.number().min(0), total: z.number().min(0), what: z.enum(["measuring", "soak"]) }),
  z.object({ kind: z.literal("moment"), moment: text }),
  z.object({ kind: z.literal("failed"), code: z.string().regex(/^[A-Z_]{0,60}$/), message: text, nextStep: text }),
  z.object({
    kind: z.literal("result"), warmup: count, busyCores: z.number().min(0).max(1e5).nullable(), roundsMs: z.array(z.array(runMs).min(1)).min(1), endToEndMs: z.array(runMs),
    memoryBytes: z.number().min(0).max(2 ** 53), sensors: z.array(reading.extend({ throttledBits: text.nullable() })), soak: z.array(reading.extend({ fps: z.number().min(0).max(1e9), p99Ms: milliseconds })),
    outputs: z.array(output), node: text, onnxruntime: text, architecture: text,
  }),
  z.object({ kind: z.literal("pictures"), answers: z.array(z.object({ tensorSha256: z.string().regex(/^[0-9a-f]{64}$/), outputs: z.array(output) })) }),
]);

/** One line of the runner; undefined for what others print there. Throws UserError DEVICE_ANSWER. */
export const parseReply = (line: string, label: string): DeviceReply | undefined => {
  if (!line.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (cause) {
    throw badAnswer(label, cause instanceof Error ? cause.message : String(cause));
  }
  const { data, problems } = checkSchema(reply, value, "the line");
  if (problems) throw badAnswer(label, problemText(problems, 1));
  return data as DeviceReply;
};

export const badAnswer = (label: string, problem: string): UserError =>
  new UserError("DEVICE_ANSWER", `${label}: the device's answer cannot be used: ${problem.slice(0, 300)}.`, "check the device (memory, disk, who else works there) with `edgestill targets check` and measure again; `edgestill targets clean` sends the runner anew.");

const elementBytes: Readonly<Record<string, number>> = { float32: 4, int64: 8, int32: 4, uint8: 1, int8: 1, bool: 1, float16: 2, float64: 8, uint64: 8, uint32: 4, int16: 2, uint16: 2 };

/** The stated sizes agree with the file of outputs, type and shape with the size. Throws UserError DEVICE_ANSWER. */
export const checkOutputs = (outputs: readonly { readonly name: string; readonly dtype: string; readonly shape: readonly number[]; readonly bytes: number }[], sizeBytes: number, label: string): void => {
  const wrong = outputs.find(({ dtype, shape, bytes }) => elementBytes[dtype] === undefined || shape.reduce((product, size) => product * size, elementBytes[dtype]) !== bytes);
  if (wrong) throw badAnswer(label, `output "${wrong.name.slice(0, 80)}" of ${wrong.bytes} bytes is no ${wrong.dtype} of shape [${wrong.shape.join(", ")}]`);
  const total = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total !== sizeBytes) throw badAnswer(label, `the outputs have ${total} bytes, their file ${sizeBytes}`);
};
