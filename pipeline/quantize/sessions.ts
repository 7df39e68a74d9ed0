import type { SessionOptions } from "../../runtime/session.ts";
import type { ActivationType } from "./ranges.ts";

/**
 * The `cpu` file needs no setting: on x64 without VNNI the kernel for uint8 x int8 adds pairs of products in 16 bits, and our weights keep every
 * pair within them (layer-weights.ts). Measured on YOLOv8n-320: heads at 18.8 dB; 19.9 dB with weights that saturate there, 16.1 dB with 7 bits.
 */
export const int8CpuSession = {} as const satisfies SessionOptions;

/** For a `cpu` file with int8 activations: int8 x int8 kernels, bit-equal to ARM's, slow on x64. */
export const int8ActivationsSession = { extra: { "session.qdqisint8allowed": "1" } } as const satisfies SessionOptions;

/** Runs Q/DQ pairs as they are written, in float32. */
export const asWrittenSession = { extra: { "session.disable_quant_qdq": "1" } } as const satisfies SessionOptions;

/** TensorRT's meaning of the `tensorrt` file. */
export const int8TensorrtSession = asWrittenSession;

/** The setting that is exact for the `cpu` file everywhere. */
export const exactCpuSession = (activations: ActivationType): SessionOptions => (activations === "uint8" ? int8CpuSession : int8ActivationsSession);
