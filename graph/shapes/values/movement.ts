import type { Dim, Node } from "../../node.ts";
import { elementCount, stridesOf } from "../../tensor.ts";
import { productOf } from "../dim.ts";
import {
  arranged, broadcastStatic, broadcastTo, coordinates, flatIndex, fromFront, mostElements, numbersFrom, numbersOf, unknownIn, vector, type ValueRule,
} from "./partial.ts";

const dimensions: ValueRule = (node) => {
  const { shape } = node.in(0);
  if (!shape) return undefined;
  const start = node.int("start", 0);
  return vector(shape.slice(start, node.attributes.has("end") ? node.int("end", shape.length) : shape.length));
};

const size: ValueRule = (node) => {
  const { shape } = node.in(0);
  return shape && { shape: [], elements: [productOf(shape, unknownIn(node, 0))] };
};

const gather: ValueRule = (node, value) => {
  const [data, indices] = [value(0), value(1)];
  const wanted = numbersOf(indices);
  if (!data || !indices || !wanted || data.shape.length === 0) return undefined;
  const axis = fromFront(node.int("axis", 0), data.shape.length);
  const length = data.shape[axis]!;
  if (wanted.some((index) => index < -length || index >= length)) return undefined;
  const rank = indices.shape.length;
  return arranged(data, [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)], (at) =>
    [...at.slice(0, axis), fromFront(wanted[flatIndex(at.slice(axis, axis + rank), indices.shape)]!, length), ...at.slice(axis + rank)]);
};

const gatherElements: ValueRule = (node, value) => {
  const [data, indices] = [value(0), value(1)];
  const wanted = numbersOf(indices);
  if (!data || !indices || !wanted) return undefined;
  const axis = fromFront(node.int("axis", 0), data.shape.length);
  return arranged(data, indices.shape, (at) => at.with(axis, fromFront(wanted[flatIndex(at, indices.shape)]!, data.shape[axis]!)));
};

const gatherND: ValueRule = (node, value) => {
  const [data, indices] = [value(0), value(1)];
  const wanted = numbersOf(indices);
  const depth = indices?.shape.at(-1);
  if (!data || !indices || !wanted || depth === undefined || node.int("batch_dims", 0) !== 0) return undefined;
  const outer = indices.shape.slice(0, -1);
  return arranged(data, [...outer, ...data.shape.slice(depth)], (at) => {
    const row = flatIndex(at.slice(0, outer.length), outer) * depth;
    return [...data.shape.slice(0, depth).map((dim, axis) => fromFront(wanted[row + axis]!, dim)), ...at.slice(outer.length)];
  });
};

const concat: ValueRule = (node, value) => {
  const parts = node.inputs.map((_, slot) => value(slot));
  const [first] = parts;
  if (!first || parts.some((part) => part?.shape.length !== first.shape.length) || first.shape.length === 0) return undefined;
  const axis = fromFront(node.int("axis", 0), first.shape.length);
  const owners = parts.flatMap((part) => Array.from({ length: part!.shape[axis]! }, (_, index) => ({ part: part!, index })));
  const shape = first.shape.with(axis, owners.length);
  const count = elementCount(shape);
  if (count > mostElements) return undefined;
  const strides = stridesOf(shape);
  return { shape, elements: Array.from({ length: count }, (_, flat) => {
    const at = coordinates(flat, shape, strides);
    const { part, index } = owners[at[axis]!]!;
    return part.elements[flatIndex(at.with(axis, index), part.shape)]!;
  }) };
};

const slice: ValueRule = (node, value) => {
  const data = value(0);
  const [starts, ends] = [node.ints("starts") ?? numbersOf(value(1)), node.ints("ends") ?? numbersOf(value(2))];
  const given = numbersFrom(node, "axes", 3, value);
  const steps = node.optionalIn(4) ? numbersOf(value(4)) : starts?.map(() => 1);
  if (!data || !starts || !ends || !steps || given === "unknown") return undefined;
  const axes = (given ?? starts.map((_, axis) => axis)).map((axis) => fromFront(axis, data.shape.length));
  const taken = axes.map((axis, index) => sliceOf(data.shape[axis]!, starts[index]!, ends[index]!, steps[index]!));
  const shape = data.shape.map((dim, axis) => taken[axes.indexOf(axis)]?.count ?? dim);
  return arranged(data, shape, (at) => at.map((index, axis) => {
    const part = taken[axes.indexOf(axis)];
    return part ? part.first + index * part.step : index;
  }));
};

/** What ONNX Slice takes of an axis of `length`: `count` indexes from `first` on, `step` apart. Bounds beyond the axis are clamped. */
export const sliceOf = (length: number, start: number, end: number, step: number): { readonly first: number; readonly count: number; readonly step: number } => {
  const clamp = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
  const wrap = (x: number): number => (x < 0 ? x + length : x);
  const first = step > 0 ? clamp(wrap(start), 0, length) : clamp(wrap(start), 0, length - 1);
  const last = step > 0 ? clamp(wrap(end), 0, length) : clamp(wrap(end), -1, length - 1);
  return { first, step, count: step === 0 || length === 0 ? 0 : Math.max(0, Math.ceil((last - first) / step)) };
};

const split: ValueRule = (node, value, output) => {
  const data = value(0);
  const sizes = numbersFrom(node, "split", 1, value);
  if (!data || sizes === "unknown") return undefined;
  const axis = fromFront(node.int("axis", 0), data.shape.length);
  const even = Math.ceil(data.shape[axis]! / node.outputs.length);
  const startOf = (part: number): number => (sizes ? sizes.slice(0, part).reduce((sum, each) => sum + each, 0) : Math.min(data.shape[axis]!, even * part));
  const start = startOf(output);
  return arranged(data, data.shape.with(axis, startOf(output + 1) - start), (at) => at.with(axis, at[axis]! + start));
};

const transpose: ValueRule = (node, value) => {
  const data = value(0);
  if (!data) return undefined;
  const perm = node.ints("perm") ?? data.shape.map((_, axis) => data.shape.length - 1 - axis);
  return arranged(data, perm.map((axis) => data.shape[axis]!), (at) => data.shape.map((_, axis) => at[perm.indexOf(axis)]!));
};

/** Same elements, another shape: computed where the target is known, else from the output's inferred shape. */
const reshaped: ValueRule = (node, value) => {
  const data = value(0);
  const wanted = node.ints("shape") ?? numbersOf(value(1));
  const shape = node.opType === "Reshape" && data && wanted ? reshapeTo(data.shape, wanted, node.int("allowzero", 0) !== 0) : node.out().staticShape;
  return data && shape && elementCount(shape) === data.elements.length ? { shape, elements: data.elements } : undefined;
};

const reshapeTo = (from: readonly number[], wanted: readonly number[], allowZero: boolean): number[] => {
  const dims = wanted.map((dim, axis) => (dim === 0 && !allowZero ? (from[axis] ?? 0) : dim));
  const rest = dims.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
  return dims.map((dim) => (dim === -1 ? elementCount(from) / rest : dim));
};

const unsqueezed: ValueRule = (node, value) => {
  const data = value(0);
  const axes = numbersFrom(node, "axes", 1, value);
  if (!data || !axes || axes === "unknown") return undefined;
  const rank = data.shape.length + axes.length;
  const added = new Set(axes.map((axis) => fromFront(axis, rank)));
  const rest = [...data.shape];
  return { shape: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!)), elements: data.elements };
};

const squeezed: ValueRule = (node, value) => {
  const data = value(0);
  const given = numbersFrom(node, "axes", 1, value);
  if (!data || given === "unknown") return undefined;
  const axes = given ?? data.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  const removed = new Set(axes.map((axis) => fromFront(axis, data.shape.length)));
  return { shape: data.shape.filter((_, axis) => !removed.has(axis)), elements: data.elements };
};

const constantFill = (node: Node): number => {
  const attribute = node.attributes.get("value");
  return attribute?.type === "tensor" ? (attribute.value.toNumbers()[0] ?? 0) : 0;
};

const filled: ValueRule = (node, value) => {
  const shape = numbersOf(value(0));
  if (!shape || !(elementCount(shape) <= mostElements) || shape.some((dim) => dim < 0)) return undefined;
  return { shape, elements: new Array<number>(elementCount(shape)).fill(constantFill(node)) };
};

const expanded: ValueRule = (_node, value) => {
  const [data, wanted] = [value(0), numbersOf(value(1))];
  const shape = data && wanted && broadcastStatic([data.shape, wanted]);
  return shape && broadcastTo(data, shape);
};

const tiled: ValueRule = (_node, value) => {
  const [data, repeats] = [value(0), numbersOf(value(1))];
  if (!data || repeats?.length !== data.shape.length) return undefined;
  return arranged(data, data.shape.map((dim, axis) => dim * repeats[axis]!), (at) => at.map((index, axis) => index % data.shape[axis]!));
};

const padded: ValueRule = (node, value) => {
  const data = value(0);
  const pads = node.ints("pads") ?? numbersOf(value(1));
  const fill = node.optionalIn(2) ? value(2)?.elements[0] : 0;
  const given = numbersFrom(node, "axes", 3, value);
  if (!data || !pads || fill === undefined || given === "unknown" || node.string("mode", "constant") !== "constant" || node.attributes.has("value")) return undefined;
  const axes = (given ?? data.shape.map((_, axis) => axis)).map((axis) => fromFront(axis, data.shape.length));
  const begin = data.shape.map((_, axis) => pads[axes.indexOf(axis)] ?? 0);
  const shape = data.shape.map((dim, axis) => dim + begin[axis]! + (axes.includes(axis) ? pads[axes.indexOf(axis) + axes.length]! : 0));
  const count = elementCount(shape);
  if (!(count <= mostElements) || shape.some((dim) => dim < 0)) return undefined;
  return { shape, elements: Array.from({ length: count }, (_, flat) => {
    const at = coordinates(flat, shape).map((index, axis) => index - begin[axis]!);
    return at.every((index, axis) => index >= 0 && index < data.shape[axis]!) ? data.elements[flatIndex(at, data.shape)]! : fill;
  }) };
};

const range: ValueRule = (_node, value) => {
  const [start, limit, delta] = [0, 1, 2].map((slot) => numbersOf(value(slot))?.[0]);
  if (start === undefined || limit === undefined || !delta) return undefined;
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  return count <= mostElements ? vector(Array.from({ length: count }, (_, index) => start + index * delta)) : undefined;
};

/** Writes rows of the updates; without a reduction. */
const scatterND: ValueRule = (node, value) => {
  const [data, indices, updates] = [value(0), value(1), value(2)];
  const wanted = numbersOf(indices);
  const depth = indices?.shape.at(-1);
  if (!data || !indices || !wanted || !updates || depth === undefined || node.string("reduction", "none") !== "none") return undefined;
  const row = elementCount(data.shape.slice(depth));
  const elements: Dim[] = [...data.elements];
  for (let at = 0; at * depth < wanted.length; at++) {
    const start = flatIndex(data.shape.slice(0, depth).map((dim, axis) => fromFront(wanted[at * depth + axis]!, dim)), data.shape.slice(0, depth)) * row;
    for (let k = 0; k < row; k++) elements[start + k] = updates.elements[at * row + k]!;
  }
  return elements.length === data.elements.length ? { shape: data.shape, elements } : undefined;
};

const scatterElements: ValueRule = (node, value) => {
  const [data, indices, updates] = [value(0), value(1), value(2)];
  const wanted = numbersOf(indices);
  if (!data || !indices || !wanted || !updates || node.string("reduction", "none") !== "none") return undefined;
  const axis = fromFront(node.int("axis", 0), data.shape.length);
  const elements: Dim[] = [...data.elements];
  for (const [flat, index] of wanted.entries()) elements[flatIndex(coordinates(flat, indices.shape).with(axis, fromFront(index, data.shape[axis]!)), data.shape)] = updates.elements[flat]!;
  return elements.length === data.elements.length ? { shape: data.shape, elements } : undefined;
};

const nonZero: ValueRule = (_node, value) => {
  const data = value(0);
  const numbers = numbersOf(data);
  if (!data || !numbers || data.shape.length === 0) return undefined;
  const found = numbers.flatMap((x, flat) => (x === 0 ? [] : [coordinates(flat, data.shape)]));
  return { shape: [data.shape.length, found.length], elements: data.shape.flatMap((_, axis) => found.map((at) => at[axis]!)) };
};

const oneHot: ValueRule = (node, value) => {
  const [indices, depth, values] = [value(0), numbersOf(value(1))?.[0], value(2)];
  const wanted = numbersOf(indices);
  if (!indices || !wanted || depth === undefined || values?.elements.length !== 2) return undefined;
  const axis = fromFront(node.int("axis", -1), indices.shape.length + 1);
  const shape = indices.shape.toSpliced(axis, 0, depth);
  if (!(elementCount(shape) <= mostElements)) return undefined;
  return { shape, elements: Array.from({ length: elementCount(shape) }, (_, flat) => {
    const at = coordinates(flat, shape);
    return values.elements[fromFront(wanted[flatIndex(at.toSpliced(axis, 1), indices.shape)]!, depth) === at[axis] ? 1 : 0]!;
  }) };
};

const same: ValueRule = (_node, value, output) => (output === 0 ? value(0) : undefined);

export const movementRules: Readonly<Record<string, ValueRule>> = {
  Shape: dimensions, Size: size, Identity: same, Dropout: same,
  Gather: gather, GatherElements: gatherElements, GatherND: gatherND, Concat: concat, Slice: slice, Split: split, Transpose: transpose,
  Squeeze: squeezed, Unsqueeze: unsqueezed, Reshape: reshaped, Flatten: reshaped,
  ConstantOfShape: filled, Expand: expanded, Tile: tiled, Pad: padded, Range: range,
  ScatterND: scatterND, ScatterElements: scatterElements, Scatter: scatterElements, NonZero: nonZero, OneHot: oneHot,
};

