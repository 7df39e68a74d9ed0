import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { runOnce, type SessionOptions } from "../../runtime/session.ts";
import { addPair, addWeight, readInstead } from "./qdq.ts";
import type { ActivationType } from "./ranges.ts";

/**
 * Exact arithmetic for the `cpu` file on every machine. On x64 without VNNI the default kernel for uint8 x int8 adds pairs of products in
 * 16 bits, which saturate: this setting takes the uint8 x uint8 kernel instead. It does nothing on ARM. Never add session.qdqisint8allowed.
 */
export const int8CpuSession = { extra: { "session.x64quantprecision": "1" } } as const satisfies SessionOptions;

/** The same for a `cpu` file with int8 activations: int8 x int8 kernels, bit-equal to ARM's, slow on x64. */
export const int8ActivationsSession = { extra: { "session.qdqisint8allowed": "1" } } as const satisfies SessionOptions;

/** Runs Q/DQ pairs as they are written, in float32: TensorRT's meaning of the `tensorrt` file. */
export const int8TensorrtSession = { extra: { "session.disable_quant_qdq": "1" } } as const satisfies SessionOptions;

/** The setting that is exact for the `cpu` file everywhere. */
export const exactCpuSession = (activations: ActivationType): SessionOptions => (activations === "uint8" ? int8CpuSession : int8ActivationsSession);

/**
 * The fastest setting that is exact on this machine for uint8 activations: the default where a convolution with the largest products comes out
 * right (VNNI, ARM), else `int8CpuSession`.
 */
export const fastestExactCpuSession = async (): Promise<SessionOptions> => {
  const { graph, feeds, expected } = saturationProbe();
  const [found] = Object.values(await runOnce(graph, feeds, { threads: 1 }));
  return Math.abs(found!.floats[0]! - expected) <= expected * 0.02 ? {} : int8CpuSession;
};

/** Conv 1x1 over 64 channels with all activations at 255 and all weights at 127: pairs of products are 64770, beyond int16. */
const saturationProbe = () => {
  const channels = 64;
  const graph = new Graph("saturation", 17);
  const b = new Builder(graph);
  const x = graph.addInput("x", "float32", [1, channels, 4, 4]);
  const ones = Tensor.of("int8", [channels, channels, 1, 1], new Int8Array(channels * channels).fill(127));
  const weight = addWeight(graph, "w", { values: ones, scales: Tensor.float32([channels], new Float32Array(channels).fill(1 / 127)), axis: 0 });
  const y = b.op("Conv", [x, weight]);
  graph.outputs.push(y);
  for (const [value, high] of [[x, 1], [y, channels]] as const) {
    const pair = addPair(graph, value, { dtype: "uint8", scale: high / 255, zeroPoint: 0 });
    const quantize = pair.producer!.in(0).producer!;
    readInstead(graph, value, pair, (node) => node !== quantize, true);
  }
  return { graph, feeds: { x: Tensor.float32([1, channels, 4, 4], new Float32Array(channels * 16).fill(1)) }, expected: channels };
};
