import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import type { QuantParameters } from "./ranges.ts";
import type { QuantizedWeight } from "./weights.ts";

/** Adds QuantizeLinear → DequantizeLinear behind `value` (int8 or uint8, per tensor); returns what readers shall read. */
export const addPair = (graph: Graph, value: Value, { dtype, scale, zeroPoint }: QuantParameters): Value => {
  const parameters = [
    graph.addInitializer(`${value.name}_scale`, Tensor.float32([], [scale])),
    graph.addInitializer(`${value.name}_zero_point`, Tensor.from(dtype, [], [zeroPoint])),
  ];
  const quantize = graph.addNode({ opType: "QuantizeLinear", name: `${value.name}_QuantizeLinear`, inputs: [value, ...parameters], outputs: [`${value.name}_quantized`] });
  const dequantize = graph.addNode({ opType: "DequantizeLinear", name: `${value.name}_DequantizeLinear`, inputs: [quantize.out(), ...parameters], outputs: [`${value.name}_dequantized`] });
  Object.assign(quantize.out(), { dtype, shape: value.shape });
  Object.assign(dequantize.out(), { dtype: "float32", shape: value.shape });
  return dequantize.out();
};

/** Makes the reader of `slots` read the pair's output; a graph output keeps its name. */
export const readInstead = (graph: Graph, value: Value, replacement: Value, isReader: (node: Node, slot: number) => boolean, asOutput: boolean): void => {
  for (const { node, slot } of [...value.uses]) if (isReader(node, slot)) node.replaceInput(slot, replacement);
  const index = graph.outputs.indexOf(value);
  if (!asOutput || index < 0) return;
  graph.outputs[index] = replacement;
  replacement.name = value.name;
  value.name = `${value.name}_float`;
};

/** Max of one input: a copy that no optimizer of ONNX Runtime removes or moves, between a float layer and the DequantizeLinear that it reads. */
export const readThroughCopy = (graph: Graph, node: Node): void => {
  const value = node.in(0);
  const copy = graph.addNode({ opType: "Max", name: `${node.name}_float`, inputs: [value], outputs: [`${value.name}_copy`] });
  Object.assign(copy.out(), { dtype: value.dtype, shape: value.shape });
  node.replaceInput(0, copy.out());
};

/**
 * int8 constant → DequantizeLinear per channel: the file holds one byte a weight. Layers that read one weight have a copy each: with
 * session.x64quantprecision on x64 without VNNI, ONNX Runtime (1.30) refuses two weights that share values or zero points.
 */
export const addWeight = (graph: Graph, layer: Node, { values, scales, axis }: QuantizedWeight): void => {
  const name = layerWeightName(layer);
  layer.replaceInput(1, dequantized(graph, name, graph.addInitializer(`${name}_quantized`, values), channelParameters(graph, name, scales), axis, values.shape));
};

/** A weight that further layers read gets the layer's name too. */
const layerWeightName = (layer: Node): string => (layer.in(1).uses.size > 1 ? `${layer.in(1).name}_${layer.name}` : layer.in(1).name);

/** float constant → QuantizeLinear → DequantizeLinear per channel, a pair for each layer: every TensorRT since 8 reads it. */
export const addFloatWeight = (graph: Graph, layer: Node, { scales, axis }: QuantizedWeight): void => {
  const weight = layer.in(1);
  const name = layerWeightName(layer);
  const parameters = channelParameters(graph, name, scales);
  const shape = weight.tensor!.shape;
  const quantize = graph.addNode({ opType: "QuantizeLinear", name: `${name}_QuantizeLinear`, inputs: [weight, ...parameters], outputs: [`${name}_quantized`], attributes: { axis } });
  Object.assign(quantize.out(), { dtype: "int8", shape });
  layer.replaceInput(1, dequantized(graph, name, quantize.out(), parameters, axis, shape));
};

const channelParameters = (graph: Graph, name: string, scales: Tensor): [Value, Value] => [
  graph.addInitializer(`${name}_scale`, scales),
  graph.addInitializer(`${name}_zero_point`, Tensor.of("int8", scales.shape, new Int8Array(scales.size))),
];

const dequantized = (graph: Graph, name: string, quantized: Value, parameters: readonly Value[], axis: number, shape: readonly number[]): Value => {
  const node = graph.addNode({ opType: "DequantizeLinear", name: `${name}_DequantizeLinear`, inputs: [quantized, ...parameters], outputs: [`${name}_dequantized`], attributes: { axis } });
  Object.assign(node.out(), { dtype: "float32", shape });
  return node.out();
};
