import { test } from "uvu";
import * as assert from "uvu/assert";
import { byteLengthOf, bytesPerElement, dataTypeOf, isKeptType, onnxDataType, stridesOf, takeIndexes, Tensor, type DataType } from "../../graph/tensor.ts";

test("a tensor has as many elements as its shape says", () => {
  assert.throws(() => Tensor.float32([3], [1, 2]), /needs 3 elements, got 2/);
  assert.throws(() => new Tensor("float32", [1], new Uint8Array(3)), /needs 1 elements/);
  assert.throws(() => new Tensor("string", [1], new Uint8Array(0)), /needs 1 elements/);
  assert.is(Tensor.float32([0, 5], []).size, 0);
  assert.is(Tensor.float32([], [1]).size, 1);
});

test("element types and ONNX's numbers for them are one to one", () => {
  for (const [dtype, code] of Object.entries(onnxDataType)) assert.is(dataTypeOf(code), dtype);
  assert.is(dataTypeOf(0), undefined);
  assert.is(dataTypeOf(29), undefined);
  assert.equal([bytesPerElement("complex128"), bytesPerElement("float16"), bytesPerElement("string")], [16, 2, 0]);
});

test("numbers go in and come out, float16 and bool included", () => {
  for (const dtype of ["float32", "float64", "float16", "int8", "int16", "int32", "int64"] as const) assert.equal(Tensor.from(dtype, [3], [-2, 0, 3]).toNumbers(), [-2, 0, 3], dtype);
  for (const dtype of ["uint8", "uint16", "uint32"] as const) assert.equal(Tensor.from(dtype, [2], [0, 200]).toNumbers(), [0, 200], dtype);
  assert.equal(Tensor.from("bool", [3], [0, 7, -1]).toNumbers(), [0, 1, 1]);
  assert.throws(() => Tensor.from("complex64" satisfies DataType, [1], [1]), /does not make/);
});

test("bytes that are not aligned are read as well, those of a Buffer too", () => {
  const whole = Buffer.concat([Buffer.from([9]), Buffer.from(Float32Array.of(1.5, -2).buffer)]);
  assert.equal([...new Tensor("float32", [2], whole.subarray(1)).floats], [1.5, -2]);
  assert.throws(() => new Tensor("int32", [1], new Uint8Array(4)).floats, /expected a float32/);
});

test("strides of a row-major tensor", () => assert.equal([stridesOf([2, 3, 4]), stridesOf([5]), stridesOf([])], [[12, 4, 1], [1], []]));

for (const dtype of (Object.keys(onnxDataType) as DataType[]).filter(isKeptType)) test(`${dtype} is kept, and refused where it would be computed with`, () => {
  const tensor = new Tensor(dtype, [5], new Uint8Array(byteLengthOf(dtype, 5)));
  for (const compute of [() => tensor.data, () => tensor.toNumbers(), () => takeIndexes(tensor, 0, [1])])
    assert.throws(compute, (error: { code?: string; message: string }) => error.code === "UNSUPPORTED_TYPE" && error.message.includes(dtype));
});

test("packed types fill whole bytes", () =>
  assert.equal((["int2", "uint4", "float6e2m3", "float8e5m2"] as const).map((dtype) => byteLengthOf(dtype, 5)), [2, 3, 4, 5]));

test.run();
