import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { indicator, single, type GradientRule } from "./rule.ts";

/** The gradient of a reduction in terms of values that broadcast against x: its dy and y with the reduced axes kept. */
const reduction = (rule: (b: Builder, parts: { node: Node; x: Value; dy: Value; y: Value; reduce: Reduce }) => Value): GradientRule =>
  single((b, node, dy) => {
    if (isNoop(node)) return [dy];
    const keep = keptDims(b, node);
    return [rule(b, { node, x: node.in(0), dy: keep(dy), y: keep(node.out()), reduce: (opType, value) => reduceLike(b, node, opType, value) })];
  });

type Reduce = (opType: "ReduceSum" | "ReduceProd", value: Value) => Value;

export const reduceSumGradient = reduction((b, { x, dy }) => b.expandLike(dy, x));

export const reduceMeanGradient = reduction((b, { node, x, dy }) => b.expandLike(b.div(dy, reducedCount(b, node)), x));

/** Equal extrema share dy, as torch.amax does. */
export const reduceExtremumGradient = reduction((b, { x, dy, y, reduce }) => {
  const wins = indicator(b, b.equal(x, y), x);
  return b.mul(wins, b.div(dy, reduce("ReduceSum", wins)));
});

/** dx = dy · product of the others, also where elements are zero: zeros count as ones, and two of them annul everything. */
export const reduceProdGradient = reduction((b, { x, dy, reduce }) => {
  const isZero = indicator(b, b.equal(x, 0), x);
  const nonZero = b.add(x, isZero);
  const otherZeros = b.sub(reduce("ReduceSum", isZero), isZero);
  const others = b.div(reduce("ReduceProd", nonZero), nonZero);
  return b.mul(dy, b.mul(others, indicator(b, b.equal(otherZeros, 0), x)));
});

/** dx = dy·x/y; 0 at x = 0. */
export const reduceL2Gradient = reduction((b, { x, dy, y }) => b.mul(x, b.div(dy, b.max(y, 1e-30))));

export const reduceL1Gradient = reduction((b, { x, dy }) => b.mul(dy, b.op("Sign", [x])));

export const reduceSumSquareGradient = reduction((b, { x, dy }) => b.mul(x, b.mul(dy, 2)));

export const reduceLogSumExpGradient = reduction((b, { x, dy, y }) => b.mul(dy, b.exp(b.sub(x, y))));

/** y = ln Σx, so 1/Σx = e^(−y). */
export const reduceLogSumGradient = reduction((b, { x, dy, y }) => b.expandLike(b.mul(dy, b.exp(b.neg(y))), x));

/** The running sum of dy from the other end. */
export const cumSumGradient: GradientRule = single((b, node, dy) => [
  b.op("CumSum", [dy, node.in(1)], { exclusive: node.int("exclusive", 0), reverse: 1 - node.int("reverse", 0) }),
]);

const isNoop = (node: Node): boolean => !node.optionalIn(1) && !node.ints("axes") && node.int("noop_with_empty_axes", 0) === 1;

const staticAxes = (node: Node): readonly number[] | undefined => node.ints("axes") ?? node.optionalIn(1)?.constant?.toNumbers();

/** Gives a result of `node` its reduced axes back as ones. */
const keptDims = (b: Builder, node: Node): ((value: Value) => Value) => {
  if (node.int("keepdims", 1) === 1) return (value) => value;
  const axes = staticAxes(node);
  if (axes && axes.length > 0) return (value) => b.unsqueeze(value, axes);
  const dynamic = node.optionalIn(1);
  if (dynamic && !axes) return (value) => b.op("Unsqueeze", [value, dynamic]);
  return (value) => value; // everything is reduced: a scalar broadcasts against x
};

/** The same reduction of another value, axes kept. */
const reduceLike = (b: Builder, node: Node, opType: "ReduceSum" | "ReduceProd", value: Value): Value => {
  const axes = staticAxes(node);
  const dynamic = node.optionalIn(1);
  return dynamic && !axes ? b.op(opType, [value, dynamic]) : b.reduce(opType, value, axes && axes.length > 0 ? axes : undefined);
};

/** How many elements each result of `node` sums. */
const reducedCount = (b: Builder, node: Node): Value | number => {
  const [x, y] = [node.in(0), node.out()];
  if (x.staticShape && y.staticShape) return product(x.staticShape) / product(y.staticShape);
  const axes = staticAxes(node);
  const rank = x.shape?.length;
  const dims = axes && rank !== undefined ? axes.map((axis) => x.shape![(axis + rank) % rank]!) : [];
  if (dims.length > 0 && dims.every((dim) => typeof dim === "number")) return product(dims);
  return b.cast(b.op("Div", [b.op("Size", [x]), b.op("Size", [y])]), x.dtype ?? "float32");
};

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);
