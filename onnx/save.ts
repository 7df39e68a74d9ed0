import onnxProto from "onnx-proto";
import { checkWritable, writeWhole } from "../files/write.ts";
import type { Attribute } from "../graph/attribute.ts";
import { carriedBy, carriedType } from "../graph/carried.ts";
import { UserError } from "../graph/error.ts";
import { subgraphsOf, type Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { onnxDataType, type Tensor } from "../graph/tensor.ts";
import { reasonOf } from "../input/reason.ts";
import { attributeTensorName } from "./beyond.ts";
import { writtenInt64 } from "./int64.ts";
import { tensorToProto } from "./tensor-proto.ts";
import { withFields, type Additions } from "./wire.ts";

const proto = onnxProto.onnx;
type IGraphProto = onnxProto.onnx.IGraphProto;
type ITensorProto = onnxProto.onnx.ITensorProto;
type IAttributeProto = onnxProto.onnx.IAttributeProto;
type IValueInfoProto = onnxProto.onnx.IValueInfoProto;

export interface SaveOptions {
  /** Write the types and shapes of inner values (default); readers that need them can infer them. */
  readonly valueInfo?: boolean;
}

/** What the whole model decides for its parts: the name of each value, and which graph each initializer is written in. */
interface Layout extends SaveOptions, Additions {
  readonly names: ReadonlyMap<Value, string>;
  readonly initializers: ReadonlyMap<Graph, readonly Value[]>;
}

/** Protobuf's limit of one message; larger models need external data, which this writer does not make. */
const maxBytes = 2 ** 31 - 1;

/** Writes `graph` as an .onnx file, atomically: a reader sees the old file or the whole new one. */
export const saveModel = async (graph: Graph, path: string, options: SaveOptions = {}): Promise<void> => {
  await writeWhole(path, serializeModel(graph, options)).catch((cause: unknown) => { throw cannotWriteModel(path, cause); });
};

/** Before long work: that a model can be written there. Throws UserError MODEL_WRITE. */
export const checkModelPlace = (path: string): Promise<void> => checkWritable(path).catch((cause: unknown) => { throw cannotWriteModel(path, cause); });

export const cannotWriteModel = (path: string, cause: unknown): UserError =>
  cause instanceof UserError ? cause : new UserError("MODEL_WRITE", `Cannot write the model ${path}: ${reasonOf(cause, path)}.`,
    "check the folder, its permissions and the free disk space, then run again.", { cause });

/** The graph as serialized ModelProto: nodes in execution order, clashing names made unique, the same bytes for the same graph. Throws UserError MODEL_SIZE from 2 GB on. */
export const serializeModel = (graph: Graph, options: SaveOptions = {}): Uint8Array => {
  const { facts } = graph;
  const additions: Additions = { fields: new Map(), whole: new Map() };
  const model: onnxProto.onnx.IModelProto = {
    irVersion: facts.irVersion, producerName: facts.producerName, producerVersion: facts.producerVersion, domain: facts.domain,
    modelVersion: facts.modelVersion, docString: facts.doc,
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    metadataProps: [...graph.metadata].map(([key, value]) => ({ key, value })),
    graph: writeGraph(graph, { ...options, ...additions, names: namesOf(graph), initializers: initializersOf(graph) }),
  };
  const ofModel = carriedBy(graph).filter(({ message }) => message === "ModelProto");
  if (facts.functions.length + ofModel.length > 0) additions.fields.set(model, [...facts.functions, ...ofModel].map(({ bytes }) => bytes));
  const bytes = withFields(proto.ModelProto.encode(model).finish(), model, additions);
  if (bytes.byteLength > maxBytes) throw new UserError("MODEL_SIZE", `The model has ${bytes.byteLength} bytes, more than an .onnx file can hold.`, "use a smaller model: saving always writes one file of less than 2 GB.");
  return bytes;
};

/** A unique name for every value, subgraphs included; inputs and outputs of the model keep theirs. */
const namesOf = (graph: Graph): Layout["names"] => {
  const names = new Map<Value, string>();
  const taken = new Set<string>();
  const claim = (value: Value, isPort = false): void => {
    if (names.has(value)) return;
    if (value.name === "" && value.uses.size === 0 && !isPort) { names.set(value, ""); return; } // an output left out
    let name = value.name || "v";
    for (let n = 1; taken.has(name); n++) name = `${value.name || "v"}#${n}`;
    taken.add(name);
    names.set(value, name);
  };
  const visit = (inner: Graph): void => {
    for (const port of [...inner.inputs, ...inner.outputs]) claim(port, true);
    for (const node of inner.sorted()) {
      for (const value of [...node.inputs, ...node.outputs]) if (value) claim(value);
      subgraphsOf(node).forEach(visit);
    }
  };
  visit(graph);
  return names;
};

/** An initializer belongs to the graph that reads it; read by several (a model and the body of a Loop, both branches of an If) to the model. */
const initializersOf = (root: Graph): Layout["initializers"] => {
  const owners = new Map<Value, Graph>();
  const graphs: Graph[] = [];
  const visit = (graph: Graph): void => {
    graphs.push(graph);
    for (const input of graph.inputs) if (input.tensor) owners.set(input, graph);
    const read = (value: Value | null): void => {
      if (!value?.tensor || value.producer) return;
      const owner = owners.get(value);
      if (!owner) owners.set(value, graph);
      else if (owner !== graph && !owner.inputs.includes(value)) owners.set(value, root);
    };
    for (const node of graph.sorted()) {
      node.inputs.forEach(read);
      subgraphsOf(node).forEach(visit);
    }
    graph.outputs.forEach(read);
  };
  visit(root);
  const values = [...owners.keys()];
  return new Map(graphs.map((graph) => [graph, values.filter((value) => owners.get(value) === graph)]));
};

const writeGraph = (graph: Graph, layout: Layout): IGraphProto => {
  const { names } = layout;
  const nodes = graph.sorted();
  const outputs = new Set(graph.outputs);
  const info = (value: Value) => valueInfo(value, layout);
  const isDescribed = (value: Value) => (value.dtype && value.shape) || carriedType(value) || carriedBy(value).length > 0;
  return adding(layout, graph, {
    name: graph.name,
    docString: graph.doc,
    input: graph.inputs.map(info),
    output: graph.outputs.map(info),
    initializer: layout.initializers.get(graph)!.map((value) => writeInitializer(value.tensor!, names.get(value)!, layout)),
    valueInfo: layout.valueInfo === false ? [] : nodes.flatMap((node) => node.outputs).filter((value) => isDescribed(value) && value.name && !outputs.has(value)).map(info),
    node: nodes.map(uniqueNames()).map(([node, name]) => writeNode(node, name, layout)),
  });
};

/** `message`, noted to get what `owner` says beyond it, without the fields of `left`. */
const adding = <T extends object>(layout: Layout, owner: object, message: T, left: string = "ModelProto"): T => {
  const fields = carriedBy(owner).filter((field) => field.message !== left);
  if (fields.length > 0) layout.fields.set(message, fields.map(({ bytes }) => bytes));
  return message;
};

const writeInitializer = (tensor: Tensor, name: string, layout: Layout): ITensorProto =>
  adding(layout, tensor, tensorToProto(tensor, name), attributeTensorName);

const writeTensor = (tensor: Tensor, layout: Layout): ITensorProto => adding(layout, tensor, tensorToProto(tensor, ""));

/** Gives each node a name that no other node of its graph has, as the runtime demands; a node without a name stays without. */
const uniqueNames = (): ((node: Node) => readonly [Node, string]) => {
  const taken = new Set<string>();
  const next = new Map<string, number>();
  return (node) => {
    let { name } = node;
    for (let n = next.get(node.name) ?? 1; name !== "" && taken.has(name); n++) {
      name = `${node.name}#${n}`;
      next.set(node.name, n + 1);
    }
    taken.add(name);
    return [node, name];
  };
};

const writeNode = (node: Node, name: string, layout: Layout): onnxProto.onnx.INodeProto => adding(layout, node, {
  opType: node.opType,
  ...(node.domain && { domain: node.domain }),
  ...(name && { name }),
  ...(node.doc && { docString: node.doc }),
  input: node.inputs.map((value) => (value ? layout.names.get(value)! : "")),
  output: node.outputs.map((value) => layout.names.get(value)!),
  attribute: [...node.attributes].map(([name, attribute]) => {
    const message = adding(layout, attribute, { name, ...writeAttribute(attribute, layout) });
    if (attribute.type === "kept") layout.whole.set(message, attribute.value);
    return message;
  }),
});

const writeAttribute = (attribute: Attribute, layout: Layout): IAttributeProto => {
  const text = (value: string) => Buffer.from(value, "utf8");
  switch (attribute.type) {
    case "float": return { type: 1, f: attribute.value };
    case "int": return { type: 2, i: writtenInt64(attribute.exact ?? attribute.value) };
    case "string": return { type: 3, s: text(attribute.value) };
    case "tensor": return { type: 4, t: writeTensor(attribute.value, layout) };
    case "graph": return { type: 5, g: writeGraph(attribute.value, layout) };
    case "floats": return { type: 6, floats: [...attribute.value] };
    case "ints": return { type: 7, ints: (attribute.exact ?? attribute.value).map(writtenInt64) };
    case "strings": return { type: 8, strings: attribute.value.map(text) };
    case "tensors": return { type: 9, tensors: attribute.value.map((tensor) => writeTensor(tensor, layout)) };
    case "kept": return {};
    case "graphs": return { type: 10, graphs: attribute.value.map((graph) => writeGraph(graph, layout)) };
  }
};

const valueInfo = (value: Value, layout: Layout): IValueInfoProto => {
  const kept = carriedType(value);
  const type = value.dtype || kept ? typeProto(value) : undefined;
  if (type && kept) layout.whole.set(type, kept);
  return adding(layout, value, { name: layout.names.get(value)!, ...(type && { type }) });
};

const typeProto = ({ dtype, shape }: Value): onnxProto.onnx.ITypeProto => ({
  ...(dtype && {
    tensorType: {
      elemType: onnxDataType[dtype],
      ...(shape && {
        shape: { dim: shape.map((dim) => (typeof dim === "number" ? { dimValue: dim } : dim.startsWith("?") ? {} : { dimParam: dim })) },
      }),
    },
  }),
});
