import { floatToHalf, halfToFloat } from "../../graph/float16.ts";
import type { Attribute } from "../../graph/attribute.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { onnxDataType, Tensor } from "../../graph/tensor.ts";
import { layerOps } from "../../graph/ops/layers.ts";

/**
 * A copy that computes the same bits from a smaller file: int8 leaves so little of the weights that names and repeated constants would weigh
 * as much. Equal constants are one, large ones that float16 holds exactly (anchor points, strides) are kept so behind a Cast, attributes at
 * their defaults go, values get short names. Inputs, outputs and layers keep their names. Save it without value_info.
 */
export const compact = (input: Graph): Graph => {
  const graph = input.clone();
  const layers = new Set(graph.sorted().filter(({ opType }) => layerOps.has(opType)));
  shareEqualConstants(graph);
  halveExactConstants(graph);
  for (const node of graph.nodes) dropDefaults(node);
  shortenNames(graph, layers);
  return graph;
};

/** Larger tensors are hardly ever equal. */
const mostSharedBytes = 1 << 16;

/** ONNX Runtime's int8-to-uint8 pass replaces values and zero points of weights in place: two weights that share one are refused (qdq.ts). */
const isOfWeight = (value: Value): boolean =>
  value.tensor!.shape.length > 0 && [...value.uses].some(({ node, slot }) => slot !== 1 && node.opType === "DequantizeLinear");

const shareEqualConstants = (graph: Graph): void => {
  const first = new Map<string, Value>();
  for (const value of graph.initializers) {
    const { dtype, shape, bytes } = value.tensor!;
    if (dtype === "string" || bytes.length > mostSharedBytes || isOfWeight(value) || graph.inputs.includes(value)) continue;
    const key = `${dtype}[${shape.join(",")}]${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")}`;
    const same = first.get(key);
    if (same) graph.replaceAllUses(value, same);
    else first.set(key, value);
  }
};

/** Below this a Cast and its names cost more than half of the bytes. */
const fewestHalved = 128;
/** Runtimes want weights and biases as plain constants. */
const isParameter = (value: Value): boolean => value.readers.some(({ opType }) => layerOps.has(opType) || opType === "QuantizeLinear");

const halveExactConstants = (graph: Graph): void => {
  for (const value of graph.initializers) {
    const tensor = value.tensor!;
    if (tensor.dtype !== "float32" || tensor.size < fewestHalved || isParameter(value) || graph.inputs.includes(value) || graph.isOutput(value)) continue;
    const halves = Uint16Array.from(tensor.floats, floatToHalf);
    if (!tensor.floats.every((float, i) => Object.is(halfToFloat(halves[i]!), float))) continue;
    const half = graph.addInitializer(value.name, Tensor.of("float16", tensor.shape, halves));
    const cast = graph.addNode({ opType: "Cast", inputs: [half], outputs: [value.name], attributes: { to: onnxDataType.float32 } });
    Object.assign(cast.out(), { dtype: "float32", shape: tensor.shape });
    graph.replaceAllUses(value, cast.out());
  }
};

const all = (wanted: number) => (attribute: Attribute): boolean => attribute.type === "ints" && attribute.value.every((value) => value === wanted);
const windowed = { strides: all(1), dilations: all(1), pads: all(0), group: (attribute: Attribute): boolean => attribute.type === "int" && attribute.value === 1 };
/** Attributes that say what the op's specification says without them (ONNX Operators.md). */
const defaults: Readonly<Record<string, Readonly<Record<string, (attribute: Attribute) => boolean>>>> = { Conv: windowed, ConvTranspose: windowed, MaxPool: windowed };

const dropDefaults = (node: Node): void => {
  if (node.domain !== "" || !Object.hasOwn(defaults, node.opType)) return;
  for (const [name, isDefault] of Object.entries(defaults[node.opType]!)) {
    const attribute = node.attributes.get(name);
    if (attribute && isDefault(attribute)) node.attributes.delete(name);
  }
};

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const symbols = `${letters}0123456789_`;

/** a, b, … Z, aa, ba, …: C identifiers, as ONNX wants names to be. */
const shortName = (index: number): string => {
  let name = letters[index % letters.length]!;
  for (let rest = Math.floor(index / letters.length); rest > 0; rest = Math.floor((rest - 1) / symbols.length)) name += symbols[(rest - 1) % symbols.length]!;
  return name;
};

const shortenNames = (graph: Graph, layers: ReadonlySet<Node>): void => {
  const ports = new Set<Value>([...graph.inputs, ...graph.outputs]);
  const taken = new Set([...ports].map(({ name }) => name));
  let index = 0;
  for (const value of graph.values) {
    if (ports.has(value) || (value.name === "" && value.uses.size === 0)) continue;
    do value.name = shortName(index++); while (taken.has(value.name));
  }
  for (const node of graph.nodes) if (!layers.has(node)) node.name = "";
};
