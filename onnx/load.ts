import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import onnxProto from "onnx-proto";
import type { Attribute } from "../graph/attribute.ts";
import { UserError } from "../graph/error.ts";
import { Graph } from "../graph/graph.ts";
import { Value, type Shape } from "../graph/node.ts";
import { dataTypeOf } from "../graph/tensor.ts";
import { cannotReadModel, notOnnx, unsupportedOnnx } from "./errors.ts";
import { tensorFromProto, type Source } from "./tensor-proto.ts";
import { unknownFields } from "./wire.ts";

const proto = onnxProto.onnx;
type IGraphProto = onnxProto.onnx.IGraphProto;
type INodeProto = onnxProto.onnx.INodeProto;
type IAttributeProto = onnxProto.onnx.IAttributeProto;
type IValueInfoProto = onnxProto.onnx.IValueInfoProto;

export interface LoadedModel {
  readonly graph: Graph;
  /** What the file holds that the graph does not carry (never anything that computes); one line each. */
  readonly notes: readonly string[];
}

/** Reads an .onnx file, its external data included. Throws UserError MODEL_FILE, NOT_ONNX, UNSUPPORTED_ONNX or EXTERNAL_DATA. */
export const loadModel = async (path: string): Promise<LoadedModel> => {
  const bytes = await readFile(path).catch((cause: unknown) => { throw cannotReadModel(path, cause); });
  return parseModel(bytes, { label: path, folder: dirname(path) });
};

/** Serialized ModelProto -> graph. Without `source.folder`, external data is an error. */
export const parseModel = (bytes: Uint8Array, source: Source = { label: "the model" }): LoadedModel => {
  try {
    const notes = dropped(unknownFields(bytes), source);
    const model = proto.ModelProto.decode(bytes);
    if (!model.graph || (model.opsetImport ?? []).length === 0) throw notOnnx(source.label, "it has no graph or imports no operator set");
    if (model.trainingInfo?.length) notes.push("training_info was dropped: training graphs are built anew");
    if (model.graph.quantizationAnnotation?.length) notes.push("quantization_annotation was dropped: only Q/DQ nodes quantize");
    const graph = readGraph(model.graph, source, new Map());
    for (const { domain, version } of model.opsetImport) graph.opsets.set(domain === "ai.onnx" ? "" : (domain ?? ""), Number(version ?? 0));
    for (const { key, value } of model.metadataProps ?? []) graph.metadata.set(key ?? "", value ?? "");
    Object.assign(graph.facts, {
      irVersion: Number(model.irVersion), producerName: model.producerName, producerVersion: model.producerVersion, domain: model.domain,
      modelVersion: Number(model.modelVersion), doc: model.docString, functions: model.functions ?? [],
    });
    return { graph, notes };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw notOnnx(source.label, error instanceof Error ? error.message : String(error), error);
  }
};

/** Unknown fields that carry meaning are refused; annotations are noted. */
const dropped = (unknown: ReadonlyMap<string, number>, source: Source): string[] => {
  const annotations: Readonly<Record<string, string>> = {
    "NodeProto.9": "metadata of nodes", "GraphProto.16": "metadata of graphs", "TensorProto.16": "metadata of tensors",
    "ValueInfoProto.4": "metadata of values", "NodeProto.10": "device configurations of nodes", "ModelProto.26": "device configurations",
    "FunctionProto.12": "value types of functions", "FunctionProto.14": "metadata of functions",
  };
  return [...unknown].map(([field, count]) => {
    const what = annotations[field];
    if (!what) throw unsupportedOnnx(source.label, `field ${field} (newer than ONNX 1.10, ${count}x)`);
    return `${what} (${field}, ${count}x) was dropped: it does not change what the model computes`;
  });
};

const readGraph = (from: IGraphProto, source: Source, outer: ReadonlyMap<string, Value>): Graph => {
  if (from.sparseInitializer?.length) throw unsupportedOnnx(source.label, "sparse initializers");
  const graph = new Graph(from.name ?? "");
  graph.doc = from.docString ?? "";
  const scope = new Map(outer);
  for (const input of from.input ?? []) {
    const value = new Value(input.name ?? "", typeOf(input));
    graph.inputs.push(value);
    scope.set(value.name, value);
  }
  for (const initializer of from.initializer ?? []) {
    const tensor = tensorFromProto(initializer, source);
    const name = initializer.name ?? "";
    const input = graph.inputs.find((value) => value.name === name);
    if (input) input.tensor = tensor; // IR < 4: an input with a default
    else scope.set(name, new Value(name, { tensor }));
  }
  for (const node of from.node ?? []) readNode(graph, node, source, scope);
  const types = new Map([...(from.valueInfo ?? []), ...(from.output ?? [])].map((info) => [info.name ?? "", info]));
  for (const output of [...graph.nodes].flatMap((node) => node.outputs)) {
    const info = types.get(output.name);
    if (info) Object.assign(output, typeOf(info));
  }
  for (const output of from.output ?? []) {
    const value = scope.get(output.name ?? "");
    if (!value) throw notOnnx(source.label, `output "${output.name ?? ""}" is made by no node`);
    graph.outputs.push(value);
  }
  return graph;
};

const readNode = (graph: Graph, from: INodeProto, source: Source, scope: Map<string, Value>): void => {
  const label = `${from.opType ?? "?"} "${from.name ?? ""}"`;
  const inputs = (from.input ?? []).map((name) => {
    if (name === "") return null;
    const value = scope.get(name);
    if (!value) throw notOnnx(source.label, `${label} reads "${name}", which nothing before it makes`);
    return value;
  });
  const attributes = new Map((from.attribute ?? []).map((attribute) => [attribute.name ?? "", readAttribute(attribute, source, scope, label)]));
  const node = graph.addNode({
    opType: from.opType ?? "", domain: from.domain === "ai.onnx" ? "" : (from.domain ?? ""), name: from.name ?? "", doc: from.docString ?? "",
    inputs, outputs: from.output ?? [], attributes,
  });
  for (const output of node.outputs) {
    if (output.name === "") continue;
    if (scope.get(output.name)?.producer) throw notOnnx(source.label, `two nodes make "${output.name}"`);
    scope.set(output.name, output);
  }
};

const readAttribute = (from: IAttributeProto, source: Source, scope: ReadonlyMap<string, Value>, label: string): Attribute => {
  const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString("utf8");
  if (from.refAttrName) throw unsupportedOnnx(source.label, `an attribute reference in ${label}`);
  switch (Number(from.type)) {
    case 1: return { type: "float", value: from.f ?? 0 };
    case 2: return { type: "int", value: Number(from.i ?? 0) };
    case 3: return { type: "string", value: text(from.s) };
    case 4: return { type: "tensor", value: tensorFromProto(from.t ?? {}, source) };
    case 5: return { type: "graph", value: readGraph(from.g ?? {}, source, scope) };
    case 6: return { type: "floats", value: from.floats ?? [] };
    case 7: return { type: "ints", value: (from.ints ?? []).map(Number) };
    case 8: return { type: "strings", value: (from.strings ?? []).map(text) };
    case 9: return { type: "tensors", value: (from.tensors ?? []).map((tensor) => tensorFromProto(tensor, source)) };
    case 10: return { type: "graphs", value: (from.graphs ?? []).map((graph) => readGraph(graph, source, scope)) };
    default: throw unsupportedOnnx(source.label, `attribute "${from.name ?? ""}" of type ${Number(from.type)} in ${label}`);
  }
};

let unnamed = 0;
const typeOf = (info: IValueInfoProto): Pick<Value, "dtype" | "shape"> => {
  const tensor = info.type?.tensorType;
  const dims = tensor?.shape?.dim;
  const shape: Shape | undefined = dims?.map((dim) => dim.dimParam || (dim.dimValue === undefined || dim.dimValue === null ? `?${unnamed++}` : Number(dim.dimValue)));
  return { dtype: tensor ? dataTypeOf(tensor.elemType ?? 0) : undefined, shape };
};
