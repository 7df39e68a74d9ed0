import onnxProto from "onnx-proto";
import Long from "long";
import writeFileAtomic from "write-file-atomic";
import type { Attribute } from "../graph/attribute.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { onnxDataType } from "../graph/tensor.ts";
import { tensorToProto } from "./tensor-proto.ts";

const proto = onnxProto.onnx;
type IGraphProto = onnxProto.onnx.IGraphProto;
type IAttributeProto = onnxProto.onnx.IAttributeProto;
type IValueInfoProto = onnxProto.onnx.IValueInfoProto;
type Names = ReadonlyMap<Value, string>;

/** Protobuf's limit of one message; larger models need external data, which this writer does not make. */
const maxBytes = 2 ** 31 - 1;

/** Writes `graph` as an .onnx file, atomically: a reader sees the old file or the whole new one. */
export const saveModel = async (graph: Graph, path: string): Promise<void> => {
  await writeFileAtomic(path, Buffer.from(serializeModel(graph))).catch((cause: unknown) => {
    throw new UserError("MODEL_WRITE", `Cannot write the model ${path}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      "check the folder, its permissions and the free disk space, then run again.", { cause });
  });
};

/** The graph as serialized ModelProto: nodes in execution order, clashing names made unique, the same bytes for the same graph. */
export const serializeModel = (graph: Graph): Uint8Array => {
  const { facts } = graph;
  const bytes = proto.ModelProto.encode({
    irVersion: facts.irVersion, producerName: facts.producerName, producerVersion: facts.producerVersion, domain: facts.domain,
    modelVersion: facts.modelVersion, docString: facts.doc, functions: facts.functions as onnxProto.onnx.IFunctionProto[],
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
    graph: writeGraph(graph, namesOf(graph)),
  }).finish();
  if (bytes.byteLength > maxBytes) throw new Error(`bug: the model has ${bytes.byteLength} bytes, more than protobuf can hold`);
  return bytes;
};

/** A unique name for every value, subgraphs included; inputs and outputs of the model keep theirs. */
const namesOf = (graph: Graph): Names => {
  const names = new Map<Value, string>();
  const taken = new Set<string>();
  const claim = (value: Value): void => {
    if (names.has(value)) return;
    if (value.name === "" && value.uses.size === 0) { names.set(value, ""); return; } // an output left out
    let name = value.name || "v";
    for (let n = 1; taken.has(name); n++) name = `${value.name || "v"}#${n}`;
    taken.add(name);
    names.set(value, name);
  };
  const visit = (inner: Graph): void => {
    [...inner.inputs, ...inner.outputs].forEach(claim);
    for (const node of inner.sorted()) {
      for (const value of [...node.inputs, ...node.outputs]) if (value) claim(value);
      for (const attribute of node.attributes.values()) {
        if (attribute.type === "graph") visit(attribute.value);
        if (attribute.type === "graphs") attribute.value.forEach(visit);
      }
    }
  };
  visit(graph);
  return names;
};

const writeGraph = (graph: Graph, names: Names): IGraphProto => {
  const nodes = graph.sorted();
  const outputs = new Set(graph.outputs);
  const info = (value: Value) => valueInfo(value, names);
  return {
    name: graph.name,
    docString: graph.doc,
    input: graph.inputs.map(info),
    output: graph.outputs.map(info),
    initializer: graph.initializers.map((value) => tensorToProto(value.tensor!, names.get(value)!)),
    valueInfo: nodes.flatMap((node) => node.outputs).filter((value) => value.dtype && value.shape && value.name && !outputs.has(value)).map(info),
    node: nodes.map((node) => writeNode(node, names)),
  };
};

const writeNode = (node: Node, names: Names): onnxProto.onnx.INodeProto => ({
  opType: node.opType,
  domain: node.domain,
  name: node.name,
  docString: node.doc,
  input: node.inputs.map((value) => (value ? names.get(value)! : "")),
  output: node.outputs.map((value) => names.get(value)!),
  attribute: [...node.attributes].map(([name, attribute]) => ({ name, ...writeAttribute(attribute, names) })),
});

const writeAttribute = (attribute: Attribute, names: Names): IAttributeProto => {
  const text = (value: string) => Buffer.from(value, "utf8");
  switch (attribute.type) {
    case "float": return { type: 1, f: attribute.value };
    case "int": return { type: 2, i: int64(attribute.value) };
    case "string": return { type: 3, s: text(attribute.value) };
    case "tensor": return { type: 4, t: tensorToProto(attribute.value, "") };
    case "graph": return { type: 5, g: writeGraph(attribute.value, names) };
    case "floats": return { type: 6, floats: [...attribute.value] };
    case "ints": return { type: 7, ints: attribute.value.map(int64) };
    case "strings": return { type: 8, strings: attribute.value.map(text) };
    case "tensors": return { type: 9, tensors: attribute.value.map((tensor) => tensorToProto(tensor, "")) };
    case "graphs": return { type: 10, graphs: attribute.value.map((graph) => writeGraph(graph, names)) };
  }
};

/** INT64_MAX as a double is 2^63, one too many: clamp to what int64 holds. */
const int64 = (value: number): number | Long => (Math.abs(value) < 2 ** 53 ? value : Long.fromString(value > 0 ? "9223372036854775807" : "-9223372036854775808"));

const valueInfo = (value: Value, names: Names): IValueInfoProto => ({
  name: names.get(value)!,
  ...(value.dtype && {
    type: {
      tensorType: {
        elemType: onnxDataType[value.dtype],
        ...(value.shape && {
          shape: { dim: value.shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : dim.startsWith("?") ? {} : { dimParam: dim })) },
        }),
      },
    },
  }),
});
