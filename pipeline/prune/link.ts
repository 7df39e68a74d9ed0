import type { Node, Value } from "../../graph/node.ts";

/** Where an axis touches a node: input slot or output `index`, and the axis of that value. */
export interface Port {
  readonly side: "in" | "out";
  readonly index: number;
  readonly axis: number;
}

/** Index along one axis -> the indexes along a linked axis that must go with it; empty where it has no counterpart. */
export type IndexMap = (index: number) => readonly number[];

/** Removing index i of the axis at the port removes `map(i)` of `axis` of `value`. */
export interface Link {
  readonly value: Value;
  readonly axis: number;
  readonly map: IndexMap;
}

/** Why the axis must keep all of its indexes. */
export interface Blocked {
  readonly blocked: string;
}

/** Tells whether the closure has already come to an axis; lets a Reshape stay with the factor that others chose. */
export type Reached = (value: Value, axis: number) => boolean;

/** What one op ties to the axis at `port`: links to axes of its other values, or the reason why nothing may be removed. */
export type AxisRule = (node: Node, port: Port, reached: Reached) => readonly Link[] | Blocked;

export const blocked = (reason: string): Blocked => ({ blocked: reason });

export const link = (value: Value, axis: number, map: IndexMap = same): Link => ({ value, axis, map });

export const same: IndexMap = (index) => [index];

/** index -> index + offset where that lies in [0, size). */
export const shift = (offset: number, size: number): IndexMap => (index) => {
  const moved = index + offset;
  return moved >= 0 && moved < size ? [moved] : [];
};

/** Factor -> product axis: `outer` x size x `inner`, row-major. */
export const spread = (outer: number, size: number, inner: number): IndexMap => (index) =>
  Array.from({ length: outer * inner }, (_, k) => (Math.floor(k / inner) * size + index) * inner + (k % inner));

/** Product -> factor axis: the inverse of `spread`. */
export const gather = (size: number, inner: number): IndexMap => (index) => [Math.floor(index / inner) % size];

export const valueAt = (node: Node, port: Port): Value => (port.side === "in" ? node.in(port.index) : node.out(port.index));

/** Size of an axis; NaN where it is not known. */
export const sizeOf = (value: Value, axis: number): number => {
  const dim = value.shape?.[axis];
  return typeof dim === "number" ? dim : NaN;
};

export const rankOf = (value: Value): number => value.shape?.length ?? NaN;

export const normalAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Numbers of a constant input; undefined if it is computed or left out. */
export const constantNumbers = (node: Node, slot: number): readonly number[] | undefined =>
  node.optionalIn(slot)?.constant?.toNumbers();

/** No graph input feeds the value: an initializer, or computed from nothing but initializers. */
export const isWeight = (value: Value): boolean => {
  if (value.constant) return true;
  const { producer } = value;
  if (!producer || producer.inputs.length === 0) return false;
  return producer.inputs.every((input) => input === null || isWeight(input));
};
