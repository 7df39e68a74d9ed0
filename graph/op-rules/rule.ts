import type { Shape } from "../node.ts";
import { fromFront, type ShapeContext } from "../shapes/rule.ts";

/** What is wrong with the node, in words that follow "is not a valid operation: "; undefined where nothing is. A rule never guesses. */
export type OperandRule = (c: ShapeContext) => string | undefined;

/** The first problem that any of the rules finds. */
export const firstOf = (...rules: readonly OperandRule[]): OperandRule => (c) => {
  for (const rule of rules) {
    const problem = rule(c);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

/** The first problem of a list of them. */
export const first = (problems: Iterable<string | false | undefined>): string | undefined => {
  for (const problem of problems) if (problem) return problem;
  return undefined;
};

export const shown = (shape: Shape): string => `[${shape.map((dim) => (Number.isNaN(dim) ? "no number" : dim)).join(", ")}]`;

/** An axis of a tensor of `rank` axes; `beyond` allows one place after the last. */
export const axisProblem = (name: string, axis: number, rank: number, beyond = 0): string | false =>
  (axis < -rank - beyond || axis > rank - 1 + beyond) && `${name} ${axis} is no axis of a tensor of rank ${rank}`;

/** Axes, each there and named once. */
export const axesProblem = (name: string, axes: readonly number[], rank: number): string | undefined => {
  const seen = new Set<number>();
  for (const axis of axes) {
    const problem = axisProblem(name, axis, rank);
    if (problem) return problem;
    const at = fromFront(axis, rank);
    if (seen.has(at)) return `${name} name axis ${axis} twice`;
    seen.add(at);
  }
  return undefined;
};

/** Input `slot` has a rank of `min` to `max`, where it is known. */
export const rank = (slot: number, min: number, max = min): OperandRule => (c) => {
  const shape = c.shape(slot);
  if (!shape || (shape.length >= min && shape.length <= max)) return undefined;
  const wanted = max === min ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
  return `input ${slot} has rank ${shape.length} (${shown(shape)}) and must have rank ${wanted}`;
};

/** An int attribute is at least `min` and at most `max`, where it is given. */
export const intRange = (name: string, min: number, max = Infinity): OperandRule => (c) => {
  if (!c.node.attributes.has(name)) return undefined;
  const value = c.node.int(name, min);
  if (value >= min && value <= max) return undefined;
  return `${name} is ${value} and must be ${max === Infinity ? `at least ${min}` : `${min} to ${max}`}`;
};

/** A string attribute is one of `allowed`, where it is given. */
export const oneOf = (name: string, allowed: readonly string[]): OperandRule => (c) => {
  if (!c.node.attributes.has(name)) return undefined;
  const value = c.node.string(name, "");
  return allowed.includes(value) ? undefined : `${name} is "${value.slice(0, 60)}" and must be one of ${allowed.join(", ")}`;
};
