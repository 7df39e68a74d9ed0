import type { Builder, Operand } from "../graph/builder.ts";
import { UserError } from "../graph/error.ts";
import type { Node, Value } from "../graph/node.ts";

/**
 * dL/d(input) for each input of `node`, built from plain ONNX ops; `dOutputs[i]` is dL/d(output i), null where the loss does not read it.
 * A part may be null (no gradient flows) and may be bigger than its input by broadcasting: `backward` sums it down.
 */
export type GradientRule = (b: Builder, node: Node, dOutputs: readonly (Value | null)[]) => readonly (Value | null)[];

/**
 * A rule of several nodes seen from the last of them: pairs of (value, dL/d(value)) instead of the node's own rule;
 * undefined where the nodes do not form the pattern.
 */
export type FusedRule = (b: Builder, node: Node, dOutputs: readonly (Value | null)[]) => readonly (readonly [Value, Value])[] | undefined;

/** Known to have no gradient (integer, boolean or piecewise constant result): not the same as a missing row. */
export const stops: GradientRule = () => [];

/** A rule of an op with one output: `dy` is there whenever the rule is called. */
export const single = (rule: (b: Builder, node: Node, dy: Value) => readonly (Value | null)[]): GradientRule =>
  (b, node, [dy]) => (dy ? rule(b, node, dy) : []);

/** dx = dy · derivative(x, y). */
export const unary = (derivative: (b: Builder, x: Value, y: Value, node: Node) => Operand): GradientRule =>
  single((b, node, dy) => [b.mul(dy, derivative(b, node.in(0), node.out(), node))]);

/** `dy` where `condition` holds, else 0. */
export const masked = (b: Builder, dy: Value, condition: Value): Value => b.mul(dy, b.cast(condition, dy.dtype ?? "float32"));

/** 1 where `condition` holds, else 0. */
export const indicator = (b: Builder, condition: Value, like: Value): Value => b.cast(condition, like.dtype ?? "float32");

/** Zeros (or `fill`) of the shape and dtype of `like`. */
export const filledLike = (b: Builder, like: Value, fill = 0): Value => {
  const dtype = like.dtype ?? "float32";
  const shape = like.staticShape;
  if (shape && shape.reduce((n, dim) => n * dim, 1) <= 64) return b.full(shape, fill, dtype);
  return b.op("Expand", [b.scalar(fill, dtype), b.shapeOf(like)]);
};

const floatTypes = new Set(["float32", "float16", "bfloat16", "float64"]);

/** Can carry a gradient; an unknown dtype may. */
export const isFloating = (value: Value): boolean => value.dtype === undefined || floatTypes.has(value.dtype);

/** A node whose op has a rule, which this one does not fit. */
export const ruleDoesNotFit = (node: Node, reason: string): UserError =>
  new UserError("NO_GRADIENT", `Cannot train through ${node.opType} "${node.name || (node.outputs[0]?.name ?? "")}": ${reason}.`,
    "train only weights behind it (grad: name them with --wrt), or export the model with static shapes.");
