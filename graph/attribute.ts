import type { Graph } from "./graph.ts";
import { Tensor, toInt64 } from "./tensor.ts";

/**
 * An ONNX attribute. Integers are JavaScript numbers; where one is beyond 2^53 and so not exact, `exact` has all of them (INT64_MAX and
 * INT64_MIN stand for themselves as 2^63 and -2^63: writing clamps).
 */
export type Attribute =
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "int"; readonly value: number; readonly exact?: bigint }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Graph }
  | { readonly type: "floats"; readonly value: readonly number[] }
  | { readonly type: "ints"; readonly value: readonly number[]; readonly exact?: readonly bigint[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Graph[] }
  /** A sparse tensor, a type, or what a newer ONNX adds: the serialized AttributeProto, carried through. */
  | { readonly type: "kept"; readonly value: Uint8Array };

/** What code may write where an attribute is expected; the type follows from the value and, for numbers, from the name. */
export type AttributeInput = number | string | readonly number[] | Tensor | Attribute;

/** An `int` attribute that keeps an integer beyond 2^53. */
export const intAttribute = (value: bigint): Attribute =>
  isExact(value) ? { type: "int", value: Number(value) } : { type: "int", value: Number(value), exact: value };

/** As `intAttribute`, for a list. */
export const intsAttribute = (values: readonly bigint[]): Attribute =>
  values.every(isExact) ? { type: "ints", value: values.map(Number) } : { type: "ints", value: values.map(Number), exact: values };

/** Whether the JavaScript number of `value` turns back into it (beyond 2^53 only some do). */
const isExact = (value: bigint): boolean => toInt64(Number(value)) === value;

/** The integers of an `int` or `ints` attribute, none of them rounded. */
export const exactInts = (attribute: Attribute | undefined): readonly (number | bigint)[] | undefined => {
  if (attribute?.type === "int") return [attribute.exact ?? attribute.value];
  return attribute?.type === "ints" ? (attribute.exact ?? attribute.value) : undefined;
};

/** Attributes that the ONNX specification types as float, so `alpha: 1` is 1.0. */
const floatAttributes = new Set([
  "alpha", "beta", "epsilon", "momentum", "gamma", "lambd", "bias", "value_float", "cubic_coeff_a", "extrapolation_value",
  "spatial_scale", "ratio", "value_floats", "clip", "softcap",
]);

/** Gives `input` its ONNX attribute type. */
export const toAttribute = (name: string, input: AttributeInput): Attribute => {
  if (typeof input === "string") return { type: "string", value: input };
  if (typeof input === "number") return { type: isFloat(name, [input]) ? "float" : "int", value: input };
  if (input instanceof Tensor) return { type: "tensor", value: input };
  if ("type" in input) return input;
  return { type: isFloat(name, input) ? "floats" : "ints", value: input };
};

const isFloat = (name: string, values: readonly number[]): boolean =>
  floatAttributes.has(name) || values.some((value) => !Number.isInteger(value));
