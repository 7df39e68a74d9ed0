import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { scatterThrough } from "./indexing.ts";
import { filledLike, ruleDoesNotFit, single, type GradientRule } from "./rule.ts";

/** Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the input's shape. */
export const reshapeGradient: GradientRule = single((b, node, dy) => [b.reshapeLike(dy, node.in(0))]);

export const transposeGradient: GradientRule = single((b, node, dy) => {
  const perm = node.ints("perm");
  if (!perm) return [b.op("Transpose", [dy])]; // reversing is its own inverse
  const inverse = new Array<number>(perm.length);
  for (const [to, from] of perm.entries()) inverse[from] = to;
  return [b.transpose(dy, inverse)];
});

export const concatGradient: GradientRule = single((b, node, dy) => {
  const inputs = node.inputs.filter((input): input is Value => input !== null);
  const axis = node.int("axis", 0);
  if (inputs.length === 1) return [dy];
  const sizes = inputs.map((input) => sizeOfAxis(input, axis));
  if (sizes.every((size) => size !== undefined)) return b.split(dy, sizes, axis);
  const end = axis === -1 ? Number.MAX_SAFE_INTEGER : axis + 1;
  const lengths = inputs.map((input) => b.slice(b.op("Shape", [input]), [axis], [end], [0]));
  return b.ops("Split", [dy, b.concat(lengths, 0)], inputs.length, { axis });
});

export const splitGradient: GradientRule = (b, node, dOutputs) =>
  [b.concat(node.outputs.map((output, index) => dOutputs[index] ?? filledLike(b, output)), node.int("axis", 0))];

/** Sums the copies: [r0·d0, …] seen as [r0, d0, …]. */
export const tileGradient: GradientRule = single((b, node, dy) => {
  const dims = node.in(0).staticShape;
  const repeats = node.in(1).constant?.toNumbers();
  if (!dims || !repeats) return [scatterThrough(b, node, dy)];
  const copies = b.reshape(dy, dims.flatMap((dim, axis) => [repeats[axis]!, dim]));
  return [b.sum(copies, dims.map((_, axis) => 2 * axis), false)];
});

/** Cuts a constant padding off again (a negative Pad); elements that reflect, edge or wrap repeated receive all their parts. */
export const padGradient: GradientRule = single((b, node, dy) => {
  if (node.string("mode", "constant") !== "constant") return [scatterThrough(b, node, dy)];
  const pads = node.in(1);
  const negated = pads.constant ? b.int64s(pads.constant.toNumbers().map((pad) => (pad === 0 ? 0 : -pad))) : b.neg(pads);
  const axes = node.optionalIn(3);
  return [b.op("Pad", axes ? [dy, negated, null, axes] : [dy, negated])];
});

/** Zeros around dy: a Pad per contiguous slice; steps interleave zeros, negative steps reverse first. */
export const sliceGradient: GradientRule = single((b, node, dy) => {
  const bounds = boundsOf(node);
  if (!bounds) return [scatterThrough(b, node, dy)];
  return [bounds.filter(({ count, dim }) => count > 0 && dim > 0).reduce((part, bound) => placeAlongAxis(b, part, bound), dy)];
});

interface Bounds {
  readonly axis: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly dim: number;
}

/** Slice's clamped bounds per axis; undefined unless everything is static. */
const boundsOf = (node: Node): Bounds[] | undefined => {
  const shape = node.in(0).staticShape;
  const [starts, ends, axes, steps] = [1, 2, 3, 4].map((slot) => node.optionalIn(slot));
  const [from, to] = [starts?.constant?.toNumbers(), ends?.constant?.toNumbers()];
  if (!shape || !from || !to || (axes && !axes.constant) || (steps && !steps.constant) || shape.includes(0)) return undefined;
  const onAxes = axes?.constant?.toNumbers() ?? from.map((_, index) => index);
  const by = steps?.constant?.toNumbers() ?? from.map(() => 1);
  const bounds = onAxes.map((axis, index) => clampBounds((axis + shape.length) % shape.length, shape, from[index]!, to[index]!, by[index]!));
  return bounds.some(({ count }) => count === 0) ? undefined : bounds;
};

const clampBounds = (axis: number, shape: readonly number[], from: number, to: number, step: number): Bounds => {
  const dim = shape[axis]!;
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const clamp = (bound: number): number => Math.min(Math.max(bound < 0 ? bound + dim : bound, low), high);
  const first = step > 0 ? clamp(from) : Math.max(clamp(from), 0);
  const count = Math.max(0, Math.ceil((clamp(to) - first) / step));
  return { axis, first, step, count, dim };
};

const placeAlongAxis = (b: Builder, dy: Value, { axis, first, step, count, dim }: Bounds): Value => {
  const rank = dy.shape?.length ?? axis + 1;
  const stride = Math.abs(step);
  const ordered = step < 0 ? b.slice(dy, [-1], [Number.MIN_SAFE_INTEGER], [axis], [-1]) : dy;
  const spread = stride > 1 ? interleave(b, ordered, axis, count, stride) : ordered;
  const lowest = step < 0 ? first + step * (count - 1) : first;
  const before = lowest;
  const after = dim - lowest - count * stride; // negative where the last interleaved zeros stick out
  if (before === 0 && after === 0) return spread;
  const pads = new Array<number>(2 * rank).fill(0);
  [pads[axis], pads[rank + axis]] = [before, after];
  return b.op("Pad", [spread, b.int64s(pads)]);
};

/** stride − 1 zeros after every element of the axis. */
const interleave = (b: Builder, value: Value, axis: number, count: number, stride: number): Value => {
  const shape = value.staticShape;
  if (!shape) throw new Error(`bug: the shape of "${value.name}" must be known here`);
  const pads = new Array<number>(2 * (shape.length + 1)).fill(0);
  pads[shape.length + 1 + axis + 1] = stride - 1;
  const spread = b.op("Pad", [b.unsqueeze(value, [axis + 1]), b.int64s(pads)]);
  return b.reshape(spread, shape.with(axis, count * stride));
};

const sizeOfAxis = ({ shape }: Value, axis: number): number | undefined => {
  const dim = shape?.at(axis);
  return typeof dim === "number" ? dim : undefined;
};

/** SpaceToDepth undoes DepthToSpace in DCR order; for CRD its channels (offset, c) are reordered to (c, offset). */
export const depthToSpaceGradient: GradientRule = single((b, node, dy) => {
  const blocksize = node.int("blocksize", 1);
  const dcr = b.op("SpaceToDepth", [dy], { blocksize });
  if (node.string("mode", "DCR") === "DCR") return [dcr];
  const channels = sizeOfAxis(node.in(0), 1);
  if (channels === undefined) throw ruleDoesNotFit(node, `the channels of "${node.in(0).name}" are not known`);
  const offsets = blocksize ** 2;
  const groups = channels / offsets;
  const order = Array.from({ length: channels }, (_, k) => (k % offsets) * groups + Math.floor(k / offsets));
  return [b.op("Gather", [dcr, b.int64s(order)], { axis: 1 })];
});

export const spaceToDepthGradient: GradientRule = single((b, node, dy) =>
  [b.op("DepthToSpace", [dy], { blocksize: node.int("blocksize", 1), mode: "DCR" })]);
