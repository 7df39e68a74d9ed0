import type { Builder } from "../graph/builder.ts";
import type { Shape, Value } from "../graph/node.ts";

/** Undoes NumPy broadcasting: sums `part` over the axes along which a value of the shape of `like` was repeated. */
export const sumTo = (b: Builder, part: Value, like: Value): Value => {
  const axes = repeatedAxes(part.shape, like.shape);
  if (!axes) return sumAtRunTime(b, part, like);
  if (axes.all.length === 0) return part;
  const sum = b.sum(part, axes.all, axes.leading === 0);
  return axes.leading === 0 || axes.leading === axes.all.length ? sum : b.reshapeLike(sum, like);
};

/** Axes of `from` to sum so that it becomes `to`; undefined where only the run time can tell. */
export const repeatedAxes = (from: Shape | undefined, to: Shape | undefined): { all: number[]; leading: number } | undefined => {
  if (!from || !to || from.length < to.length) return undefined;
  const leading = from.length - to.length;
  const all: number[] = [];
  for (const [axis, dim] of from.entries()) {
    const target = to[axis - leading];
    if (axis < leading || (target === 1 && dim !== 1)) all.push(axis);
    else if (dim !== target) return undefined;
  }
  return { all, leading };
};

/** The same with shapes read at run time: the axes are those where `like`, padded with leading ones, is 1. */
const sumAtRunTime = (b: Builder, part: Value, like: Value): Value => {
  const target = b.op("Shape", [like]);
  const missing = b.sub(b.op("Size", [b.op("Shape", [part])]), b.op("Size", [target]));
  const ones = b.op("Expand", [b.int64s([1]), b.op("Reshape", [missing, b.int64s([1])])]);
  const padded = b.concat([ones, target], 0);
  const axes = b.op("Squeeze", [b.op("NonZero", [b.equal(padded, 1)]), b.int64s([0])]);
  const sum = b.op("ReduceSum", [part, axes], { keepdims: 1, noop_with_empty_axes: 1 });
  const result = b.op("Reshape", [sum, target]);
  result.shape ??= like.shape;
  return result;
};
