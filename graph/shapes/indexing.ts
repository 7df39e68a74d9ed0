import { dataTypeOf } from "../tensor.ts";
import type { Dim } from "../node.ts";
import { addDims } from "./dim.ts";
import { likeFirst } from "./elementwise.ts";
import { shapedByInput } from "./layout.ts";
import { fromFront, type ShapeContext, type ShapeRule } from "./rule.ts";

const gather: ShapeRule = (c) => {
  const [x, indices] = [c.shape(0), c.shape(1)];
  if (!x || !indices) return [{ dtype: c.dtype(0) }];
  const axis = fromFront(c.node.int("axis", 0), x.length);
  return [{ dtype: c.dtype(0), shape: [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)] }];
};

const gatherND: ShapeRule = (c) => {
  const [x, indices] = [c.shape(0), c.shape(1)];
  const depth = indices?.at(-1);
  if (!x || !indices || typeof depth !== "number") return [{ dtype: c.dtype(0) }];
  return [{ dtype: c.dtype(0), shape: [...indices.slice(0, -1), ...x.slice(c.node.int("batch_dims", 0) + depth)] }];
};

/** Reductions: axes are an attribute or input 1; none at all reduces everything (or nothing, with noop_with_empty_axes). */
const reduce: ShapeRule = (c) => {
  const x = c.shape(0);
  const axes = c.attributeOrInput("axes", 1);
  const dtype = c.dtype(0);
  const keep = c.node.int("keepdims", 1) !== 0;
  if (!x || (axes.given && !axes.numbers)) return [{ dtype, shape: x && keep ? x.map((_, axis) => c.unknown(axis)) : undefined }];
  const empty = !axes.numbers?.length;
  if (empty && c.node.int("noop_with_empty_axes", 0)) return [{ dtype, shape: x }];
  const reduced = new Set(empty ? x.keys() : axes.numbers.map((axis) => fromFront(axis, x.length)));
  return [{ dtype, shape: keep ? x.map((dim, axis) => (reduced.has(axis) ? 1 : dim)) : x.filter((_, axis) => !reduced.has(axis)) }];
};

const argument: ShapeRule = (c) => {
  const x = c.shape(0);
  if (!x) return [{ dtype: "int64" }];
  const at = fromFront(c.node.int("axis", 0), x.length);
  const keep = c.node.int("keepdims", 1) !== 0;
  return [{ dtype: "int64", shape: keep ? x.map((dim, axis) => (axis === at ? 1 : dim)) : x.filter((_, axis) => axis !== at) }];
};

const topK: ShapeRule = (c) => {
  const x = c.shape(0);
  if (!x) return [{ dtype: c.dtype(0) }, { dtype: "int64" }];
  const at = fromFront(c.node.int("axis", -1), x.length);
  const k = c.node.attributes.has("k") ? c.node.int("k", 1) : c.values(1)?.[0];
  const shape = x.map((dim, axis) => (axis === at ? (k ?? c.unknown(axis)) : dim));
  return [{ dtype: c.dtype(0), shape }, { dtype: "int64", shape }];
};

const oneHot: ShapeRule = (c) => {
  const indices = c.shape(0);
  const depth = c.values(1)?.[0];
  if (!indices) return [{ dtype: c.dtype(2) }];
  const axis = fromFront(c.node.int("axis", -1), indices.length + 1);
  return [{ dtype: c.dtype(2), shape: [...indices.slice(0, axis), depth ?? c.unknown(axis), ...indices.slice(axis)] }];
};

const range: ShapeRule = (c) => {
  const dtype = c.dtype(0);
  const [start, limit, delta] = [0, 1, 2].map((slot) => c.values(slot)?.[0]);
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number") return [{ dtype, shape: [Math.max(0, Math.ceil((limit - start) / delta))] }];
  if (typeof limit === "string" && typeof start === "number" && delta === 1) return [{ dtype, shape: [addDims(limit, -start, c.unknown(0))] }];
  return [{ dtype, shape: [c.unknown(0)] }];
};

const constant: ShapeRule = (c) => {
  const tensor = c.node.out().constant;
  return [tensor && { dtype: tensor.dtype, shape: tensor.shape }];
};

const constantOfShape: ShapeRule = (c) => {
  const fill = c.node.attributes.get("value");
  return [{ dtype: fill?.type === "tensor" ? fill.value.dtype : "float32", shape: shapedByInput(c, 0) }];
};

const random: ShapeRule = (c) => [{ dtype: dataTypeOf(c.node.int("dtype", 1)), shape: c.node.ints("shape") }];

const shapeOf: ShapeRule = (c) => {
  const rank = c.shape(0)?.length;
  if (rank === undefined) return [{ dtype: "int64", shape: [c.unknown(0)] }];
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const end = c.node.attributes.has("end") ? c.node.int("end", rank) : rank;
  return [{ dtype: "int64", shape: [all.slice(c.node.int("start", 0), end).length] }];
};

const unknownRows = (c: ShapeContext, columns: readonly Dim[]): readonly Dim[] => [c.unknown(0), ...columns];

export const indexingRules: Readonly<Record<string, ShapeRule>> = {
  Gather: gather, GatherND: gatherND,
  GatherElements: (c) => [{ dtype: c.dtype(0), shape: c.shape(1) }],
  ScatterND: likeFirst, ScatterElements: likeFirst, Scatter: likeFirst,
  ...Object.fromEntries(["Sum", "Mean", "Max", "Min", "Prod", "SumSquare", "L1", "L2", "LogSum", "LogSumExp"].map((kind) => [`Reduce${kind}`, reduce])),
  ArgMax: argument, ArgMin: argument, TopK: topK, OneHot: oneHot,
  NonZero: (c) => [{ dtype: "int64", shape: [c.shape(0)?.length ?? c.unknown(0), c.unknown(1)] }],
  NonMaxSuppression: (c) => [{ dtype: "int64", shape: unknownRows(c, [3]) }],
  Range: range, Constant: constant, ConstantOfShape: constantOfShape,
  RandomNormal: random, RandomUniform: random,
  Shape: shapeOf,
  Size: () => [{ dtype: "int64", shape: [] }],
};
