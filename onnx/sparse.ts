import type onnxProto from "onnx-proto";
import { bytesPerElement, elementCount, isKeptType, Tensor } from "../graph/tensor.ts";
import { notOnnx, unsupportedOnnx } from "./errors.ts";
import type { Source } from "./source.ts";
import { tensorFromProto } from "./tensor-proto.ts";

type ISparseTensorProto = onnxProto.onnx.ISparseTensorProto;

/** A small file may say a huge shape: a dense form beyond this is refused. */
const maxDenseBytes = 256 * 2 ** 20;

/** The same tensor with its zeros written out. `indices` are positions in row-major order ([nnz]) or coordinates ([nnz, rank]). */
export const denseTensor = (proto: ISparseTensorProto, source: Source): Tensor => {
  const name = proto.values?.name ?? "";
  const shape = (proto.dims ?? []).map(Number);
  const count = elementCount(shape);
  const isShape = shape.length > 0 && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0) && Number.isSafeInteger(count);
  if (!proto.values || !proto.indices || !isShape) throw notOnnx(source.label, `the sparse tensor "${name}" lacks values, indices or a shape`);
  const values = tensorFromProto(proto.values, source);
  const size = bytesPerElement(values.dtype);
  if (values.dtype === "string" || isKeptType(values.dtype)) throw unsupportedOnnx(source.label, `the sparse tensor "${name}" of ${values.dtype}`);
  if (count * size > maxDenseBytes) throw unsupportedOnnx(source.label, `the sparse tensor "${name}", whose dense form has ${count * size} bytes`);
  const bytes = new Uint8Array(count * size);
  for (const [at, position] of positionsOf(proto, shape, values.size, source).entries())
    bytes.set(values.bytes.subarray(at * size, (at + 1) * size), position * size);
  return new Tensor(values.dtype, shape, bytes);
};

const positionsOf = (proto: ISparseTensorProto, shape: readonly number[], nonZero: number, source: Source): readonly number[] => {
  const indices = tensorFromProto(proto.indices!, source);
  const [rows, rank = 1] = indices.shape;
  const isCoordinates = indices.shape.length === 2;
  if (indices.dtype !== "int64" || rows !== nonZero || indices.shape.length > 2 || (isCoordinates && rank !== shape.length)) {
    throw notOnnx(source.label, `the sparse tensor "${proto.values?.name ?? ""}" has indices that do not match its ${nonZero} values`);
  }
  const numbers = indices.toNumbers();
  const dims = isCoordinates ? shape : [elementCount(shape)];
  return Array.from({ length: nonZero }, (_, row) =>
    dims.reduce((position, dim, axis) => {
      const index = numbers[row * dims.length + axis]!;
      if (!(index >= 0 && index < dim)) throw notOnnx(source.label, `the sparse tensor "${proto.values?.name ?? ""}" has an index beyond its shape`);
      return position * dim + index;
    }, 0));
};
