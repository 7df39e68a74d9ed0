import type { Dim, Node } from "../../node.ts";
import { dataTypeOf, type DataType } from "../../tensor.ts";
import { addDims, divideDims, multiplyDims, subtractDims } from "../dim.ts";
import { broadcastStatic, broadcastTo, unknownIn, type PartialValue, type ValueRule } from "./partial.ts";

const isInteger = (node: Node): boolean => /^u?int/.test(node.in(0).dtype ?? "int64");
const asNumber = (dim: Dim): number => (typeof dim === "number" ? dim : 0);

/** All inputs broadcast together and are combined from left to right. */
const zip = (combine: (node: Node, a: Dim, b: Dim, unknown: Dim) => Dim): ValueRule => (node, value) => {
  const parts: PartialValue[] = [];
  for (const slot of node.inputs.keys()) {
    const part = value(slot);
    if (!part) return undefined;
    parts.push(part);
  }
  const shape = broadcastStatic(parts.map((part) => part.shape));
  if (!shape) return undefined;
  const [first, ...rest] = parts.map((part) => broadcastTo(part, shape)!);
  const elements = first!.elements.map((start, index) => rest.reduce((a, part) => combine(node, a, part.elements[index]!, unknownIn(node, index)), start));
  return { shape, elements };
};

/** Numbers only; anything symbolic becomes unknown. */
const numbers = (combine: (a: number, b: number, node: Node) => number): ValueRule =>
  zip((node, a, b, unknown) => (typeof a === "number" && typeof b === "number" ? combine(a, b, node) : unknown));

const map = (change: (x: number, node: Node) => number): ValueRule => (node, value) => {
  const a = value(0);
  return a && { shape: a.shape, elements: a.elements.map((x, index) => (typeof x === "number" ? change(x, node) : unknownIn(node, index))) };
};

/** A size in its own right or made of sizes by whole-number arithmetic; a factor such as 0.5 makes a fraction of it. */
const isWhole = (dim: string): boolean => !/\d\.\d|\de-/.test(dim);

/** Rounds numbers; a symbolic size is whole already. */
const rounded = (whole: (x: number) => number): ValueRule => (node, value) => {
  const a = value(0);
  return a && { shape: a.shape, elements: a.elements.map((x, index) => (typeof x === "number" ? whole(x) : isWhole(x) ? x : unknownIn(node, index))) };
};

const halfToEven = (x: number): number => {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2 === 0 ? 0 : 1) : Math.round(x);
};

/** A plain name stands for a size >= 0, so it stands above every negative number. */
const isSize = (dim: Dim): boolean => typeof dim === "number" || /^\w+$/.test(dim);
const comparable = (a: Dim, b: Dim): boolean => typeof a === "number" ? typeof b === "number" || (a < 0 && isSize(b)) : typeof b === "number" && b < 0 && isSize(a);

const compare = (holds: (a: number, b: number) => boolean): ValueRule => (node, value) => {
  const result = zip((_node, a, b, unknown) => (comparable(a, b) ? Number(holds(asNumber(a), asNumber(b))) : unknown))(node, value, 0);
  return result?.elements.every((element) => typeof element === "number") ? result : undefined;
};

const divide = (node: Node, a: Dim, b: Dim, unknown: Dim): Dim => {
  if (b === 0) return unknown;
  if (typeof a === "number" && typeof b === "number") return isInteger(node) ? Math.trunc(a / b) : a / b;
  return isInteger(node) ? divideDims(a, b, unknown) : b === 1 ? a : unknown;
};

const extreme = (pick: (...numbers: number[]) => number): ValueRule => zip((_node, a, b, unknown) =>
  typeof a === "number" && typeof b === "number" ? pick(a, b) : a === b ? a : unknown);

const modulo = (a: number, b: number, node: Node): number => (b === 0 ? NaN : node.int("fmod", 0) ? a % b : ((a % b) + b) % b);

const mean: ValueRule = (node, value) => {
  const sum = zip((_node, a, b, unknown) => addDims(a, b, unknown))(node, value, 0);
  return sum && { shape: sum.shape, elements: sum.elements.map((x, index) => (typeof x === "number" ? x / node.inputs.length : unknownIn(node, index))) };
};

const clip: ValueRule = (node, value) => {
  const [a, low, high] = [value(0), value(1), value(2)];
  if (!a || (node.optionalIn(1) && !low) || (node.optionalIn(2) && !high)) return undefined;
  const [from, to] = [low?.elements[0] ?? node.float("min", -Infinity), high?.elements[0] ?? node.float("max", Infinity)];
  return { shape: a.shape, elements: a.elements.map((x, index) =>
    typeof x === "number" && typeof from === "number" && typeof to === "number" ? Math.min(Math.max(x, from), to) : unknownIn(node, index)) };
};

const where: ValueRule = (node, value) => {
  const [condition, a, b] = [value(0), value(1), value(2)];
  const shape = condition && a && b ? broadcastStatic([condition.shape, a.shape, b.shape]) : undefined;
  if (!shape) return undefined;
  const [holds, left, right] = [condition!, a!, b!].map((part) => broadcastTo(part, shape)!.elements);
  return { shape, elements: holds!.map((test, index) => {
    const [x, y] = [left![index]!, right![index]!];
    return typeof test === "number" ? (test ? x : y) : x === y ? x : unknownIn(node, index);
  }) };
};

const castTo = (dtype: DataType): ValueRule => {
  if (dtype === "bool") return map((x) => Number(x !== 0));
  return /^u?int/.test(dtype) ? rounded(Math.trunc) : (_node, value) => value(0);
};

const cast: ValueRule = (node, value, output) => castTo(dataTypeOf(node.int("to", 1)) ?? "float32")(node, value, output);
const castLike: ValueRule = (node, value, output) => {
  const { dtype } = node.in(1);
  return dtype && castTo(dtype)(node, value, output);
};

const truth = (holds: (a: boolean, b: boolean) => boolean): ValueRule => numbers((a, b) => Number(holds(a !== 0, b !== 0)));
const bits = (combine: (a: bigint, b: bigint) => bigint): ValueRule => numbers((a, b) => (Number.isSafeInteger(a) && Number.isSafeInteger(b) ? Number(combine(BigInt(a), BigInt(b))) : NaN));

export const arithmeticRules: Readonly<Record<string, ValueRule>> = {
  Add: zip((_node, a, b, unknown) => addDims(a, b, unknown)), Sum: zip((_node, a, b, unknown) => addDims(a, b, unknown)),
  Sub: zip((_node, a, b, unknown) => subtractDims(a, b, unknown)),
  Mul: zip((_node, a, b, unknown) => multiplyDims(a, b, unknown)),
  Div: zip(divide), Mod: numbers(modulo), Pow: numbers((a, b) => a ** b), Mean: mean,
  Min: extreme(Math.min), Max: extreme(Math.max), Clip: clip,
  Floor: rounded(Math.floor), Ceil: rounded(Math.ceil), Round: rounded(halfToEven),
  Neg: map((x) => 0 - x), Abs: map(Math.abs), Sign: map(Math.sign), Sqrt: map(Math.sqrt), Exp: map(Math.exp), Log: map(Math.log),
  Reciprocal: map((x) => 1 / x), Relu: map((x) => Math.max(0, x)), Not: map((x) => Number(x === 0)),
  And: truth((a, b) => a && b), Or: truth((a, b) => a || b), Xor: truth((a, b) => a !== b),
  BitwiseAnd: bits((a, b) => a & b), BitwiseOr: bits((a, b) => a | b), BitwiseXor: bits((a, b) => a ^ b),
  BitShift: numbers((a, b, node) => (node.string("direction", "LEFT") === "LEFT" ? a * 2 ** b : Math.floor(a / 2 ** b))),
  Equal: compare((a, b) => a === b), Greater: compare((a, b) => a > b), Less: compare((a, b) => a < b),
  GreaterOrEqual: compare((a, b) => a >= b), LessOrEqual: compare((a, b) => a <= b),
  Where: where, Cast: cast, CastLike: castLike,
};

/** What `number` is once it is stored as `dtype`; undefined where the runtime's result is not certain (out of range, not exact). */
export const storedAs = (number: number, dtype: DataType | undefined): number | undefined => {
  if (Number.isNaN(number)) return undefined;
  if (dtype === "float32") return Math.fround(number);
  const width = /^(u?)int(8|16|32|64)$/.exec(dtype ?? "");
  if (!width) return number;
  if (width[2] === "64") return Number.isInteger(number) ? number : undefined;
  if (!Number.isSafeInteger(number)) return undefined;
  const bitCount = Number(width[2]);
  return Number(width[1] ? BigInt.asUintN(bitCount, BigInt(number)) : BigInt.asIntN(bitCount, BigInt(number)));
};

/** Whether an op only moves elements or computes new ones: computed integers beyond 2^53 would be rounded. */
export const isComputed = (opType: string): boolean => Object.hasOwn(arithmeticRules, opType) && !["Where", "Min", "Max", "Clip", "Cast", "CastLike"].includes(opType);

