import type { Shape, Value } from "./node.ts";
import type { DataType } from "./tensor.ts";

/**
 * What a file says about a graph, node, value, tensor or attribute beyond what the IR models: metadata of newer ONNX, device
 * configurations, quantization annotations, documentation, fields that no version known here has. Nothing here reads them;
 * a clone has them too, and saving writes them back. An owner that a pass makes anew has none.
 */
export interface CarriedField {
  /** The protobuf message that the field stands in, as `NodeProto`. */
  readonly message: string;
  readonly field: number;
  /** The serialized field, its tag included. */
  readonly bytes: Uint8Array;
}

const carried = new WeakMap<object, readonly CarriedField[]>();

export const carriedBy = (owner: object): readonly CarriedField[] => carried.get(owner) ?? [];

export const setCarried = (owner: object, fields: readonly CarriedField[]): void => {
  if (fields.length > 0) carried.set(owner, fields);
  else carried.delete(owner);
};

/** A type as the file writes it (a serialized TypeProto), good as long as the value keeps the element type and shape that were read from it. */
export interface CarriedType {
  readonly dtype: DataType | undefined;
  readonly shape: Shape | undefined;
  readonly bytes: Uint8Array;
}

const types = new WeakMap<Value, CarriedType>();

export const setCarriedType = (value: Value, bytes: Uint8Array): void => {
  types.set(value, { dtype: value.dtype, shape: value.shape, bytes });
};

/** The value's TypeProto as it was read; undefined where it had nothing beyond the IR, or where the type has changed since. */
export const carriedType = (value: Value): Uint8Array | undefined => {
  const type = types.get(value);
  const { dtype, shape } = value;
  const isSame = type?.dtype === dtype && type?.shape?.length === shape?.length && (shape ?? []).every((dim, axis) => dim === type?.shape?.[axis]);
  return isSame ? type?.bytes : undefined;
};

/** `copy` says beyond the IR what `original` does. */
export const carryOver = (original: object, copy: object): void => {
  const fields = carried.get(original);
  if (fields) carried.set(copy, fields);
  const type = types.get(original as Value);
  if (type) types.set(copy as Value, type);
};
