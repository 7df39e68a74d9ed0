import protobuf from "protobufjs/minimal.js";

const { Reader } = protobuf;

/**
 * Which fields a load carries over, by message; a nested table is a nested message. Not listed are the fields that `onnx-proto` (generated
 * from ONNX 1.10) does not know and those that the graph has no place for: both would vanish, so `unknownFields` finds them first.
 */
interface MessageTable {
  readonly name: string;
  readonly known: ReadonlySet<number>;
  readonly nested: () => Readonly<Record<number, MessageTable>>;
}

const table = (name: string, known: readonly number[], nested: () => Record<number, MessageTable> = () => ({})): MessageTable =>
  ({ name, known: new Set(known), nested });

const attribute = table("AttributeProto", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 20, 21, 22, 23],
  () => ({ 5: tensor, 6: graph, 10: tensor, 11: graph }));
const node = table("NodeProto", [1, 2, 3, 4, 5, 6, 7], () => ({ 5: attribute }));
const tensor = table("TensorProto", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14]);
const dimension = table("TensorShapeProto.Dimension", [1, 2]);
const shape = table("TensorShapeProto", [1], () => ({ 1: dimension }));
const tensorType = table("TypeProto.Tensor", [1, 2], () => ({ 2: shape }));
const type = table("TypeProto", [1, 4, 5, 8, 9], () => ({ 1: tensorType }));
const valueInfo = table("ValueInfoProto", [1, 2], () => ({ 2: type }));
const graph: MessageTable = table("GraphProto", [1, 2, 5, 10, 11, 12, 13, 15],
  () => ({ 1: node, 5: tensor, 11: valueInfo, 12: valueInfo, 13: valueInfo }));
const functionProto = table("FunctionProto", [1, 4, 5, 6, 7, 8, 9, 10], () => ({ 7: node }));
const model = table("ModelProto", [1, 2, 3, 4, 5, 6, 7, 8, 14, 25], () => ({ 7: graph, 25: functionProto }));

/** Deeper nesting than any real model has (If in Loop in If …); guards the stack against hostile files. */
const maxDepth = 64;

/** Counts, as `Message.fieldNumber`, the fields of a serialized ModelProto that a load would drop. Throws on malformed bytes. */
export const unknownFields = (bytes: Uint8Array): Map<string, number> => {
  const found = new Map<string, number>();
  const walk = (reader: protobuf.Reader, end: number, message: MessageTable, depth: number): void => {
    if (depth > maxDepth) throw new RangeError("messages are nested too deeply");
    const nested = message.nested();
    while (reader.pos < end) {
      const tag = reader.uint32();
      const field = tag >>> 3;
      if (field === 0) throw new RangeError("field number 0");
      if (!message.known.has(field)) {
        const key = `${message.name}.${field}`;
        found.set(key, (found.get(key) ?? 0) + 1);
      }
      const child = nested[field];
      if (!child || (tag & 7) !== 2) { reader.skipType(tag & 7); continue; }
      const length = reader.uint32();
      if (reader.pos + length > end) throw new RangeError("a message reaches past its parent");
      walk(reader, reader.pos + length, child, depth + 1);
    }
    if (reader.pos !== end) throw new RangeError("a field reaches past its message");
  };
  const reader = Reader.create(bytes);
  walk(reader, bytes.byteLength, model, 0);
  return found;
};
