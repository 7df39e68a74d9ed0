import { largest } from "../../../input/largest.ts";
import type { Dim, Node } from "../../node.ts";
import { elementCount, stridesOf } from "../../tensor.ts";

/** A small tensor whose elements are numbers or dimension names: what shape arithmetic computes with. */
export interface PartialValue {
  readonly shape: readonly number[];
  readonly elements: readonly Dim[];
}

/** Elements of output `output` of the node, from those of its inputs. */
export type ValueRule = (node: Node, value: (slot: number) => PartialValue | undefined, output: number) => PartialValue | undefined;

/** Bigger tensors are data, not shapes. */
export const mostElements = 2048;

export const vector = (elements: readonly Dim[]): PartialValue => ({ shape: [elements.length], elements });

/** The name of an element that nothing tells. */
export const unknownIn = (node: Node, index: number, output = 0): Dim => `?${node.outputs[output]?.name ?? node.name}[${index}]`;

export const numbersOf = (value: PartialValue | undefined): readonly number[] | undefined =>
  value?.elements.every((element) => typeof element === "number") ? (value.elements) : undefined;

/** Numbers that are an attribute in older opsets and an input in newer ones; "unknown" where they are an input of unknown contents. */
export const numbersFrom = (node: Node, name: string, slot: number, value: (slot: number) => PartialValue | undefined): readonly number[] | "unknown" | undefined => {
  const given = node.ints(name);
  if (given) return given;
  return node.optionalIn(slot) ? (numbersOf(value(slot)) ?? "unknown") : undefined;
};

/** Coordinates of element `flat` of a tensor with these strides. */
export const coordinates = (flat: number, shape: readonly number[], strides = stridesOf(shape)): number[] =>
  shape.map((dim, axis) => Math.floor(flat / strides[axis]!) % dim);

export const flatIndex = (at: readonly number[], shape: readonly number[], strides = stridesOf(shape)): number =>
  at.reduce((sum, index, axis) => sum + index * strides[axis]!, 0);

/** A tensor of `shape` made of elements of `from`: element k is `from.elements[source(coordinates of k)]`. Undefined if it is too big. */
export const arranged = (from: PartialValue, shape: readonly number[], source: (at: readonly number[]) => readonly number[]): PartialValue | undefined => {
  const count = elementCount(shape);
  if (!(count <= mostElements)) return undefined;
  const [own, strides] = [stridesOf(shape), stridesOf(from.shape)];
  return { shape, elements: Array.from({ length: count }, (_, flat) => from.elements[flatIndex(source(coordinates(flat, shape, own)), from.shape, strides)]!) };
};

/** Numpy-style broadcast of static shapes; undefined if they do not fit or the result is too big. */
export const broadcastStatic = (shapes: readonly (readonly number[])[]): number[] | undefined => {
  const rank = Math.max(0, largest(shapes.map((shape) => shape.length)));
  const padded = shapes.map((shape) => [...new Array<number>(rank - shape.length).fill(1), ...shape]);
  const result = Array.from({ length: rank }, (_, axis) => padded.map((shape) => shape[axis]!).find((dim) => dim !== 1) ?? 1);
  if (padded.some((shape) => shape.some((dim, axis) => dim !== 1 && dim !== result[axis]))) return undefined;
  return elementCount(result) <= mostElements ? result : undefined;
};

/** `from` repeated to `shape`, which it must broadcast to. */
export const broadcastTo = (from: PartialValue, shape: readonly number[]): PartialValue | undefined =>
  arranged(from, shape, (at) => from.shape.map((dim, axis) => (dim === 1 ? 0 : at[axis + shape.length - from.shape.length]!)));

export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
