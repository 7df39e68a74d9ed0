import { checkGraph } from "../../graph/check.ts";
import type { Graph } from "../../graph/graph.ts";
import { isLayerOp } from "../../graph/ops/layers.ts";
import type { Node, Value } from "../../graph/node.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { onnxDataType, Tensor } from "../../graph/tensor.ts";

/** First opset whose Q/DQ take float16. */
const halfOpset = 19;
const oldestIr = 9;
const largestHalf = 65504;

/**
 * The same model with float16 up to its last layers and float32 behind them, for TensorRT 11, whose networks run in the types that the file says.
 * Inputs and outputs keep their types; Q/DQ stay where they are, with float16 scales. Undefined where a constant is beyond float16.
 * Source: TensorRT 10 to 11 migration guide, "strongly typed networks".
 */
export const typeHalf = (input: Graph): Graph | undefined => {
  const graph = input.clone();
  toOpset19(graph);
  inferShapes(graph);
  const half = upToLastLayers(graph);
  const floats = [...half].flatMap((node) => node.inputs.filter((value, slot): value is Value => isFloat(value) && !staysFloat(node, slot)));
  if (floats.some((value) => value.constant?.toNumbers().some((number) => Math.abs(number) > largestHalf))) return undefined;
  const narrowed = new Map<Value, Value>();
  for (const node of half) {
    for (const [slot, value] of node.inputs.entries()) {
      if (!isFloat(value) || staysFloat(node, slot) || (value.producer && half.has(value.producer) && !value.constant)) continue;
      node.replaceInput(slot, narrowed.get(value) ?? narrow(graph, value, narrowed));
    }
  }
  for (const node of half) for (const output of node.outputs) if (output.dtype === "float32") widenFor(graph, output, half);
  for (const node of [...graph.nodes]) if (node.opType === "Constant" && node.out().uses.size === 0 && !graph.isOutput(node.out())) graph.removeNode(node);
  checkGraph(graph);
  return graph;
};

const isFloat = (value: Value | null): value is Value => value !== null && (value.constant?.dtype ?? value.dtype) === "float32";

/** Inputs that are float32 by the op's definition: sizes of Resize. */
const staysFloat = ({ opType }: Node, slot: number): boolean => (opType === "Resize" || opType === "Upsample") && slot > 0;

/** Layers and all that they depend on; constants follow their readers. */
const upToLastLayers = (graph: Graph): ReadonlySet<Node> => {
  const found = new Set<Node>();
  for (const node of graph.sorted().reverse()) {
    if (node.opType === "Constant" || !touchesFloat(node)) continue;
    if (isLayerOp(node) || node.outputs.some((output) => output.readers.some((reader) => found.has(reader)))) found.add(node);
  }
  return found;
};

const touchesFloat = (node: Node): boolean => node.outputs.some(({ dtype }) => dtype === "float32") || node.opType === "QuantizeLinear";

const narrow = (graph: Graph, value: Value, narrowed: Map<Value, Value>): Value => {
  const made = value.constant
    ? graph.addInitializer(`${value.name}_half`, Tensor.from("float16", value.constant.shape, value.constant.toNumbers()))
    : castTo(graph, value, "float16", `${value.name}_half`);
  narrowed.set(value, made);
  return made;
};

const castTo = (graph: Graph, value: Value, dtype: "float16" | "float32", name: string): Value => {
  const node = graph.addNode({ opType: "Cast", name: `${name}_Cast`, inputs: [value], outputs: [name], attributes: { to: onnxDataType[dtype] } });
  Object.assign(node.out(), { dtype, shape: value.shape });
  return node.out();
};

/** What a float16 node writes, as float32 for readers that stay float32 and for the graph's outputs, which keep their names. */
const widenFor = (graph: Graph, output: Value, half: ReadonlySet<Node>): void => {
  output.dtype = "float16";
  const readers = [...output.uses].filter(({ node, slot }) => !half.has(node) || staysFloat(node, slot));
  const index = graph.outputs.indexOf(output);
  if (readers.length === 0 && index < 0) return;
  const { name } = output;
  if (index >= 0) output.name = `${name}_half`;
  const wide = castTo(graph, output, "float32", index >= 0 ? name : `${name}_float`);
  for (const { node, slot } of readers) node.replaceInput(slot, wide);
  if (index >= 0) graph.outputs[index] = wide;
};

/** 17 to 19 for the ops whose form changed: Split says its number of outputs, reductions take their axes as an input. */
const toOpset19 = (graph: Graph): void => {
  if (graph.opset >= halfOpset) return;
  for (const node of [...graph.nodes]) {
    if (node.opType === "Split" && !node.optionalIn(1) && graph.opset < 18) node.attributes.set("num_outputs", { type: "int", value: node.outputs.length });
    const axes = /^Reduce(?!Sum$)/.test(node.opType) && graph.opset < 18 ? node.ints("axes") : undefined;
    if (!axes) continue;
    node.attributes.delete("axes");
    node.replaceInput(1, graph.addInitializer(`${node.name}_axes`, Tensor.int64([axes.length], [...axes])));
  }
  graph.opsets.set("", halfOpset);
  graph.facts.irVersion = Math.max(graph.facts.irVersion, oldestIr);
};
