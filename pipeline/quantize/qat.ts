import { largest as largestOf } from "../../input/largest.ts";
import { stopGradient } from "../../autodiff/stop-gradient.ts";
import { Builder } from "../../graph/builder.ts";
import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { elementCount, Tensor } from "../../graph/tensor.ts";
import { removeDead } from "../../graph/dead.ts";
import { emitCpu } from "./cpu.ts";
import type { EmitOptions } from "./emitter.ts";
import type { RangeTable } from "./ranges.ts";
import { emitTensorrt } from "./tensorrt.ts";

export type QuantizationScheme = "tensorrt" | "cpu";

/**
 * The prepared float graph with Q/DQ pairs where the scheme's file will have them, weights kept as float constants behind their own pair:
 * for quantization-aware training with straight-through gradients. Activations keep their scales; those of the weights follow the weights, as
 * `quantizeWeight` sets them. `removeFakeQuantization` is the way back.
 */
export const fakeQuantized = (prepared: Graph, ranges: RangeTable, scheme: QuantizationScheme, options: EmitOptions): Graph => {
  const { graph } = scheme === "cpu" ? emitCpu(prepared, ranges, { ...options, floatWeights: true }) : emitTensorrt(prepared, ranges, options);
  const b = new Builder(graph, "qat");
  for (const quantize of graph.sorted()) {
    const weight = quantize.opType === "QuantizeLinear" ? quantize.in(0) : undefined;
    if (!weight?.tensor) continue;
    const axis = quantize.int("axis", 1);
    const others = weight.tensor.shape.map((_, index) => index).filter((index) => index !== axis);
    const { levels, floor } = scaleRule(weight.tensor, axis, quantize.in(1).tensor!);
    const scale = stopGradient(b, b.max(b.div(b.reduce("ReduceMax", b.abs(weight), others, false), levels), b.constant(floor)));
    for (const node of [quantize, ...quantize.out().readers]) node.replaceInput(1, scale);
  }
  checkGraph(graph);
  return graph;
};

/** scale = max(absmax / levels, floor), as the emitter chose it: where a bias asks for more than absmax does, that is the floor. */
const scaleRule = ({ shape, floats }: Tensor, axis: number, { floats: scales }: Tensor): { readonly levels: number; readonly floor: Tensor } => {
  const inner = elementCount(shape.slice(axis + 1));
  const largest = new Float64Array(scales.length);
  for (const [index, w] of floats.entries()) {
    const channel = Math.floor(index / inner) % scales.length;
    largest[channel] = Math.max(largest[channel]!, Math.abs(w));
  }
  const levels = Math.max(1, largestOf(largest.map((absmax, channel) => Math.round(absmax / scales[channel]!))));
  const floors = scales.map((scale, channel) => (largest[channel]! > 0 && scale > (1.001 * largest[channel]!) / levels ? scale : leastScale));
  return { levels, floor: Tensor.float32([scales.length], floors) };
};

/** A channel of zeros still needs a positive scale. */
const leastScale = 1e-20;

/** The float graph with the trained weights: every Q/DQ pair is taken out. Quantize it with the same ranges. */
export const removeFakeQuantization = (input: Graph): Graph => {
  const graph = input.clone();
  for (const node of graph.sorted()) {
    const quantize = node.opType === "DequantizeLinear" ? node.in(0).producer : null;
    if (quantize?.opType !== "QuantizeLinear") continue;
    const original = quantize.in(0);
    const output = node.out();
    const isOutput = graph.isOutput(output);
    if (isOutput) [original.name, output.name] = [output.name, original.name];
    graph.replaceAllUses(output, original);
  }
  removeDead(graph);
  checkGraph(graph);
  return graph;
};
