import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { removeDead } from "../../graph/dead.ts";
import { emitCpu } from "./cpu.ts";
import type { EmitOptions } from "./emitter.ts";
import type { RangeTable } from "./ranges.ts";
import { emitTensorrt } from "./tensorrt.ts";

export type QuantizationScheme = "tensorrt" | "cpu";

/**
 * The prepared float graph with Q/DQ pairs where the scheme's file will have them, weights kept as float constants behind their own pair:
 * for quantization-aware training with straight-through gradients. Keep every `*_scale` frozen; `removeFakeQuantization` is the way back.
 */
export const fakeQuantized = (prepared: Graph, ranges: RangeTable, scheme: QuantizationScheme, options: EmitOptions): Graph =>
  (scheme === "cpu" ? emitCpu(prepared, ranges, { ...options, floatWeights: true }) : emitTensorrt(prepared, ranges, options)).graph;

/** The float graph with the trained weights: every Q/DQ pair is taken out. Quantize it with the same ranges. */
export const removeFakeQuantization = (input: Graph): Graph => {
  const graph = input.clone();
  for (const node of graph.sorted()) {
    const quantize = node.opType === "DequantizeLinear" ? node.in(0).producer : null;
    if (quantize?.opType !== "QuantizeLinear") continue;
    const original = quantize.in(0);
    const output = node.out();
    const isOutput = graph.outputs.includes(output);
    if (isOutput) [original.name, output.name] = [output.name, original.name];
    graph.replaceAllUses(output, original);
  }
  removeDead(graph);
  checkGraph(graph);
  return graph;
};
