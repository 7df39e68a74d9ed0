import type { SessionOptions } from "../../runtime/session.ts";

/**
 * Exact int8 arithmetic for the `cpu` file on x64 (int8 activations and weights; bit-equal to ARM's kernels). Without it ONNX Runtime turns
 * activations into uint8, whose AVX2 kernel saturates. Never combine with session.x64quantprecision.
 */
export const int8CpuSession = { extra: { "session.qdqisint8allowed": "1" } } as const satisfies SessionOptions;

/** Runs Q/DQ pairs as they are written, in float32: TensorRT's meaning of the `tensorrt` file. */
export const int8TensorrtSession = { extra: { "session.disable_quant_qdq": "1" } } as const satisfies SessionOptions;
