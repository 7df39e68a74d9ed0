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

/** int8 constant → DequantizeLinear per channel: the file holds one byte a weight. */
export const addWeight = (graph: Graph, name: string, { values, scales, axis }: QuantizedWeight): Value =>
  dequantized(graph, name, graph.addInitializer(`${name}_quantized`, values), channelParameters(graph, name, scales), axis, values.shape);

/** As `addWeight`, for weights that several layers may read: they share the values and the scales, never a zero point (compact.ts says why). */
export const sharedWeights = (graph: Graph): ((name: string, weight: QuantizedWeight) => Value) => {
  const known = new Map<QuantizedWeight, { readonly values: Value; readonly scales: Value; count: number }>();
  return (name, weight) => {
    let shared = known.get(weight);
    if (!shared) known.set(weight, (shared = { values: graph.addInitializer(`${name}_quantized`, weight.values), scales: graph.addInitializer(`${name}_scale`, weight.scales), count: 0 }));
    const own = shared.count++ === 0 ? name : `${name}_${shared.count}`;
    return dequantized(graph, own, shared.values, [shared.scales, channelZeroPoint(graph, own, weight.scales)], weight.axis, weight.values.shape);
  };
};

/** float constant → QuantizeLinear → DequantizeLinear per channel: every TensorRT since 8 reads it. */
export const addFloatWeight = (graph: Graph, weight: Value, { scales, axis }: QuantizedWeight): Value => {
  const parameters = channelParameters(graph, weight.name, scales);
  const shape = weight.tensor!.shape;
  const quantize = graph.addNode({ opType: "QuantizeLinear", name: `${weight.name}_QuantizeLinear`, inputs: [weight, ...parameters], outputs: [`${weight.name}_quantized`], attributes: { axis } });
  Object.assign(quantize.out(), { dtype: "int8", shape });
  return dequantized(graph, weight.name, quantize.out(), parameters, axis, shape);
};

const channelParameters = (graph: Graph, name: string, scales: Tensor): [Value, Value] => [
  graph.addInitializer(`${name}_scale`, scales),
  channelZeroPoint(graph, name, scales),
];

const channelZeroPoint = (graph: Graph, name: string, scales: Tensor): Value =>
  graph.addInitializer(`${name}_zero_point`, Tensor.of("int8", scales.shape, new Int8Array(scales.size)));

const dequantized = (graph: Graph, name: string, quantized: Value, parameters: readonly Value[], axis: number, shape: readonly number[]): Value => {
  const node = graph.addNode({ opType: "DequantizeLinear", name: `${name}_DequantizeLinear`, inputs: [quantized, ...parameters], outputs: [`${name}_dequantized`], attributes: { axis } });
  Object.assign(node.out(), { dtype: "float32", shape });
  return node.out();
};
