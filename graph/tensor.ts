import { UserError } from "./error.ts";
import { halfToFloat, floatToHalf } from "./float16.ts";

/** ONNX element types (onnx.proto TensorProto.DataType), by their ONNX names in lower case. */
export type DataType =
  | "float32" | "float16" | "bfloat16" | "float64"
  | "int8" | "int16" | "int32" | "int64"
  | "uint8" | "uint16" | "uint32" | "uint64"
  | "bool" | "string" | "complex64" | "complex128"
  | KeptType;

/** Types that are kept as they are and that nothing here computes with; those below 8 bits are packed. */
export type KeptType =
  | "float8e4m3fn" | "float8e4m3fnuz" | "float8e5m2" | "float8e5m2fnuz" | "float8e8m0" | "float6e2m3" | "float6e3m2" | "float4e2m1"
  | "uint4" | "int4" | "uint2" | "int2";

const bitsOfKept: Readonly<Record<KeptType, number>> = {
  float8e4m3fn: 8, float8e4m3fnuz: 8, float8e5m2: 8, float8e5m2fnuz: 8, float8e8m0: 8, float6e2m3: 6, float6e3m2: 6, float4e2m1: 4,
  uint4: 4, int4: 4, uint2: 2, int2: 2,
};

export const isKeptType = (dtype: DataType): dtype is KeptType => Object.hasOwn(bitsOfKept, dtype);

export type TypedArray =
  | Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array
  | BigInt64Array | BigUint64Array;

type ArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
};

const arrays: Readonly<Record<Exclude<DataType, "string" | KeptType>, ArrayConstructor>> = {
  float32: Float32Array, float64: Float64Array, float16: Uint16Array, bfloat16: Uint16Array,
  int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array,
  uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array,
  bool: Uint8Array, complex64: Float32Array, complex128: Float64Array,
};

/** TensorProto.DataType numbers, as the attribute `to` of Cast wants them. */
export const onnxDataType: Readonly<Record<DataType, number>> = {
  float32: 1, uint8: 2, int8: 3, uint16: 4, int16: 5, int32: 6, int64: 7, string: 8, bool: 9, float16: 10, float64: 11,
  uint32: 12, uint64: 13, complex64: 14, complex128: 15, bfloat16: 16,
  float8e4m3fn: 17, float8e4m3fnuz: 18, float8e5m2: 19, float8e5m2fnuz: 20, uint4: 21, int4: 22, float4e2m1: 23, float8e8m0: 24,
  uint2: 25, int2: 26, float6e2m3: 27, float6e3m2: 28,
};

export const dataTypeOf = (code: number): DataType | undefined =>
  (Object.keys(onnxDataType) as DataType[]).find((dtype) => onnxDataType[dtype] === code);

/** Bytes of one element; a string has none, a packed type a part of one. */
export const bytesPerElement = (dtype: DataType): number => {
  if (dtype === "string") return 0;
  if (isKeptType(dtype)) return bitsOfKept[dtype] / 8;
  const complex = dtype === "complex64" || dtype === "complex128";
  return arrays[dtype].BYTES_PER_ELEMENT * (complex ? 2 : 1);
};

/** Bytes of `count` elements; packed types are filled up to whole bytes. */
export const byteLengthOf = (dtype: DataType, count: number): number => Math.ceil(count * bytesPerElement(dtype));

export const elementCount = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Row-major strides in elements. */
export const stridesOf = (shape: readonly number[]): number[] => {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
};

const [int64Max, int64Min] = [2n ** 63n - 1n, -(2n ** 63n)];

/** An int64; what lies beyond is clamped, so INT64_MAX as a double (2^63, one too many) is INT64_MAX again. */
export const toInt64 = (value: number | bigint): bigint => {
  const exact = BigInt(value);
  return exact > int64Max ? int64Max : exact < int64Min ? int64Min : exact;
};

/** Immutable-by-convention bytes + dtype + shape, row-major, little-endian (the layout of ONNX raw_data). */
export class Tensor {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Elements of a string tensor; empty for every other dtype. */
  readonly strings: readonly string[];

  constructor(dtype: DataType, shape: readonly number[], bytes: Uint8Array, strings: readonly string[] = []) {
    const count = elementCount(shape);
    const have = dtype === "string" ? strings.length : bytes.byteLength / bytesPerElement(dtype);
    if (dtype === "string" ? have !== count : bytes.byteLength !== byteLengthOf(dtype, count)) {
      throw new Error(`bug: a ${dtype}[${shape.join(",")}] tensor needs ${count} elements, got ${have}`);
    }
    this.dtype = dtype;
    this.shape = shape;
    this.bytes = bytes;
    this.strings = strings;
  }

  static float32(shape: readonly number[], values: ArrayLike<number>): Tensor {
    const data = values instanceof Float32Array ? values : Float32Array.from(values);
    return Tensor.of("float32", shape, data);
  }

  static int64(shape: readonly number[], values: readonly (number | bigint)[]): Tensor {
    return Tensor.of("int64", shape, BigInt64Array.from(values, toInt64));
  }

  static bool(shape: readonly number[], values: readonly boolean[]): Tensor {
    return Tensor.of("bool", shape, Uint8Array.from(values, Number));
  }

  static of(dtype: DataType, shape: readonly number[], data: TypedArray): Tensor {
    return new Tensor(dtype, [...shape], new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** `numbers` rounded into `dtype` (float16 included). */
  static from(dtype: DataType, shape: readonly number[], numbers: ArrayLike<number>): Tensor {
    switch (dtype) {
      case "float32": return Tensor.of(dtype, shape, Float32Array.from(numbers));
      case "float64": return Tensor.of(dtype, shape, Float64Array.from(numbers));
      case "float16": return Tensor.of(dtype, shape, Uint16Array.from(numbers, floatToHalf));
      case "int8": return Tensor.of(dtype, shape, Int8Array.from(numbers));
      case "int16": return Tensor.of(dtype, shape, Int16Array.from(numbers));
      case "int32": return Tensor.of(dtype, shape, Int32Array.from(numbers));
      case "int64": return Tensor.int64(shape, Array.from(numbers));
      case "uint8": return Tensor.of(dtype, shape, Uint8Array.from(numbers));
      case "uint16": return Tensor.of(dtype, shape, Uint16Array.from(numbers));
      case "uint32": return Tensor.of(dtype, shape, Uint32Array.from(numbers));
      case "bool": return Tensor.of(dtype, shape, Uint8Array.from(numbers, (n) => Number(n !== 0)));
      default: throw new Error(`bug: Tensor.from does not make ${dtype}`);
    }
  }

  get size(): number {
    return elementCount(this.shape);
  }

  /** A typed view of the bytes (a copy only where the bytes are not aligned); float16 and bfloat16 as their bits. */
  get data(): TypedArray {
    if (this.dtype === "string") throw new Error("bug: a string tensor has no typed data");
    if (isKeptType(this.dtype)) throw cannotCompute(this.dtype);
    const make = arrays[this.dtype];
    const aligned = this.bytes.byteOffset % make.BYTES_PER_ELEMENT === 0 ? this.bytes : new Uint8Array(this.bytes); // not slice(): a Buffer's shares memory
    return new make(aligned.buffer, aligned.byteOffset, aligned.byteLength / make.BYTES_PER_ELEMENT);
  }

  /** The float32 elements; throws for another dtype. */
  get floats(): Float32Array {
    const { data } = this;
    if (!(data instanceof Float32Array)) throw new Error(`bug: expected a float32 tensor, got ${this.dtype}`);
    return data;
  }

  /** All elements as JavaScript numbers; int64 beyond 2^53 loses precision, float16 is widened. */
  toNumbers(): number[] {
    const { data } = this;
    if (this.dtype === "float16") return Array.from(data as Uint16Array, halfToFloat);
    if (this.dtype === "bfloat16") return Array.from(data as Uint16Array, bfloatToFloat);
    return Array.from(data as Iterable<number | bigint>, Number);
  }
}

/** Files with such tensors load, run and are saved as they are; only what would change or read the elements stops. */
const cannotCompute = (dtype: KeptType): UserError =>
  new UserError("UNSUPPORTED_TYPE", `The model has tensors of type ${dtype}, which are kept but cannot be computed with here.`,
    "export the model in float32 or float16, and let Edgestill quantize it.");

/** A copy with other elements at the given places; every other element keeps its bits (an int64 beyond 2^53 too). Integers and floats of up to 64 bits. */
export const withElements = (tensor: Tensor, changed: Iterable<readonly [index: number, value: number]>): Tensor => {
  const { data } = new Tensor(tensor.dtype, tensor.shape, Uint8Array.from(tensor.bytes));
  for (const [index, value] of changed)
    data[index] = data instanceof BigInt64Array || data instanceof BigUint64Array ? toInt64(value) : tensor.dtype === "float16" ? floatToHalf(value) : value;
  return Tensor.of(tensor.dtype, tensor.shape, data);
};

const bfloatToFloat = (bits: number): number => new Float32Array(new Uint32Array([bits << 16]).buffer)[0]!;

/** The given indexes of one axis, in that order. */
export const takeIndexes = (tensor: Tensor, axis: number, indexes: readonly number[]): Tensor => {
  if (isKeptType(tensor.dtype)) throw cannotCompute(tensor.dtype);
  const size = tensor.shape[axis]!;
  const outer = tensor.shape.slice(0, axis).reduce((n, dim) => n * dim, 1);
  const run = tensor.bytes.byteLength / (outer * size);
  const bytes = new Uint8Array(outer * indexes.length * run);
  for (let o = 0; o < outer; o++)
    for (const [k, index] of indexes.entries())
      bytes.set(tensor.bytes.subarray((o * size + index) * run, (o * size + index + 1) * run), (o * indexes.length + k) * run);
  return new Tensor(tensor.dtype, tensor.shape.map((dim, at) => (at === axis ? indexes.length : dim)), bytes);
};
