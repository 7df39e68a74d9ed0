import type { Dim, Shape } from "../node.ts";
import { addDims, divideDims, multiplyDims, productOf, quotientOf, refineDim, subtractDims, broadcastShapes } from "./dim.ts";
import { fromFront, type ShapeContext, type ShapeRule } from "./rule.ts";
import { sliceOf } from "./values/movement.ts";

/** One unknown dimension per axis of a tensor whose rank alone is known. */
const ofRank = (c: ShapeContext, rank: number): Shape => Array.from({ length: rank }, (_, axis) => c.unknown(axis));
/** More axes than any tensor has. */
const highestRank = 64;

/** Length of a 1-d input that names sizes or axes. */
const lengthOf = (c: ShapeContext, slot: number): number | undefined => {
  const shape = c.shape(slot);
  const [length] = shape ?? [];
  return shape?.length === 1 && typeof length === "number" && length <= highestRank ? length : undefined;
};

const reshape: ShapeRule = (c) => {
  const x = c.shape(0);
  const wanted = c.node.ints("shape") ?? c.values(1);
  const dtype = c.dtype(0);
  const rank = wanted?.length ?? lengthOf(c, 1);
  if (!wanted) return [{ dtype, shape: rank === undefined ? undefined : ofRank(c, rank) }];
  const copyZero = c.node.int("allowzero", 0) === 0;
  const dims = wanted.map((dim, axis): Dim => (dim === 0 && copyZero ? (x?.[axis] ?? c.unknown(axis)) : dim));
  const free = dims.indexOf(-1);
  if (free < 0) return [{ dtype, shape: dims }];
  const known = dims.filter((_, axis) => axis !== free);
  dims[free] = x ? quotientOf(x, known, c.unknown(free)) : c.unknown(free);
  return [{ dtype, shape: dims }];
};

const flatten: ShapeRule = (c) => {
  const x = c.shape(0);
  const axis = x && fromFront(c.node.int("axis", 1), x.length);
  return [{ dtype: c.dtype(0), shape: x && [productOf(x.slice(0, axis), c.unknown(0)), productOf(x.slice(axis), c.unknown(1))] }];
};

const transpose: ShapeRule = (c) => {
  const x = c.shape(0);
  const perm = c.node.ints("perm") ?? x?.map((_, axis) => x.length - 1 - axis);
  return [{ dtype: c.dtype(0), shape: x && perm?.map((axis) => x[axis]!) }];
};

const squeeze: ShapeRule = (c) => {
  const x = c.shape(0);
  const axes = c.attributeOrInput("axes", 1);
  if (!x || (axes.given && !axes.numbers) || (!axes.given && x.some((dim) => typeof dim === "string"))) return [{ dtype: c.dtype(0) }];
  const removed = new Set(axes.numbers?.map((axis) => fromFront(axis, x.length)) ?? [...x.keys()].filter((axis) => x[axis] === 1));
  return [{ dtype: c.dtype(0), shape: x.filter((_, axis) => !removed.has(axis)) }];
};

const unsqueeze: ShapeRule = (c) => {
  const x = c.shape(0);
  const { numbers: axes } = c.attributeOrInput("axes", 1);
  if (!x || !axes) return [{ dtype: c.dtype(0) }];
  const rank = x.length + axes.length;
  const added = new Set(axes.map((axis) => fromFront(axis, rank)));
  const rest = [...x];
  return [{ dtype: c.dtype(0), shape: Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : rest.shift()!)) }];
};

const concat: ShapeRule = (c) => {
  const shapes = c.node.inputs.map((_, slot) => c.shape(slot));
  const first = shapes.find((shape) => shape !== undefined);
  const dtype = c.dtype(0);
  if (!first || shapes.some((shape) => shape?.length !== first.length)) return [{ dtype }];
  const at = fromFront(c.node.int("axis", 1), first.length);
  const all = shapes as Shape[];
  return [{ dtype, shape: first.map((_, axis) => {
    const dims = all.map((shape) => shape[axis]!);
    return axis === at ? dims.reduce((sum, dim) => addDims(sum, dim, c.unknown(axis)), 0) : dims.reduce(refineDim);
  }) }];
};

const split: ShapeRule = (c) => {
  const x = c.shape(0);
  const dtype = c.dtype(0);
  const count = c.node.outputs.length;
  if (!x) return c.node.outputs.map(() => ({ dtype }));
  const at = fromFront(c.node.int("axis", 0), x.length);
  const sizes = c.attributeOrInput("split", 1);
  const whole = x[at]!;
  const part = (index: number): Dim => {
    if (sizes.given) return sizes.numbers?.[index] ?? c.unknown(at, index);
    if (typeof whole !== "number") {
      const even = !c.node.attributes.has("num_outputs"); // before opset 18 the parts had to be equal
      return count === 1 ? whole : even ? divideDims(whole, count, c.unknown(at, index)) : c.unknown(at, index);
    }
    const size = Math.ceil(whole / count);
    return index < count - 1 ? size : whole - size * (count - 1);
  };
  return c.node.outputs.map((_, index) => ({ dtype, shape: x.map((dim, axis) => (axis === at ? part(index) : dim)) }));
};

const slice: ShapeRule = (c) => {
  const x = c.shape(0);
  const dtype = c.dtype(0);
  const starts = c.node.ints("starts") ?? c.values(1);
  const ends = c.node.ints("ends") ?? c.values(2);
  const axes = c.attributeOrInput("axes", 3);
  const steps = c.has(4) ? c.numbers(4) : undefined;
  if (!x) return [{ dtype }];
  const count = starts?.length ?? ends?.length ?? lengthOf(c, 1);
  const sliced = axes.given ? axes.numbers : count === undefined ? undefined : Array.from({ length: count }, (_, axis) => axis);
  if (!sliced) return [{ dtype, shape: ofRank(c, x.length) }];
  const shape = [...x];
  for (const [index, axis] of sliced.entries()) {
    const at = fromFront(axis, x.length);
    shape[at] = slicedDim(x[at]!, starts?.[index], ends?.[index], c.has(4) ? steps?.[index] : 1, c.unknown(at));
  }
  return [{ dtype, shape }];
};

const slicedDim = (dim: Dim, start: Dim | undefined, end: Dim | undefined, step: number | undefined, unknown: Dim): Dim => {
  if (start === undefined || end === undefined || step === undefined) return unknown;
  const toEnd = typeof end === "number" && end >= 0x7fffffff;
  if (start === 0 && step === 1 && (toEnd || end === dim)) return dim;
  if (typeof dim === "number" && typeof start === "number" && typeof end === "number") return sliceOf(dim, start, end, step).count;
  if (step === 1 && start === 0 && typeof end === "string" && typeof dim === "number") return end; // bounded by a dimension that fits, or the model fails
  if (step === -1 && start === -1 && typeof end === "number" && end <= -0x7fffffff) return dim;
  if (step !== 1 || typeof start !== "number") return unknown;
  if (toEnd) return start >= 0 ? subtractDims(dim, start, unknown) : -start;
  if (typeof dim === "string" && start === 0 && typeof end === "number" && end < 0) return subtractDims(dim, -end, unknown);
  return unknown;
};

const expand: ShapeRule = (c) => {
  const x = c.shape(0);
  const wanted = c.values(1);
  const rank = lengthOf(c, 1);
  if (!x || !wanted) return [{ dtype: c.dtype(0), shape: x && rank !== undefined ? ofRank(c, Math.max(rank, x.length)) : undefined }];
  return [{ dtype: c.dtype(0), shape: broadcastShapes([x, wanted], (axis) => c.unknown(axis)) }];
};

const tile: ShapeRule = (c) => {
  const x = c.shape(0);
  const repeats = c.values(1);
  return [{ dtype: c.dtype(0), shape: x?.map((dim, axis) => (repeats ? multiplyDims(dim, repeats[axis]!, c.unknown(axis)) : c.unknown(axis))) }];
};

const pad: ShapeRule = (c) => {
  const x = c.shape(0);
  const pads = c.node.ints("pads") ?? c.values(1);
  if (!x) return [{ dtype: c.dtype(0) }];
  const axes = c.has(3) ? c.numbers(3)?.map((axis) => fromFront(axis, x.length)) : [...x.keys()];
  if (!pads || !axes) return [{ dtype: c.dtype(0), shape: ofRank(c, x.length) }];
  const shape = [...x];
  for (const [index, axis] of axes.entries()) {
    const [begin, end] = [pads[index], pads[index + axes.length]];
    const known = typeof begin === "number" && typeof end === "number";
    shape[axis] = known ? addDims(x[axis]!, begin + end, c.unknown(axis)) : c.unknown(axis);
  }
  return [{ dtype: c.dtype(0), shape }];
};

/** A tensor whose shape is the contents of input `slot`. */
export const shapedByInput = (c: ShapeContext, slot: number): Shape | undefined => {
  const rank = lengthOf(c, slot);
  return c.values(slot) ?? (rank === undefined ? undefined : ofRank(c, rank));
};

export const layoutRules: Readonly<Record<string, ShapeRule>> = {
  Reshape: reshape, Flatten: flatten, Transpose: transpose, Squeeze: squeeze, Unsqueeze: unsqueeze,
  Concat: concat, Split: split, Slice: slice, Expand: expand, Tile: tile, Pad: pad,
};
