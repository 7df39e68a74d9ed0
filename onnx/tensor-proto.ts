import { readFileSync, realpathSync, statSync, openSync, readSync, closeSync } from "node:fs";
import { resolve, sep } from "node:path";
import type onnxProto from "onnx-proto";
import { byteLengthOf, bytesPerElement, dataTypeOf, elementCount, onnxDataType, Tensor, type DataType } from "../graph/tensor.ts";
import { badExternalData, notOnnx, unsupportedOnnx } from "./errors.ts";
import type { Int64 } from "./int64.ts";
import type { Source } from "./source.ts";
import { textOf } from "./text.ts";

type ITensorProto = onnxProto.onnx.ITensorProto;

/** TensorProto -> Tensor. Sizes are checked against the bytes that are there before anything is allocated. */
export const tensorFromProto = (proto: ITensorProto, source: Source): Tensor => {
  const name = proto.name ?? "";
  const dtype = dataTypeOf(proto.dataType ?? 0);
  if (!dtype) throw unsupportedOnnx(source.label, `tensor "${name}" of element type ${proto.dataType ?? 0} (newer than ONNX 1.23)`);
  if (proto.segment) throw unsupportedOnnx(source.label, `segmented tensor "${name}"`);
  const shape = (proto.dims ?? []).map(Number);
  const count = elementCount(shape);
  if (shape.some((dim) => !Number.isSafeInteger(dim) || dim < 0) || !Number.isSafeInteger(count)) {
    throw notOnnx(source.label, `tensor "${name}" has the shape [${shape.join(", ")}]`);
  }
  if (dtype === "string") {
    const strings = (proto.stringData ?? []).map((bytes) => textOf(bytes, `tensor "${name}"`, source.label));
    return sized(dtype, shape, count, new Uint8Array(0), strings, name, source);
  }
  const bytes = Number(proto.dataLocation) === 1 ? externalBytes(proto, name, byteLengthOf(dtype, count), source) : proto.rawData?.length ? proto.rawData : typedBytes(proto, dtype, count);
  return sized(dtype, shape, count, bytes, [], name, source);
};

const sized = (dtype: DataType, shape: readonly number[], count: number, bytes: Uint8Array, strings: readonly string[], name: string, source: Source): Tensor => {
  const isFull = dtype === "string" ? strings.length === count : bytes.byteLength === byteLengthOf(dtype, count);
  const have = dtype === "string" ? strings.length : bytes.byteLength / bytesPerElement(dtype);
  if (!isFull) throw notOnnx(source.label, `tensor "${name}" of type ${dtype}[${shape.join(",")}] needs ${count} elements and has ${have}`);
  return new Tensor(dtype, shape, bytes, strings);
};

/** The typed fields of TensorProto (onnx.proto): int32_data carries every type of at most 32 bits, float16 as its bits. */
const typedBytes = (proto: ITensorProto, dtype: DataType, count: number): Uint8Array => {
  const from = (data: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const big = (values: readonly Int64[]) => values.map((value) => BigInt(value.toString()));
  const small = proto.int32Data ?? [];
  switch (dtype) {
    case "float32": case "complex64": return from(Float32Array.from(proto.floatData ?? []));
    case "float64": case "complex128": return from(Float64Array.from(proto.doubleData ?? []));
    case "int64": return from(BigInt64Array.from(big(proto.int64Data ?? [])));
    case "uint64": return from(BigUint64Array.from(big(proto.uint64Data ?? [])));
    case "uint32": return from(Uint32Array.from(big(proto.uint64Data ?? []), Number));
    case "int32": return from(Int32Array.from(small));
    case "int16": return from(Int16Array.from(small));
    case "uint16": case "float16": case "bfloat16": return from(Uint16Array.from(small));
    case "int8": return from(Int8Array.from(small));
    case "float6e2m3": case "float6e3m2": return packedSixes(small, count);
    default: return from(Uint8Array.from(small));
  }
};

/** int32_data holds one 6-bit element in each entry, raw_data four in three bytes, the first in the lowest bits. */
const packedSixes = (values: readonly number[], count: number): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil((Math.min(values.length, count) * 6) / 8));
  for (const [at, value] of values.entries()) {
    const shifted = (value & 63) << ((at * 6) % 8);
    const first = Math.floor((at * 6) / 8);
    bytes[first]! |= shifted & 255;
    if (shifted > 255) bytes[first + 1]! |= shifted >> 8;
  }
  return bytes;
};

/** External data (onnx docs/ExternalData.md), confined to the model's folder even through symbolic links; nothing is read unless it has `needed` bytes. */
const externalBytes = (proto: ITensorProto, name: string, needed: number, source: Source): Uint8Array => {
  const entries = new Map((proto.externalData ?? []).map(({ key, value }) => [key ?? "", value ?? ""]));
  const location = entries.get("location") ?? "";
  if (source.folder === undefined) throw badExternalData(source.label, name, `cannot be read: the model was given as bytes, without a folder`);
  const folder = realpathSync(source.folder);
  const path = resolve(folder, location);
  const inside = (candidate: string) => candidate.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  if (location === "" || !inside(path)) throw badExternalData(source.label, name, `lies outside the model's folder ("${location}")`);
  const file = statSync(path, { throwIfNoEntry: false });
  if (!file?.isFile()) throw badExternalData(source.label, name, file ? `is not a file: "${location}"` : `is missing: "${location}"`);
  const { size } = file;
  if (!inside(realpathSync(path))) throw badExternalData(source.label, name, `leaves the model's folder through a link ("${location}")`);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? size - offset);
  if (![offset, length].every((n) => Number.isSafeInteger(n) && n >= 0) || offset + length > size) {
    throw badExternalData(source.label, name, `asks for bytes ${offset}..${offset + length} of "${location}", which has ${size}`);
  }
  source.external?.set(path, size);
  if (length !== needed) throw badExternalData(source.label, name, `has ${length} bytes where the shape needs ${needed}`);
  return readRange(path, offset, length);
};

const readRange = (path: string, offset: number, length: number): Uint8Array => {
  if (offset === 0 && length === statSync(path).size) return readFileSync(path);
  const bytes = new Uint8Array(length);
  const file = openSync(path, "r");
  try {
    for (let at = 0; at < length;) {
      const read = readSync(file, bytes, at, length - at, offset + at);
      if (read === 0) break;
      at += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
};

/** Tensor -> TensorProto with raw_data (strings: string_data). */
export const tensorToProto = (tensor: Tensor, name: string): ITensorProto => ({
  name,
  dims: [...tensor.shape],
  dataType: onnxDataType[tensor.dtype],
  ...(tensor.dtype === "string" ? { stringData: tensor.strings.map((text) => Buffer.from(text, "utf8")) } : { rawData: tensor.bytes }),
});
