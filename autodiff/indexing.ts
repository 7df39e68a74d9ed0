import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { filledLike, ruleDoesNotFit, single, type GradientRule } from "./rule.ts";

/**
 * The gradient of any node that only moves or repeats elements of input 0: the node moves the element numbers 0, 1, 2, … instead,
 * and dy is added up at those numbers. A position that the node fills with 0 by itself must not occur.
 */
export const scatterThrough = (b: Builder, node: Node, dy: Value): Value => {
  const x = node.in(0);
  const shape = b.shapeOf(x);
  const size = b.op("Size", [x]);
  const numbers = b.op("Reshape", [b.op("Range", [b.scalar(0, "int64"), size, b.scalar(1, "int64")]), shape]);
  const moved = b.op(node.opType, [numbers, ...node.inputs.slice(1)], Object.fromEntries(node.attributes));
  const sum = addAt(b, b.op("Reshape", [size, b.int64s([1])]), b.reshape(moved, [-1]), b.reshape(dy, [-1]));
  return b.op("Reshape", [sum, shape]);
};

/** A vector of `size` zeros with `parts` added at `positions`, in order (ScatterElements is serial, hence deterministic). */
const addAt = (b: Builder, size: Value, positions: Value, parts: Value): Value => {
  const zeros = b.op("Expand", [b.scalar(0, parts.dtype ?? "float32"), size]);
  return b.op("ScatterElements", [zeros, positions, parts], { axis: 0, reduction: "add" });
};

/** Rows of dy added at their indices; the rows of axis 0 in one go (embeddings), other axes element by element. */
export const gatherGradient: GradientRule = single((b, node, dy) => {
  const [x, indices] = [node.in(0), node.in(1)];
  const axis = node.int("axis", 0);
  const classes = x.shape?.at(axis);
  if (axis !== 0 || x.shape?.length !== 2 || typeof classes !== "number" || indices.shape === undefined) return [scatterThrough(b, node, dy)];
  const flat = b.op("Reshape", [indices, b.int64s([-1, 1])]);
  const width = b.slice(b.shapeOf(x), [1], [2], [0]);
  const rows = b.op("Reshape", [dy, b.concat([b.int64s([-1]), width], 0)]);
  const positions = b.op("Expand", [flat, b.op("Shape", [rows])]);
  return [b.op("ScatterElements", [filledLike(b, x), positions, rows], { axis: 0, reduction: "add" })];
});

export const gatherElementsGradient: GradientRule = single((b, node, dy) =>
  [b.op("ScatterElements", [filledLike(b, node.in(0)), node.in(1), dy], { axis: node.int("axis", 0), reduction: "add" })]);

export const gatherNdGradient: GradientRule = single((b, node, dy) => [scatterThrough(b, node, dy)]);

/** The chosen values come from where the indices say. */
export const topKGradient: GradientRule = (b, node, [dy]) =>
  dy ? [b.op("ScatterElements", [filledLike(b, node.in(0)), node.out(1), dy], { axis: node.int("axis", -1), reduction: "add" })] : [];

/** data keeps dy except where it was overwritten (reduction none) or everywhere (add); updates take dy from their places. */
export const scatterElementsGradient: GradientRule = single((b, node, dy) => {
  const axis = node.int("axis", 0);
  const reduction = node.string("reduction", "none");
  if (reduction !== "none" && reduction !== "add") throw ruleDoesNotFit(node, `its reduction "${reduction}" has no gradient rule`);
  const dData = reduction === "add" ? dy : b.op("ScatterElements", [dy, node.in(1), filledLike(b, node.in(2))], { axis });
  return [dData, null, b.op("GatherElements", [dy, node.in(1)], { axis })];
});

export const scatterNdGradient: GradientRule = single((b, node, dy) => {
  const reduction = node.string("reduction", "none");
  if (reduction !== "none" && reduction !== "add") throw ruleDoesNotFit(node, `its reduction "${reduction}" has no gradient rule`);
  const dData = reduction === "add" ? dy : b.op("ScatterND", [dy, node.in(1), filledLike(b, node.in(2))]);
  return [dData, null, b.op("GatherND", [dy, node.in(1)])];
});
