import type onnxProto from "onnx-proto";
import type { Parts } from "./parts.ts";
import { below, pick } from "./random.ts";
import { hostileFloat, hostileInt, hostileInts, hostileLength, hostileText } from "./values.ts";

type IAttribute = onnxProto.onnx.IAttributeProto;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const opTypes = [
  "Add",
  "And",
  "ArgMax",
  "AveragePool",
  "BatchNormalization",
  "BitShift",
  "Cast",
  "Clip",
  "Concat",
  "Constant",
  "ConstantOfShape",
  "Conv",
  "ConvTranspose",
  "CumSum",
  "DepthToSpace",
  "DequantizeLinear",
  "Dropout",
  "Einsum",
  "Equal",
  "Expand",
  "EyeLike",
  "Flatten",
  "GRU",
  "Gather",
  "GatherElements",
  "GatherND",
  "Gemm",
  "GlobalAveragePool",
  "GridSample",
  "GroupNormalization",
  "Hardmax",
  "Identity",
  "If",
  "InstanceNormalization",
  "LRN",
  "LSTM",
  "LayerNormalization",
  "LeakyRelu",
  "Loop",
  "LpPool",
  "MatMul",
  "MatMulInteger",
  "Max",
  "MaxPool",
  "MaxUnpool",
  "Mod",
  "NonMaxSuppression",
  "NonZero",
  "Not",
  "OneHot",
  "PRelu",
  "Pad",
  "Pow",
  "QLinearConv",
  "QuantizeLinear",
  "RNN",
  "Range",
  "ReduceMean",
  "ReduceProd",
  "ReduceSum",
  "Relu",
  "Reshape",
  "Resize",
  "RoiAlign",
  "Scan",
  "ScatterElements",
  "ScatterND",
  "SequenceAt",
  "SequenceConstruct",
  "Shape",
  "Size",
  "Slice",
  "Softmax",
  "SpaceToDepth",
  "Split",
  "SplitToSequence",
  "Squeeze",
  "StringNormalizer",
  "Sum",
  "TfIdfVectorizer",
  "Tile",
  "TopK",
  "Transpose",
  "Trilu",
  "Unique",
  "Unsqueeze",
  "Upsample",
  "Where",
  "Xor",
] as const;

const attributeNames = [
  "axis",
  "axes",
  "group",
  "kernel_shape",
  "strides",
  "pads",
  "dilations",
  "perm",
  "to",
  "blocksize",
  "split",
  "mode",
  "auto_pad",
  "epsilon",
  "keepdims",
  "equation",
  "value",
  "output_shape",
  "output_padding",
  "ceil_mode",
  "num_outputs",
  "allowzero",
  "batch_dims",
  "dtype",
  "keep_aspect_ratio_policy",
  "transA",
  "alpha",
  "k",
  "bogus",
] as const;

const setAttribute = (m: Parts, attribute: IAttribute, kind: number): void => {
  const length = hostileLength(m.random, attribute.ints?.length ?? 2);
  const keep = { name: attribute.name ?? "", type: kind };
  for (const key of Object.keys(attribute)) Reflect.deleteProperty(attribute, key);
  Object.assign(attribute, keep);
  switch (kind) {
    case 1:
      attribute.f = hostileFloat(m.random);
      break;
    case 2:
      attribute.i = hostileInt(m.random);
      break;
    case 3:
      attribute.s = bytesOf(hostileText(m.random));
      break;
    case 4:
      attribute.t = m.one(m.tensors) ?? { dims: [1], dataType: 1, floatData: [1] };
      break;
    case 6:
      attribute.floats = Array.from({ length }, () => hostileFloat(m.random));
      break;
    case 7:
      attribute.ints = hostileInts(m.random, length);
      break;
    case 8:
      attribute.strings = [bytesOf(hostileText(m.random))];
      break;
    default:
      break;
  }
};

/** Changes one thing; one that finds nothing to change changes nothing. */
export type Mutation = (m: Parts) => void;

/** Changes of nodes: op, arity, attributes. */
export const nodeMutations: Readonly<Record<string, Mutation>> = {
  "op type": (m) => {
    m.node().opType = m.random() < 0.9 ? pick(m.random, opTypes) : hostileText(m.random);
  },
  "op domain": (m) => {
    m.node().domain = pick(m.random, ["com.microsoft", "ai.onnx", "ai.onnx.ml", "bogus", ""]);
  },
  "op inserted": (m) => {
    const graph = m.graph();
    const node = (graph.node ??= []);
    const { name } = graph;
    const arity = below(m.random, 5);
    const at = node[below(m.random, Math.max(1, node.length))];
    const made = `${name ?? ""}/new${node.length}`;
    node.unshift({
      opType: pick(m.random, opTypes),
      input: Array.from({ length: arity }, () => m.valueName()),
      output: [made],
      attribute: [],
    });
    if (at?.input?.length) at.input[below(m.random, at.input.length)] = made;
  },
  "input removed": (m) => {
    const { input } = m.node();
    input?.splice(below(m.random, input.length), 1);
  },
  "inputs removed": (m) => {
    m.node().input = [];
  },
  "input left out": (m) => {
    const { input } = m.node();
    if (input?.length) input[below(m.random, input.length)] = "";
  },
  "input added": (m) => {
    m.node().input?.push(...Array.from({ length: pick(m.random, [1, 1, 2, 9, 300]) }, () => m.valueName()));
  },
  "input changed": (m) => {
    const { input } = m.node();
    if (input?.length) input[below(m.random, input.length)] = m.random() < 0.9 ? m.valueName() : hostileText(m.random);
  },
  "output removed": (m) => {
    m.node().output?.pop();
  },
  "output added": (m) => {
    m.node().output?.push(`more${below(m.random, 1000)}`);
  },
  "output left out": (m) => {
    const { output } = m.node();
    if (output?.length) output[0] = "";
  },
  "attribute removed": (m) => {
    const { attribute } = m.node();
    attribute?.splice(below(m.random, attribute.length), 1);
  },
  "attribute added": (m) => {
    const attribute: IAttribute = { name: pick(m.random, attributeNames) };
    setAttribute(m, attribute, pick(m.random, [1, 2, 2, 3, 4, 6, 7, 7, 8]));
    const node = m.node();
    node.attribute = [...(node.attribute ?? []).filter(({ name }) => name !== attribute.name), attribute];
  },
  "attribute kind": (m) => {
    const attribute = m.one(m.attributes());
    if (attribute) setAttribute(m, attribute, pick(m.random, [0, 1, 2, 3, 4, 6, 7, 8, 99]));
  },
  "attribute value": (m) => {
    const attribute = m.one(m.attributes().filter(({ g }) => !g));
    if (attribute) setAttribute(m, attribute, Number(attribute.type ?? 2));
  },
  "one integer of an attribute": (m) => {
    const ints = m.one(m.attributes().flatMap(({ ints: all }) => (all?.length ? [all] : [])));
    if (ints) ints[below(m.random, ints.length)] = hostileInt(m.random);
  },
  "attribute name": (m) => {
    const attribute = m.one(m.attributes());
    if (attribute) attribute.name = m.random() < 0.7 ? pick(m.random, attributeNames) : hostileText(m.random);
  },
  "attribute reference": (m) => {
    const attribute = m.one(m.attributes());
    if (attribute) attribute.refAttrName = "outer";
  },
};
