import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import type { ActivationType, RangeTable, TensorRange } from "./ranges.ts";

/**
 * Measured on x64 with AVX512-VNNI (onnxruntime 1.30, YOLOv8n-320, one thread, CPU time): float 23.5 ms; uint8 activations 12.1 ms (22.3 ms with
 * session.x64quantprecision=1, which our weights do not need); int8 activations 81 ms: ONNX Runtime has no fast int8 x int8 kernel there.
 */
export const defaultActivations: ActivationType = "uint8";

/** As above: mAP .363 with a float SiLU between int8 layers (12.1 ms), .352 with Sigmoid and Mul in int8 (10.7 ms), .358 all float. */
export const defaultSilu = "float";

export interface EmitOptions {
  /** Names of the nodes that stay float. */
  readonly floatNodes: ReadonlySet<string>;
  /** Type of the activations in the `cpu` file. */
  readonly activations?: ActivationType;
  /** Weights as float constants with their own Q/DQ pair, which training can change; else as int8. The `tensorrt` file always has them so. */
  readonly floatWeights?: boolean;
  /** Weights within [-64, 64] in the `cpu` file: what training with `floatWeights` has seen. */
  readonly halfWeights?: boolean;
  /** How x·sigmoid(x) runs in the `cpu` file: in int8, or in float between DequantizeLinear and QuantizeLinear. */
  readonly silu?: "int8" | "float";
  /** Replacements of layers' biases (bias correction), by node name. */
  readonly biases?: ReadonlyMap<string, Float32Array>;
}

export interface Emitted {
  readonly graph: Graph;
  /** Names of the layers (Conv, Gemm, …) that run in int8. */
  readonly layers: readonly string[];
}

/** Whether calibration saw the value; a value without elements has no range either. */
export const hasRange = ({ ranges }: RangeTable, { name }: Value): boolean => (ranges.get(name)?.histogram.total ?? 0) > 0;

export const rangeFor = ({ ranges }: RangeTable, { name }: Value): TensorRange => {
  const range = ranges.get(name);
  if (!range) throw new Error(`bug: no range was measured for "${name}"`);
  return range;
};
