import { exactInts, type Attribute } from "./attribute.ts";
import { Tensor } from "./tensor.ts";

const made = new WeakMap<Attribute, Tensor>();

/** The tensor that a Constant node with these attributes holds; undefined for a sparse one. */
export const constantTensor = (attributes: ReadonlyMap<string, Attribute>): Tensor | undefined => {
  for (const [name, make] of Object.entries(forms)) {
    const attribute = attributes.get(name);
    if (!attribute) continue;
    const tensor = made.get(attribute) ?? make(attribute);
    if (tensor) made.set(attribute, tensor);
    return tensor;
  }
  return undefined;
};

/** The forms of ONNX Constant (opset 12 and newer have all of them). */
const forms: Readonly<Record<string, (attribute: Attribute) => Tensor | undefined>> = {
  value: (attribute) => (attribute.type === "tensor" ? attribute.value : undefined),
  value_int: (attribute) => Tensor.int64([], exactInts(attribute) ?? []),
  value_ints: (attribute) => int64Vector(exactInts(attribute) ?? []),
  value_float: (attribute) => (attribute.type === "float" ? Tensor.float32([], [attribute.value]) : undefined),
  value_floats: (attribute) => (attribute.type === "floats" ? Tensor.float32([attribute.value.length], attribute.value) : undefined),
  value_string: (attribute) => (attribute.type === "string" ? new Tensor("string", [], new Uint8Array(0), [attribute.value]) : undefined),
  value_strings: (attribute) =>
    (attribute.type === "strings" ? new Tensor("string", [attribute.value.length], new Uint8Array(0), attribute.value) : undefined),
};

const int64Vector = (values: readonly (number | bigint)[]): Tensor => Tensor.int64([values.length], values);
