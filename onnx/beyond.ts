import onnxProto from "onnx-proto";
import protobuf from "protobufjs/minimal.js";
import { carriedBy, setCarried, type CarriedField } from "../graph/carried.ts";
import { subgraphsOf, type Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { unsupportedOnnx } from "./errors.ts";
import type { Source } from "./source.ts";
import { tensorToProto } from "./tensor-proto.ts";
import type { Beyond } from "./wire.ts";

/** `ModelProto.functions`, carried whole. */
export const functionsField = 25;

/** Marks the name of a tensor in an attribute: it is no value's name, and is not written where the tensor has become an initializer. */
export const attributeTensorName = "AttributeProto.t.name";

/** The name of a tensor in an attribute, as a carried field. */
export const nameOfAttributeTensor = (name: string): CarriedField[] =>
  name === "" ? [] : [{ message: attributeTensorName, field: 8, bytes: protobuf.Writer.create().uint32((8 << 3) | 2).string(name).finish() }];

const [initializerField, annotationField] = [5, 14];

/** The fields of ONNX 1.23 (IR version 14) that a load does not place but knows: they are kept without a word. */
const knownFields: Readonly<Record<string, ReadonlySet<number>>> = {
  ModelProto: new Set([20, functionsField, 26]), // training information, functions, device configurations
  GraphProto: new Set([annotationField, 16]), // quantization annotations, metadata
  NodeProto: new Set([8, 9, 10]), // overload, metadata, device configurations
  AttributeProto: new Set([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 22, 23]), // documentation, values of other types
  TensorProto: new Set([12, 16]), // documentation, metadata
  ValueInfoProto: new Set([3, 4]), // documentation, metadata
  TypeProto: new Set([4, 5, 6, 7, 8, 9]), // types that are no tensors, denotation
  "TensorShapeProto.Dimension": new Set([3]), // denotation
};

/** Messages that become a plain entry of the IR: it has no place for more of them. */
const plainMessages = new Set(["OperatorSetIdProto", "StringStringEntryProto", "SparseTensorProto"]);

/** One line for each kind of field that is newer than what is known here. */
export const notesOfUnknown = (beyond: Beyond): string[] => {
  const counts = new Map<string, number>();
  for (const fields of beyond.fields.values())
    for (const { message, field } of fields)
      if (!knownFields[message]?.has(field)) counts.set(`${message}.${field}`, (counts.get(`${message}.${field}`) ?? 0) + 1);
  const fate = (field: string): string => (plainMessages.has(field.split(".")[0]!) ? "it is dropped" : "it is kept in what is saved and has no effect here");
  return [...counts].map(([field, count]) => `field ${field} (${count}x) is newer than ONNX 1.23: ${fate(field)}`);
};

/** An overload chooses between functions of one name; of an operator of ONNX itself it would change the meaning. */
export const refuseOverload = (fields: readonly CarriedField[], domain: string, label: string, source: Source): void => {
  if (domain === "" && fields.some(({ field, bytes }) => field === 8 && bytes.byteLength > 2)) throw unsupportedOnnx(source.label, `an overload in ${label}`);
};

/**
 * Initializers that nothing reads are dropped, but not those of a graph with quantization annotations: annotations name scales and zero
 * points that no node reads. In the model (not in a body) an input with contents is an initializer.
 */
export const keepAnnotated = (graph: Graph, initializers: readonly Value[], isModel: boolean): void => {
  const fields = carriedBy(graph);
  if (!fields.some(({ message, field }) => message === "GraphProto" && field === annotationField)) return;
  const written = new Set([...graph.outputs, ...(isModel ? [] : graph.inputs)]);
  const unread = initializers.filter((value) => value.uses.size === 0 && !written.has(value));
  setCarried(graph, [...fields, ...unread.map((value) => ({ message: "GraphProto", field: initializerField, bytes: initializerBytes(value) }))]);
};

/** The value as a serialized field GraphProto.initializer. */
const initializerBytes = ({ name, tensor }: Value): Uint8Array => {
  const fields = carriedBy(tensor!).filter(({ message }) => message !== attributeTensorName).map(({ bytes }) => bytes);
  const content = Buffer.concat([onnxProto.onnx.TensorProto.encode(tensorToProto(tensor!, name)).finish(), ...fields]);
  return protobuf.Writer.create().uint32((initializerField << 3) | 2).bytes(content).finish();
};

/** What describes a model as it was, by the names and shapes of its values: stale once channels are cut or tensors quantized. */
const descriptions: Readonly<Record<string, number>> = { ModelProto: 20, GraphProto: annotationField, NodeProto: 10 };

/** Takes training information, quantization annotations (with the initializers kept for them) and device configurations of nodes out of `graph`. */
export const forgetDescriptions = (graph: Graph): void => {
  const isCurrent = ({ message, field }: CarriedField) =>
    descriptions[message] !== field && !(message === "GraphProto" && field === initializerField);
  for (const owner of [graph, ...graph.nodes]) setCarried(owner, carriedBy(owner).filter(isCurrent));
  for (const node of graph.nodes) subgraphsOf(node).forEach(forgetDescriptions);
};
