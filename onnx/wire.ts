import protobuf from "protobufjs/minimal.js";
import type { CarriedField } from "../graph/carried.ts";

const { Reader } = protobuf;

/**
 * The messages of a model as they lie in the bytes. `onnx-proto` is generated from ONNX 1.10 and skips what is newer; the IR has no place for some
 * of the rest. Here every field that a load does not place is found (`fieldsBeyond`) and put back behind the others when the model is saved (`withFields`).
 */
interface MessageTable {
  readonly name: string;
  /** The fields that a load places: with the property in onnx-proto's object and the table where they are messages. */
  readonly placed: (message: Decoded) => ReadonlySet<number>;
  readonly nested: () => Readonly<Record<number, readonly [property: string, table: MessageTable]>>;
}

/** A message as onnx-proto gives or takes it. */
type Decoded = Readonly<Record<string, unknown>>;

const table = (name: string, placed: readonly number[] | MessageTable["placed"], nested: MessageTable["nested"] = () => ({})): MessageTable => {
  const fixed = typeof placed === "function" ? undefined : new Set(placed);
  return { name, placed: fixed ? () => fixed : (placed as MessageTable["placed"]), nested };
};

/** The field that holds the value of an attribute, by AttributeProto.type; an attribute of another type is kept as its bytes. */
const attributeFields: Readonly<Record<number, number>> = { 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 11 };
const placedOfAttribute = Object.entries(attributeFields).map(([type, field]) => [Number(type), new Set([1, 20, 21, field])] as const);
const attributeSets = new Map<number, ReadonlySet<number>>(placedOfAttribute);
const noFields: ReadonlySet<number> = new Set(Array.from({ length: 64 }, (_, field) => field));

const attribute: MessageTable = table("AttributeProto", (message) => attributeSets.get(Number(message["type"])) ?? noFields,
  () => ({ 5: ["t", tensor], 6: ["g", graph], 10: ["tensors", tensor], 11: ["graphs", graph] }));
const node = table("NodeProto", [1, 2, 3, 4, 5, 6, 7], () => ({ 5: ["attribute", attribute] }));
const entry = table("StringStringEntryProto", [1, 2]);
const operatorSet = table("OperatorSetIdProto", [1, 2]);
const tensor = table("TensorProto", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14], () => ({ 13: ["externalData", entry] }));
const sparse = table("SparseTensorProto", [1, 2, 3], () => ({ 1: ["values", tensor], 2: ["indices", tensor] }));
const dimension = table("TensorShapeProto.Dimension", [1, 2]);
const shape = table("TensorShapeProto", [1], () => ({ 1: ["dim", dimension] }));
const tensorType = table("TypeProto.Tensor", [1, 2], () => ({ 2: ["shape", shape] }));
const type = table("TypeProto", [1], () => ({ 1: ["tensorType", tensorType] }));
const valueInfo = table("ValueInfoProto", [1, 2], () => ({ 2: ["type", type] }));
const graph: MessageTable = table("GraphProto", [1, 2, 5, 10, 11, 12, 13, 15], () => ({
  1: ["node", node], 5: ["initializer", tensor], 11: ["input", valueInfo], 12: ["output", valueInfo], 13: ["valueInfo", valueInfo], 15: ["sparseInitializer", sparse],
}));
const model = table("ModelProto", [1, 2, 3, 4, 5, 6, 7, 8, 14], 
  () => ({ 7: ["graph", graph], 8: ["opsetImport", operatorSet], 14: ["metadataProps", entry] }));

/** Deeper nesting than any real model has (If in Loop in If …); guards the stack against hostile files. */
const maxDepth = 64;

/** What the bytes of a model say beyond what a load places, by decoded message. */
export interface Beyond {
  readonly fields: ReadonlyMap<object, readonly CarriedField[]>;
  /** The serialized form of messages that may have to be kept whole: attributes and types. */
  readonly whole: ReadonlyMap<object, Uint8Array>;
  /** Types with a part that the IR has no place for. */
  readonly fullerTypes: ReadonlySet<object>;
}

/** Walks the bytes of a ModelProto beside its decoded form. Throws on malformed bytes. */
export const fieldsBeyond = (bytes: Uint8Array, decoded: object): Beyond => {
  const [fields, whole, fullerTypes] = [new Map<object, CarriedField[]>(), new Map<object, Uint8Array>(), new Set<object>()];
  const reader = Reader.create(bytes);
  /** Whether the message says more than is placed. */
  const walk = (end: number, from: MessageTable, message: Decoded, depth: number): boolean => {
    if (depth > maxDepth) throw new RangeError("messages are nested too deeply");
    const [nested, placed, seen] = [from.nested(), from.placed(message), new Map<number, number>()];
    const rest: CarriedField[] = [];
    let hasMore = false;
    while (reader.pos < end) {
      const start = reader.pos;
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (field === 0) throw new RangeError("field number 0");
      const child = placed.has(field) && (tag & 7) === 2 ? nested[field] : undefined;
      if (!child) {
        reader.skipType(tag & 7);
        if (reader.pos > end) throw new RangeError("a field reaches past its message");
        if (!placed.has(field)) rest.push({ message: from.name, field, bytes: bytes.slice(start, reader.pos) });
        continue;
      }
      const length = reader.uint32();
      const begin = reader.pos;
      if (begin + length > end) throw new RangeError("a message reaches past its parent");
      const at = seen.get(field) ?? 0;
      seen.set(field, at + 1);
      const inner = childAt(message, child[0], at);
      if (child[1] === attribute || child[1] === type) whole.set(inner, bytes.subarray(begin, begin + length));
      const isFuller = walk(begin + length, child[1], inner, depth + 1);
      if (isFuller && child[1] === type) fullerTypes.add(inner);
      hasMore ||= isFuller;
    }
    if (reader.pos !== end) throw new RangeError("a field reaches past its message");
    if (rest.length > 0) fields.set(message, rest);
    return hasMore || rest.length > 0;
  };
  walk(bytes.byteLength, model, decoded as Decoded, 0);
  return { fields, whole, fullerTypes };
};

const childAt = (message: Decoded, property: string, at: number): Decoded => {
  const held = message[property];
  if (!Array.isArray(held) && at > 0) throw new RangeError(`the field "${property}" is there twice`);
  const child: unknown = Array.isArray(held) ? held[at] : held;
  if (typeof child !== "object" || child === null) throw new RangeError(`the field "${property}" is not readable, or the message around it is there twice`);
  return child as Decoded;
};

/** What to write beyond the encoded form of a message: further fields behind it, or the whole message as other bytes. */
export interface Additions {
  readonly fields: Map<object, readonly Uint8Array[]>;
  readonly whole: Map<object, Uint8Array>;
}

/** `encoded`, the serialized form of the ModelProto object `message`, with the additions of the messages in it. */
export const withFields = (encoded: Uint8Array, message: object, { fields, whole }: Additions): Uint8Array => {
  if (fields.size === 0 && whole.size === 0) return encoded;
  const reader = Reader.create(encoded);
  const rewritten = (end: number, from: MessageTable, current: Decoded): readonly Uint8Array[] => {
    const [nested, seen, parts] = [from.nested(), new Map<number, number>(), [] as Uint8Array[]];
    let copied = reader.pos;
    while (reader.pos < end) {
      const tag = reader.uint32();
      const child = (tag & 7) === 2 ? nested[tag >>> 3] : undefined;
      if (!child) { reader.skipType(tag & 7); continue; }
      const tagEnd = reader.pos;
      const length = reader.uint32();
      const stop = reader.pos + length;
      const at = seen.get(tag >>> 3) ?? 0;
      seen.set(tag >>> 3, at + 1);
      const inner = childAt(current, child[0], at);
      const given = whole.get(inner);
      const content = given ? [given] : rewritten(stop, child[1], inner);
      reader.pos = stop;
      if (content.length === 0) continue; // as it was
      parts.push(encoded.subarray(copied, tagEnd), varint(content.reduce((sum, part) => sum + part.byteLength, 0)), ...content);
      copied = stop;
    }
    const more = fields.get(current) ?? [];
    return parts.length === 0 && more.length === 0 ? [] : [...parts, encoded.subarray(copied, end), ...more];
  };
  return Buffer.concat(rewritten(encoded.byteLength, model, message as Decoded));
};

const varint = (value: number): Uint8Array => protobuf.Writer.create().uint32(value).finish();
