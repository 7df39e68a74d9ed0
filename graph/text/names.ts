import type { DataType } from "../tensor.ts";

/** Element types as the text form writes them. */
export const shortTypes: Readonly<Record<DataType, string>> = {
  float32: "f32", float16: "f16", bfloat16: "bf16", float64: "f64", int8: "i8", int16: "i16", int32: "i32", int64: "i64",
  uint8: "u8", uint16: "u16", uint32: "u32", uint64: "u64", bool: "bool", string: "string", complex64: "c64", complex128: "c128",
  float8e4m3fn: "f8e4m3fn", float8e4m3fnuz: "f8e4m3fnuz", float8e5m2: "f8e5m2", float8e5m2fnuz: "f8e5m2fnuz", float8e8m0: "f8e8m0",
  float6e2m3: "f6e2m3", float6e3m2: "f6e3m2", float4e2m1: "f4e2m1", uint4: "u4", int4: "i4", uint2: "u2", int2: "i2",
};

/** The element type that `text` names, short or in ONNX's words. */
export const typeNamed = (text: string): DataType | undefined =>
  (Object.keys(shortTypes) as DataType[]).find((dtype) => dtype === text || shortTypes[dtype] === text);

/** Names that need no quotes. */
export const isBareName = (name: string): boolean => /^[A-Za-z][\w./]*$/.test(name) && !/^(inf|nan|const|graph|meta)$/.test(name);
