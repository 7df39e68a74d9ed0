import { dirname } from "node:path";
import onnxProto from "onnx-proto";
import { intAttribute, intsAttribute, type Attribute } from "../graph/attribute.ts";
import { carriedBy, setCarried, setCarriedType } from "../graph/carried.ts";
import { UserError } from "../graph/error.ts";
import { Graph } from "../graph/graph.ts";
import { Value, type Shape } from "../graph/node.ts";
import { readPlainFile } from "../input/read.ts";
import { newestIr, newestOpset } from "../graph/schemas/schema.ts";
import { checkOperations } from "../graph/signature.ts";
import { dataTypeOf, type Tensor } from "../graph/tensor.ts";
import { functionsField, keepAnnotated, nameOfAttributeTensor, notesOfUnknown, refuseOverload } from "./beyond.ts";
import { cannotReadModel, notOnnx, unsupportedOnnx } from "./errors.ts";
import { exactInt64, type Int64 } from "./int64.ts";
import { checkNames } from "./names.ts";
import { executionOrder } from "./order.ts";
import { denseTensor } from "./sparse.ts";
import type { Source } from "./source.ts";
import { tensorFromProto } from "./tensor-proto.ts";
import { textOf } from "./text.ts";
import { fieldsBeyond, type Beyond } from "./wire.ts";

const proto = onnxProto.onnx;
type IGraphProto = onnxProto.onnx.IGraphProto;
type ITensorProto = onnxProto.onnx.ITensorProto;
type INodeProto = onnxProto.onnx.INodeProto;
type IAttributeProto = onnxProto.onnx.IAttributeProto;
type IValueInfoProto = onnxProto.onnx.IValueInfoProto;

export interface LoadedModel {
  readonly graph: Graph;
  /** What was changed, and what is newer than this version knows; one line each. */
  readonly notes: readonly string[];
  /** Of the file, and of those beside it that hold weights. */
  readonly sizeBytes: number;
}

/** protobuf's own limit for one message; larger models keep their weights in files beside it. */
const modelBytes = 2 ** 31 - 1;

/** Reads an .onnx file, its external data included. Throws UserError MODEL_FILE, NOT_ONNX, UNSUPPORTED_ONNX, BAD_NAME or EXTERNAL_DATA. */
export const loadModel = async (path: string): Promise<LoadedModel> => {
  const bytes = await readPlainFile(path, modelBytes).catch((cause: unknown) => { throw cannotReadModel(path, cause); });
  const model = parseModel(bytes, { label: path, folder: dirname(path) });
  model.graph.origin = path;
  return model;
};

/** Serialized ModelProto -> graph. Without `source.folder`, external data is an error. */
export const parseModel = (bytes: Uint8Array, source: Source = { label: "the model" }): LoadedModel => {
  try {
    const model = proto.ModelProto.decode(bytes);
    const beyond = fieldsBeyond(bytes, model);
    const notes = notesOfUnknown(beyond);
    if (!model.graph || (model.opsetImport ?? []).length === 0) throw notOnnx(source.label, "it has no graph or imports no operator set");
    const irVersion = Number(model.irVersion);
    if (irVersion < 0 || irVersion > newestIr) throw unsupportedOnnx(source.label, `IR version ${irVersion} (the newest known is ${newestIr})`);
    const external = new Map<string, number>();
    const ofModel = beyond.fields.get(model) ?? [];
    const functions = ofModel.filter(({ field }) => field === functionsField);
    const graph = readGraph(model.graph, { ...source, notes, external, beyond, reading: { bytes: 0 } }, null);
    setCarried(graph, [...carriedBy(graph), ...ofModel.filter(({ field }) => field !== functionsField)]);
    notes.push(...outputsOnce(graph), ...sharedNames(graph));
    const untyped = graph.inputs.find((input) => !input.dtype);
    if (untyped) throw unsupportedOnnx(source.label, `input "${untyped.name}", which is no tensor of a known element type`);
    notes.push(...constantDefaults(graph));
    for (const { domain, version } of model.opsetImport) importOpset(graph, domain ?? "", Number(version ?? 0), source);
    for (const { key, value } of model.metadataProps ?? []) graph.metadata.set(key ?? "", value ?? "");
    checkNames(graph, source.label);
    Object.assign(graph.facts, {
      irVersion: Math.max(firstIrWithConstants, irVersion),
      producerName: model.producerName, producerVersion: model.producerVersion, domain: model.domain,
      modelVersion: Number(model.modelVersion), doc: model.docString,
      functions: (model.functions ?? []).map(({ domain, name }, at) => ({ domain: domain ?? "", name: name ?? "", bytes: functions[at]!.bytes })),
    });
    checked(graph, source.label);
    return { graph, notes, sizeBytes: [...external.values()].reduce((sum, size) => sum + size, bytes.byteLength) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw notOnnx(source.label, error instanceof Error ? error.message : String(error), error);
  }
};

/** The rules of the operators, in errors that name the file too. */
const checked = (graph: Graph, label: string): void => {
  try {
    checkOperations(graph);
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.code, `${label}: ${error.message}`, error.nextStep, { cause: error }) : error;
  }
};

/** Throws UNSUPPORTED_ONNX for a version that does not exist yet, NOT_ONNX for two versions of one operator set. */
const importOpset = (graph: Graph, domain: string, version: number, source: Source): void => {
  const name = domain === "ai.onnx" ? "" : domain;
  const label = name === "" ? "ai.onnx" : name;
  const known = graph.opsets.get(name);
  if (known !== undefined && known !== version) throw notOnnx(source.label, `it imports ${label} in versions ${known} and ${version}`);
  if (!(version >= 1 && version < 2 ** 31)) throw notOnnx(source.label, `it imports version ${version} of ${label}`);
  if (name === "" && version > newestOpset) throw unsupportedOnnx(source.label, `operator set ${version} (the newest known is ${newestOpset})`);
  graph.opsets.set(name, version);
};

/** From this IR version on an initializer that is no input is a constant. */
const firstIrWithConstants = 4;

/** Before IR version 4 every weight is listed among the inputs, and many exporters went on with that; nobody feeds them. */
const constantDefaults = (graph: Graph): string[] => {
  const weights = graph.inputs.filter((input) => input.tensor);
  if (weights.length === 0) return [];
  graph.inputs.splice(0, graph.inputs.length, ...graph.inputs.filter((input) => !input.tensor));
  const named = weights.slice(0, 2).map(({ name }) => `"${name}"`).join(", ");
  return [`${weights.length} inputs with contents (${named}${weights.length > 2 ? ", …" : ""}) were taken for constants; a file that is saved does not list them as inputs`];
};

/** The runtime answers by name: an output that is listed again says nothing. In a body the places of outputs count, so there it stays. */
const outputsOnce = (graph: Graph): string[] => {
  const outputs = [...new Set(graph.outputs)];
  if (outputs.length === graph.outputs.length) return [];
  const twice = outputs.find((output) => graph.outputs.indexOf(output) !== graph.outputs.lastIndexOf(output))!;
  graph.outputs.splice(0, graph.outputs.length, ...outputs);
  return [`output "${twice.name}" is listed more than once; a file that is saved lists each output once`];
};

/** ONNX allows it, the runtime does not. */
const sharedNames = (graph: Graph): string[] => {
  const seen = new Set<string>();
  const shared = [...graph.nodes].find(({ name }) => name !== "" && seen.size === seen.add(name).size);
  return shared ? [`several nodes have one name ("${shared.name}"), which ONNX Runtime refuses; a file that is saved gives each a name of its own`] : [];
};

/** What names mean in one graph: its own values, then those of the graphs around it. */
class Scope {
  readonly #own = new Map<string, Value>();
  readonly #outer: Scope | null;
  readonly #label: string;

  constructor(outer: Scope | null, label: string) {
    this.#outer = outer;
    this.#label = label;
  }

  find(name: string): Value | undefined {
    return this.#own.get(name) ?? this.#outer?.find(name);
  }

  own(name: string): Value | undefined {
    return this.#own.get(name);
  }

  add(value: Value): Value {
    if (this.#own.has(value.name)) throw notOnnx(this.#label, `"${value.name}" is made twice`);
    this.#own.set(value.name, value);
    return value;
  }
}

/** Where the model comes from, and what to say about it. */
interface Reading extends Source {
  readonly notes: string[];
  readonly beyond: Beyond;
}

const readGraph = (from: IGraphProto, source: Reading, outer: Scope | null): Graph => {
  const graph = new Graph(from.name ?? "");
  graph.doc = from.docString ?? "";
  const scope = new Scope(outer, source.label);
  setCarried(graph, source.beyond.fields.get(from) ?? []);
  if ([...(from.input ?? []), ...(from.output ?? [])].some(({ name }) => !name)) throw notOnnx(source.label, `an input or output of graph "${from.name ?? ""}" has no name`);
  for (const input of from.input ?? []) graph.inputs.push(scope.add(typed(new Value(input.name ?? ""), input, source)));
  const initializers = [
    ...(from.initializer ?? []).map((held) => ({ name: held.name ?? "", tensor: readTensor(held, source) })),
    ...(from.sparseInitializer ?? []).map((held) => ({ name: held.values?.name ?? "", tensor: denseTensor(held, source) })),
  ].map(({ name, tensor }) => {
    const input = scope.own(name);
    if (input && !input.tensor) return Object.assign(input, { tensor, dtype: tensor.dtype, shape: tensor.shape }); // an input with a default
    return scope.add(new Value(name, { tensor }));
  });
  for (const node of inOrder(from, source)) readNode(graph, node, source, scope);
  const types = new Map([...(from.valueInfo ?? []), ...(from.output ?? [])].map((info) => [info.name ?? "", info]));
  for (const output of [...graph.nodes].flatMap((node) => node.outputs)) {
    const info = types.get(output.name);
    if (info) typed(output, info, source);
  }
  for (const output of from.output ?? []) {
    const value = scope.find(output.name ?? "");
    if (!value) throw notOnnx(source.label, `output "${output.name ?? ""}" is made by no node`);
    graph.outputs.push(value);
  }
  keepAnnotated(graph, initializers, outer === null);
  return graph;
};

/** Throws NOT_ONNX where the nodes form a cycle. */
const inOrder = (from: IGraphProto, source: Reading): readonly INodeProto[] => {
  const order = executionOrder(from);
  if ("cycle" in order) throw notOnnx(source.label, `its nodes form a cycle: ${order.cycle.slice(-6).map(labelOf).join(" -> ")}`);
  if (from.node && order !== from.node) source.notes.push(`the nodes of graph "${from.name ?? ""}" are not listed in execution order; they were sorted`);
  return order;
};

const labelOf = (node: INodeProto): string => `${node.opType ?? "?"} "${node.name || (node.output?.[0] ?? "")}"`;

const readNode = (graph: Graph, from: INodeProto, source: Reading, scope: Scope): void => {
  const label = labelOf(from);
  const inputs = (from.input ?? []).map((name) => {
    if (name === "") return null;
    const value = scope.find(name);
    if (!value) throw notOnnx(source.label, `${label} reads "${name}", which nothing makes`);
    return value;
  });
  const attributes = new Map<string, Attribute>();
  for (const attribute of from.attribute ?? []) {
    const name = attribute.name ?? "";
    if (attributes.has(name)) throw notOnnx(source.label, `${label} has two attributes "${name}"`);
    const read = readAttribute(attribute, source, scope, label);
    setCarried(read, source.beyond.fields.get(attribute) ?? []);
    attributes.set(name, read);
  }
  const node = graph.addNode({
    opType: from.opType ?? "", domain: from.domain === "ai.onnx" ? "" : (from.domain ?? ""), name: from.name ?? "", doc: from.docString ?? "",
    inputs, outputs: from.output ?? [], attributes,
  });
  const more = source.beyond.fields.get(from) ?? [];
  refuseOverload(more, node.domain, label, source);
  setCarried(node, more);
  for (const output of node.outputs) if (output.name !== "") scope.add(output);
};

const readAttribute = (from: IAttributeProto, source: Reading, scope: Scope, label: string): Attribute => {
  const text = (bytes: Uint8Array | null | undefined) => textOf(bytes ?? new Uint8Array(0), label, source.label);
  if (from.refAttrName) throw unsupportedOnnx(source.label, `an attribute reference in ${label}`);
  switch (Number(from.type)) {
    case 1: return { type: "float", value: from.f ?? 0 };
    case 2: return intAttribute(exactInt64(from.i ?? 0));
    case 3: return { type: "string", value: text(from.s) };
    case 4: return { type: "tensor", value: heldTensor(from.t ?? {}, source) };
    case 5: return { type: "graph", value: readGraph(from.g ?? {}, source, scope) };
    case 6: return { type: "floats", value: from.floats ?? [] };
    case 7: return intsAttribute((from.ints ?? []).map(exactInt64));
    case 8: return { type: "strings", value: (from.strings ?? []).map(text) };
    case 9: return { type: "tensors", value: (from.tensors ?? []).map((tensor) => heldTensor(tensor, source)) };
    case 10: return { type: "graphs", value: (from.graphs ?? []).map((graph) => readGraph(graph, source, scope)) };
    case 11: case 12: case 13: case 14: return { type: "kept", value: Uint8Array.from(source.beyond.whole.get(from)!) };
    default: throw unsupportedOnnx(source.label, `attribute "${from.name ?? ""}" of type ${Number(from.type)} in ${label}`);
  }
};

const readTensor = (from: ITensorProto, source: Reading): Tensor => {
  const tensor = tensorFromProto(from, source);
  setCarried(tensor, source.beyond.fields.get(from) ?? []);
  return tensor;
};

/** The tensor of an attribute. */
const heldTensor = (from: ITensorProto, source: Reading): Tensor => {
  const tensor = readTensor(from, source);
  setCarried(tensor, [...carriedBy(tensor), ...nameOfAttributeTensor(from.name ?? "")]);
  return tensor;
};

/** Gives `value` the type that the file says, and keeps what the IR has no place for. */
const typed = (value: Value, info: IValueInfoProto, { beyond }: Reading): Value => {
  Object.assign(value, typeOf(info));
  setCarried(value, beyond.fields.get(info) ?? []);
  const bytes = info.type && beyond.whole.get(info.type);
  if (bytes && (!value.dtype || beyond.fullerTypes.has(info.type!))) setCarriedType(value, Uint8Array.from(bytes));
  return value;
};

let unnamed = 0;
const typeOf = (info: IValueInfoProto): Pick<Value, "dtype" | "shape"> => {
  const tensor = info.type?.tensorType;
  const shape: Shape | undefined = tensor?.shape?.dim?.map(({ dimParam, dimValue }) => dimParam || (isSize(dimValue) ? Number(dimValue) : `?${unnamed++}`));
  return { dtype: tensor ? dataTypeOf(tensor.elemType ?? 0) : undefined, shape };
};

/** Some exporters write -1 for a dimension that they do not know. */
const isSize = (dim: Int64 | null | undefined): boolean => dim !== undefined && dim !== null && Number.isSafeInteger(Number(dim)) && Number(dim) >= 0;
