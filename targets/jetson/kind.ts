import type { TargetKind } from "../kind.ts";
import { benchmarkJetson } from "./benchmark.ts";
import { probeJetson } from "./probe.ts";
import { jetsonRequirements } from "./requirements.ts";
import { jetsonSchema, type JetsonSettings } from "./settings.ts";

/** NVIDIA Jetson, JetPack 4.6 to 7: engines built and measured there by trtexec, or by ONNX Runtime's TensorRT provider. */
export const jetsonKind: TargetKind<JetsonSettings> = {
  name: "jetson",
  runtime: "tensorrt",
  schema: jetsonSchema,
  requirements: jetsonRequirements,
  probe: async (context, signal) => {
    const { facts, findings } = await probeJetson(context, signal);
    return { facts, findings };
  },
  benchmark: (context, job, hooks = {}) => benchmarkJetson(context, job, hooks),
};
