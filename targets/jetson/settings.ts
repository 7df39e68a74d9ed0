import { z } from "zod";
import { runsCode } from "../code-keys.ts";
import { sshFields } from "../fields.ts";
import type { TargetSettings } from "../kind.ts";

/** An entry `kind: jetson` of the inventory. */
export interface JetsonSettings extends TargetSettings {
  readonly kind: "jetson";
  readonly host: string;
  readonly runner?: "trtexec" | "onnxruntime" | undefined;
  readonly precisions?: readonly ("fp16" | "fp32")[] | undefined;
  readonly dla?: number | undefined;
  readonly lockClocks?: boolean | undefined;
  readonly workspaceMiB?: number | undefined;
  readonly python?: string | undefined;
}

export const jetsonSchema: z.ZodType<JetsonSettings> = z.strictObject({
  ...sshFields,
  kind: z.literal("jetson"),
  runner: z.enum(["trtexec", "onnxruntime"]).optional().describe("trtexec (default), or ONNX Runtime's TensorRT provider, whose Python wheel must be there."),
  precisions: z.array(z.enum(["fp16", "fp32"])).min(1).optional().describe("Precisions of float models; default [fp16]. Quantized models run in int8 with fp16 for the rest."),
  dla: z.int().min(0).max(1).optional().describe("DLA core to run on; what it lacks falls back to the GPU and is listed."),
  lockClocks: z.boolean().optional().describe("Lock the clocks with jetson_clocks for the run and restore them."),
  workspaceMiB: z.int().min(1).optional().describe("Memory that the engine's build may use; default all that is free."),
  python: z.string().min(1).optional().meta(runsCode("this program of the device runs there")).describe("Python with ONNX Runtime's TensorRT provider, where it is not python3."),
});
