import type { Dim, Node, Value } from "../node.ts";
import { dataTypeOf, elementCount, stridesOf } from "../tensor.ts";
import { addDims, divideDims, multiplyDims, productOf, subtractDims } from "./dim.ts";

/** A small tensor whose elements are numbers or dimension names: what shape arithmetic computes with. */
export interface PartialValue {
  readonly shape: readonly number[];
  readonly elements: readonly Dim[];
}

/** Values already looked at; share one only while the graph does not change. */
export type Memo = Map<Value, PartialValue | undefined>;

type ValueRule = (node: Node, value: (slot: number) => PartialValue | undefined) => PartialValue | undefined;

/** Bigger tensors are data, not shapes. */
const mostElements = 2048;

/** The elements of `value` as far as constants and shapes tell; undefined where they tell nothing. */
export const partialValue = (value: Value, memo: Memo = new Map()): PartialValue | undefined => {
  if (memo.has(value)) return memo.get(value);
  memo.set(value, undefined);
  const found = evaluate(value, memo);
  memo.set(value, found);
  return found;
};

const evaluate = (value: Value, memo: Memo): PartialValue | undefined => {
  const tensor = value.constant;
  if (tensor) {
    if (tensor.size > mostElements || tensor.dtype === "string" || tensor.dtype.startsWith("complex")) return undefined;
    return { shape: tensor.shape, elements: tensor.toNumbers() };
  }
  const node = value.producer;
  if (!node || node.domain !== "" || node.outputs[0] !== value) return undefined;
  const rule = Object.hasOwn(valueRules, node.opType) ? valueRules[node.opType] : undefined;
  const result = rule?.(node, (slot) => {
    const input = node.optionalIn(slot);
    return input && partialValue(input, memo);
  });
  return result && result.elements.length <= mostElements ? result : undefined;
};

const isInteger = (node: Node): boolean => /^u?int/.test(node.in(0).dtype ?? "int64");
const vector = (elements: readonly Dim[]): PartialValue => ({ shape: [elements.length], elements });
const unknownIn = (node: Node, index: number): Dim => `?${node.out().name}[${index}]`;
const numbersOf = (value: PartialValue | undefined): readonly number[] | undefined =>
  value?.elements.every((element) => typeof element === "number") ? (value.elements) : undefined;

/** Elementwise with broadcasting. */
const zip = (combine: (node: Node, a: Dim, b: Dim, unknown: Dim) => Dim): ValueRule => (node, value) => {
  const a = value(0);
  const b = value(1);
  if (!a || !b) return undefined;
  const rank = Math.max(a.shape.length, b.shape.length);
  const pad = (shape: readonly number[]): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [left, right] = [pad(a.shape), pad(b.shape)];
  if (left.some((dim, axis) => dim !== right[axis] && dim !== 1 && right[axis] !== 1)) return undefined;
  const shape = left.map((dim, axis) => (dim === 1 ? right[axis]! : dim));
  const count = elementCount(shape);
  if (count > mostElements) return undefined;
  const pick = (from: PartialValue, dims: readonly number[], flat: number): Dim => from.elements[broadcastIndex(flat, shape, dims)]!;
  const elements = Array.from({ length: count }, (_, flat) => combine(node, pick(a, left, flat), pick(b, right, flat), unknownIn(node, flat)));
  return { shape, elements };
};

/** Position in a tensor of shape `dims` (1 where it repeats) of element `flat` of `shape`. */
const broadcastIndex = (flat: number, shape: readonly number[], dims: readonly number[]): number => {
  const strides = stridesOf(shape);
  const own = stridesOf(dims);
  return shape.reduce((sum, _, axis) => sum + (dims[axis] === 1 ? 0 : (Math.floor(flat / strides[axis]!) % shape[axis]!) * own[axis]!), 0);
};

const map = (change: (x: number) => number): ValueRule => (node, value) => {
  const a = value(0);
  return a && { shape: a.shape, elements: a.elements.map((x, index) => (typeof x === "number" ? change(x) : unknownIn(node, index))) };
};

const keepWhole = (whole: (x: number) => number): ValueRule => (_node, value) => {
  const a = value(0);
  return a && { shape: a.shape, elements: a.elements.map((x) => (typeof x === "number" ? whole(x) : x)) };
};

/** A plain name stands for a size >= 0, so it stands above every negative number. */
const isSize = (dim: Dim): boolean => typeof dim === "number" || /^\w+$/.test(dim);
const comparable = (a: Dim, b: Dim): boolean => typeof a === "number" ? typeof b === "number" || (a < 0 && isSize(b)) : typeof b === "number" && b < 0 && isSize(a);
const asNumber = (dim: Dim): number => (typeof dim === "number" ? dim : 0);

const compare = (holds: (a: number, b: number) => boolean): ValueRule => (node, value) => {
  const result = zip((_node, a, b, unknown) => (comparable(a, b) ? Number(holds(asNumber(a), asNumber(b))) : unknown))(node, value);
  return result?.elements.every((element) => typeof element === "number") ? result : undefined;
};

const divide = (node: Node, a: Dim, b: Dim, unknown: Dim): Dim => {
  if (typeof a === "number" && typeof b === "number") return isInteger(node) ? Math.trunc(a / b) : a / b;
  return isInteger(node) ? divideDims(a, b, unknown) : b === 1 ? a : unknown;
};

const extreme = (pick: (...numbers: number[]) => number): ValueRule => zip((_node, a, b, unknown) =>
  typeof a === "number" && typeof b === "number" ? pick(a, b) : a === b ? a : unknown);

const dimensions: ValueRule = (node) => {
  const { shape } = node.in(0);
  if (!shape) return undefined;
  const start = node.int("start", 0);
  return vector(shape.slice(start, node.attributes.has("end") ? node.int("end", shape.length) : shape.length));
};

const gather: ValueRule = (node, value) => {
  const data = value(0);
  const indices = value(1);
  const wanted = numbersOf(indices);
  if (!data || !indices || !wanted || node.int("axis", 0) !== 0 || data.shape.length === 0) return undefined;
  const row = elementCount(data.shape.slice(1));
  const length = data.shape[0]!;
  const elements = wanted.flatMap((index) => {
    const at = index < 0 ? index + length : index;
    return data.elements.slice(at * row, (at + 1) * row);
  });
  return { shape: [...indices.shape, ...data.shape.slice(1)], elements };
};

const concat: ValueRule = (node, value) => {
  const parts = node.inputs.map((_, slot) => value(slot));
  if (parts.some((part) => part?.shape.length !== 1)) return undefined;
  return vector(parts.flatMap((part) => part!.elements));
};

/** Slice of a 1-d value. */
const slice: ValueRule = (node, value) => {
  const data = value(0);
  if (data?.shape.length !== 1) return undefined;
  const starts = node.ints("starts") ?? numbersOf(value(1));
  const ends = node.ints("ends") ?? numbersOf(value(2));
  const steps = node.optionalIn(4) ? numbersOf(value(4)) : [1];
  if (starts?.length !== 1 || ends?.length !== 1 || steps?.length !== 1) return undefined;
  return vector(sliceIndices(data.elements.length, starts[0]!, ends[0]!, steps[0]!).map((index) => data.elements[index]!));
};

/** The indices that ONNX Slice takes of an axis of `length`. */
export const sliceIndices = (length: number, start: number, end: number, step: number): number[] => {
  const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
  const wrap = (x: number): number => (x < 0 ? x + length : x);
  const first = step > 0 ? clamp(wrap(start), 0, length) : clamp(wrap(start), 0, length - 1);
  const last = step > 0 ? clamp(wrap(end), 0, length) : clamp(wrap(end), -1, length - 1);
  const count = Math.max(0, Math.ceil((last - first) / step));
  return Array.from({ length: count }, (_, index) => first + index * step);
};

/** Same elements, shape from the output's inferred shape. */
const reshaped: ValueRule = (node, value) => {
  const data = value(0);
  const shape = node.out().staticShape;
  return data && shape && elementCount(shape) === data.elements.length ? { shape, elements: data.elements } : undefined;
};

const unsqueezed: ValueRule = (node, value) => {
  const data = value(0);
  const axes = node.ints("axes") ?? numbersOf(value(1));
  if (!data || !axes) return undefined;
  const rank = data.shape.length + axes.length;
  const added = new Set(axes.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...data.shape];
  return { shape: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!)), elements: data.elements };
};

const squeezed: ValueRule = (node, value) => {
  const data = value(0);
  const axes = node.ints("axes") ?? (node.optionalIn(1) ? numbersOf(value(1)) : data?.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : [])));
  if (!data || !axes) return undefined;
  const removed = new Set(axes.map((axis) => (axis < 0 ? axis + data.shape.length : axis)));
  return { shape: data.shape.filter((_, axis) => !removed.has(axis)), elements: data.elements };
};

const filled: ValueRule = (node, value) => {
  const shape = numbersOf(value(0));
  if (!shape || elementCount(shape) > mostElements) return undefined;
  const attribute = node.attributes.get("value");
  const fill = attribute?.type === "tensor" ? attribute.value.toNumbers()[0]! : 0;
  return { shape, elements: new Array<number>(elementCount(shape)).fill(fill) };
};

const expanded: ValueRule = (_node, value) => {
  const data = value(0);
  const shape = numbersOf(value(1));
  if (!data || !shape || data.elements.length !== 1 || elementCount(shape) > mostElements) return undefined;
  return { shape, elements: new Array<Dim>(elementCount(shape)).fill(data.elements[0]!) };
};

const range: ValueRule = (_node, value) => {
  const [start, limit, delta] = [0, 1, 2].map((slot) => numbersOf(value(slot))?.[0]);
  if (start === undefined || limit === undefined || !delta) return undefined;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return count > mostElements ? undefined : vector(Array.from({ length: count }, (_, index) => start + index * delta));
};

const where: ValueRule = (_node, value) => {
  const [condition, a, b] = [numbersOf(value(0)), value(1), value(2)];
  if (!condition || !a || !b || a.elements.length !== condition.length || b.elements.length !== condition.length) return undefined;
  return { shape: a.shape, elements: condition.map((holds, index) => (holds ? a : b).elements[index]!) };
};

const cast: ValueRule = (node, value) => {
  const to = dataTypeOf(node.int("to", 1)) ?? "float32";
  if (to === "bool") return map((x) => Number(x !== 0))(node, value);
  return keepWhole(/^u?int/.test(to) ? Math.trunc : (x) => x)(node, value);
};

const product: ValueRule = (node, value) => {
  const data = value(0);
  if (data?.shape.length !== 1) return undefined;
  const elements = [productOf(data.elements, unknownIn(node, 0))];
  return { shape: node.int("keepdims", 1) ? [1] : [], elements };
};

const valueRules: Readonly<Record<string, ValueRule>> = {
  Shape: dimensions,
  Size: (node) => { const { shape } = node.in(0); return shape && { shape: [], elements: [productOf(shape, unknownIn(node, 0))] }; },
  Constant: (node) => {
    const single = node.attributes.get("value_int") ?? node.attributes.get("value_float");
    const many = node.attributes.get("value_ints") ?? node.attributes.get("value_floats");
    if (single) return { shape: [], elements: [single.value as number] };
    return many && vector(many.value as readonly number[]);
  },
  Identity: (_node, value) => value(0),
  Cast: cast,
  Gather: gather, Concat: concat, Slice: slice, Squeeze: squeezed, Unsqueeze: unsqueezed, Reshape: reshaped, Flatten: reshaped,
  ConstantOfShape: filled, Expand: expanded, Range: range, Where: where, ReduceProd: product,
  Add: zip((_node, a, b, unknown) => addDims(a, b, unknown)),
  Sub: zip((_node, a, b, unknown) => subtractDims(a, b, unknown)),
  Mul: zip((_node, a, b, unknown) => multiplyDims(a, b, unknown)),
  Div: zip(divide),
  Mod: zip((_node, a, b, unknown) => (typeof a === "number" && typeof b === "number" ? ((a % b) + b) % b : unknown)),
  Min: extreme(Math.min), Max: extreme(Math.max),
  Floor: keepWhole(Math.floor), Ceil: keepWhole(Math.ceil), Round: keepWhole(Math.round),
  Neg: map((x) => -x), Abs: map(Math.abs), Sqrt: map(Math.sqrt), Not: map((x) => Number(x === 0)),
  Equal: compare((a, b) => a === b), Greater: compare((a, b) => a > b), Less: compare((a, b) => a < b),
  GreaterOrEqual: compare((a, b) => a >= b), LessOrEqual: compare((a, b) => a <= b),
};
