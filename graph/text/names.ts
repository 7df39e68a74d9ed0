import type { DataType } from "../tensor.ts";

/** Element types as the text form writes them. */
export const shortTypes: Readonly<Record<DataType, string>> = {
  float32: "f32", float16: "f16", bfloat16: "bf16", float64: "f64", int8: "i8", int16: "i16", int32: "i32", int64: "i64",
  uint8: "u8", uint16: "u16", uint32: "u32", uint64: "u64", bool: "bool", string: "string", complex64: "c64", complex128: "c128",
};

/** The element type that `text` names, short or in ONNX's words. */
export const typeNamed = (text: string): DataType | undefined =>
  (Object.keys(shortTypes) as DataType[]).find((dtype) => dtype === text || shortTypes[dtype] === text);

/** Names that need no quotes. */
export const isBareName = (name: string): boolean => /^[A-Za-z][\w./]*$/.test(name) && !/^(inf|nan|const|graph|meta)$/.test(name);
