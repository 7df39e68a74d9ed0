import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { weightAxesOf } from "../../graph/ops/layers.ts";
import { Tensor } from "../../graph/tensor.ts";
import { dequantizedWeight, quantizeWeight } from "./weights.ts";

/** Gives the layer its corrected bias, if it has one in `biases`. */
export const correctBias = (graph: Graph, node: Node, biases: ReadonlyMap<string, Float32Array> | undefined): void => {
  const bias = biases?.get(node.name);
  if (bias) node.replaceInput(2, graph.addInitializer(`${node.optionalIn(2)?.name ?? `${node.in(1).name}_bias`}`, Tensor.float32([bias.length], bias)));
};

/**
 * Biases that undo the shift which rounding the weights causes: b + (w - ŵ)·E[x], with the mean of each input channel over the calibration
 * pictures (Nagel 2019, "Data-free quantization through weight equalization and bias correction", section 4.2). Border pixels count as inner ones.
 */
export const correctedBiases = (layers: readonly Node[], channelMeans: ReadonlyMap<string, Float64Array>): Map<string, Float32Array> => {
  const biases = new Map<string, Float32Array>();
  for (const node of layers) {
    const means = channelMeans.get(node.in(0).name);
    if (node.opType !== "Conv" || !means) continue;
    const weight = node.in(1).constant!;
    const rounded = dequantizedWeight(quantizeWeight(weight, weightAxesOf(node).output));
    const [outputs = 0, inputs = 0] = weight.shape;
    const kernel = weight.size / (outputs * inputs);
    const perGroup = outputs / node.int("group", 1);
    const bias = Float32Array.from(node.optionalIn(2)?.constant?.floats ?? new Float32Array(outputs));
    for (let o = 0; o < outputs; o++) {
      const firstInput = Math.floor(o / perGroup) * inputs;
      let shift = 0;
      for (let i = 0; i < inputs; i++) {
        let difference = 0;
        for (let k = 0, at = (o * inputs + i) * kernel; k < kernel; k++, at++) difference += weight.floats[at]! - rounded[at]!;
        shift += difference * means[firstInput + i]!;
      }
      bias[o] = bias[o]! + shift;
    }
    biases.set(node.name, bias);
  }
  return biases;
};
