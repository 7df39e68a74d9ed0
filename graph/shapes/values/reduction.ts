import type { Dim, Node } from "../../node.ts";
import { elementCount } from "../../tensor.ts";
import { addDims, productOf } from "../dim.ts";
import { coordinates, flatIndex, fromFront, numbersFrom, numbersOf, unknownIn, type PartialValue, type ValueRule } from "./partial.ts";
import { largest, smallest } from "../../../input/largest.ts";

/** Combines the elements that fall together, in order. */
type Combine = (elements: readonly Dim[], unknown: Dim) => Dim;

const ofNumbers = (combine: (numbers: readonly number[]) => number): Combine => (elements, unknown) =>
  elements.every((element) => typeof element === "number") ? combine(elements) : unknown;

const total = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0);

const reduce = (combine: Combine): ValueRule => (node, value) => {
  const data = value(0);
  const given = numbersFrom(node, "axes", 1, value);
  if (!data || given === "unknown") return undefined;
  if (!given?.length && node.int("noop_with_empty_axes", 0)) return data;
  const axes = new Set(given?.length ? given.map((axis) => fromFront(axis, data.shape.length)) : data.shape.keys());
  const whole = data.shape.map((dim, axis) => (axes.has(axis) ? 1 : dim));
  const parts = Array.from({ length: elementCount(whole) }, (): Dim[] => []);
  for (const [flat, element] of data.elements.entries())
    parts[flatIndex(coordinates(flat, data.shape).map((index, axis) => (axes.has(axis) ? 0 : index)), whole)]!.push(element);
  const shape = node.int("keepdims", 1) ? whole : whole.filter((_, axis) => !axes.has(axis));
  return { shape, elements: parts.map((elements, index) => combine(elements, unknownIn(node, index))) };
};

/** Index of the best element along `axis`. */
const best = (better: (a: number, b: number) => boolean): ValueRule => (node, value) => {
  const data = value(0);
  const numbers = numbersOf(data);
  if (!data || !numbers || data.shape.length === 0) return undefined;
  const axis = fromFront(node.int("axis", 0), data.shape.length);
  const whole = data.shape.with(axis, 1);
  const last = node.int("select_last_index", 0) !== 0;
  const pick = (_: unknown, flat: number): number => {
    const at = coordinates(flat, whole);
    const line = Array.from({ length: data.shape[axis]! }, (_each, index) => numbers[flatIndex(at.with(axis, index), data.shape)]!);
    return line.reduce((found, x, index) => (better(x, line[found]!) || (last && x === line[found]) ? index : found), 0);
  };
  return { shape: node.int("keepdims", 1) ? whole : whole.toSpliced(axis, 1), elements: Array.from({ length: elementCount(whole) }, pick) };
};

const cumulated = (node: Node, value: (slot: number) => PartialValue | undefined): PartialValue | undefined => {
  const [data, given] = [value(0), numbersOf(value(1))?.[0]];
  const numbers = numbersOf(data);
  if (!data || !numbers || given === undefined) return undefined;
  const axis = fromFront(given, data.shape.length);
  const [exclusive, reverse] = [node.int("exclusive", 0) !== 0, node.int("reverse", 0) !== 0];
  const isBefore = (index: number, here: number): boolean => (index === here ? !exclusive : reverse ? index > here : index < here);
  return { shape: data.shape, elements: numbers.map((_, flat) => {
    const at = coordinates(flat, data.shape);
    const line = Array.from({ length: data.shape[axis]! }, (_each, index) => numbers[flatIndex(at.with(axis, index), data.shape)]!);
    return total(line.filter((_each, index) => isBefore(index, at[axis]!)));
  }) };
};

export const reductionRules: Readonly<Record<string, ValueRule>> = {
  ReduceProd: reduce(productOf),
  ReduceSum: reduce((elements, unknown) => elements.reduce((sum: Dim, x) => addDims(sum, x, unknown), 0)),
  ReduceMax: reduce(ofNumbers((numbers) => largest(numbers))), ReduceMin: reduce(ofNumbers((numbers) => smallest(numbers))),
  ReduceMean: reduce(ofNumbers((numbers) => total(numbers) / numbers.length)),
  ReduceSumSquare: reduce(ofNumbers((numbers) => total(numbers.map((x) => x * x)))),
  ReduceL1: reduce(ofNumbers((numbers) => total(numbers.map(Math.abs)))),
  ArgMax: best((a, b) => a > b), ArgMin: best((a, b) => a < b), CumSum: cumulated,
};
