import type { Graph } from "./graph.ts";
import { Tensor } from "./tensor.ts";

/** An ONNX attribute. int64 values are JavaScript numbers: INT64_MAX survives a save because saving clamps. */
export type Attribute =
  | { readonly type: "float" | "int"; readonly value: number }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "tensor"; readonly value: Tensor }
  | { readonly type: "graph"; readonly value: Graph }
  | { readonly type: "floats" | "ints"; readonly value: readonly number[] }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "tensors"; readonly value: readonly Tensor[] }
  | { readonly type: "graphs"; readonly value: readonly Graph[] };

/** What code may write where an attribute is expected; the type follows from the value and, for numbers, from the name. */
export type AttributeInput = number | string | readonly number[] | Tensor | Attribute;

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
