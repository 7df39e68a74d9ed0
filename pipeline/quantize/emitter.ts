import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import type { RangeTable, TensorRange } from "./ranges.ts";

export interface EmitOptions {
  /** Names of the nodes that stay float. */
  readonly floatNodes: ReadonlySet<string>;
  /** How x·sigmoid(x) runs in the `cpu` file: as three int8 ops, or as one fused float op between DequantizeLinear and QuantizeLinear. */
  readonly silu?: "int8" | "float";
  /** Replacements of layers' biases (bias correction), by node name. */
  readonly biases?: ReadonlyMap<string, Float32Array>;
}

export interface Emitted {
  readonly graph: Graph;
  /** Names of the layers (Conv, Gemm, …) that run in int8. */
  readonly layers: readonly string[];
}

export const rangeFor = ({ ranges }: RangeTable, { name }: Value): TensorRange => {
  const range = ranges.get(name);
  if (!range) throw new Error(`bug: no range was measured for "${name}"`);
  return range;
};
