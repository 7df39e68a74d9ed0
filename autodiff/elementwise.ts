import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { filledLike, indicator, masked, ruleDoesNotFit, single, unary, type GradientRule } from "./rule.ts";

/** db = −dy·a/b² = −(dy/b)·y. */
export const divGradient: GradientRule = single((b, node, dy) => {
  const da = b.div(dy, node.in(1));
  return [da, b.neg(b.mul(da, node.out()))];
});

/** dx = dy·p·x^(p−1); dp = dy·y·ln x where x > 0 (0 elsewhere, as PyTorch has it). The exponent may have another dtype. */
export const powGradient: GradientRule = single((b, node, dy) => {
  const [x, p, y] = [node.in(0), node.in(1), node.out()];
  const dtype = x.dtype ?? "float32";
  const exponent = p.constant?.size === 1 ? p.constant.toNumbers()[0] : undefined;
  if (exponent === 1) return [dy];
  if (exponent === 2) return [b.mul(dy, b.mul(x, 2))];
  const factor = p.dtype === dtype ? p : b.cast(p, dtype);
  const dx = b.mul(dy, b.mul(factor, b.pow(x, b.sub(p, 1))));
  const positive = b.greater(x, 0);
  const logarithm = b.log(b.where(positive, x, 1));
  return [dx, b.mul(dy, b.mul(y, logarithm))];
});

/** Max and Min of n inputs: equal winners share dy, as in PyTorch. */
export const extremumGradient: GradientRule = single((b, node, dy) => {
  const inputs = node.inputs.filter((input): input is Value => input !== null);
  if (inputs.length === 1) return [dy];
  const wins = inputs.map((input) => indicator(b, b.equal(input, node.out()), dy));
  const winners = wins.reduce((sum, win) => b.add(sum, win));
  const share = b.div(dy, winners);
  return wins.map((win) => b.mul(share, win));
});

export const meanGradient: GradientRule = single((b, node, dy) => {
  const share = b.div(dy, node.inputs.length);
  return node.inputs.map(() => share);
});

/** dx = dy inside the limits (limits included, where y = x); each limit receives dy where it cut. */
export const clipGradient: GradientRule = single((b, node, dy) => {
  const x = node.in(0);
  const [low, high] = [node.optionalIn(1), node.optionalIn(2)];
  return [masked(b, dy, b.equal(x, node.out())), low ? masked(b, dy, b.less(x, low)) : null, high ? masked(b, dy, b.greater(x, high)) : null];
});

export const whereGradient: GradientRule = single((b, node, dy) => {
  const zero = filledLike(b, dy.shape?.length === 0 ? dy : b.scalar(0, dy.dtype ?? "float32"));
  return [null, b.where(node.in(0), dy, zero), b.where(node.in(0), zero, dy)];
});

/** Back to the input's dtype; an integer or boolean input has no gradient, and `backward` drops it. */
export const castGradient: GradientRule = single((b, node, dy) => {
  const { dtype } = node.in(0);
  return [dtype === undefined || dtype === dy.dtype ? dy : b.cast(dy, dtype)];
});

/** dx = dy·mask/(1 − ratio) while training; Dropout is the identity otherwise. */
export const dropoutGradient: GradientRule = single((b, node, dy) => {
  const training = node.optionalIn(2);
  if (!training || training.constant?.toNumbers()[0] === 0) return [dy];
  const mask = node.outputs[1];
  if (!mask?.name) throw ruleDoesNotFit(node, "it trains without its mask output");
  const ratio = node.optionalIn(1) ?? b.scalar(0.5);
  return [b.div(masked(b, dy, mask), b.sub(1, ratio))];
});

/** 1 where x > 0, else `other`. */
const positiveOr = (b: Builder, x: Value, other: Value | number): Value => b.where(b.greater(x, 0), b.scalar(1, x.dtype ?? "float32"), other);

export const preluGradient: GradientRule = single((b, node, dy) => [
  b.mul(dy, positiveOr(b, node.in(0), node.in(1))), b.mul(dy, b.min(node.in(0), 0)),
]);

/** y' = 1 for x > 0, else alpha·eˣ = y + alpha. */
export const eluGradient: GradientRule = unary((b, x, y, node) => positiveOr(b, x, b.add(y, node.float("alpha", 1))));

/** y' = gamma for x > 0, else gamma·alpha·eˣ = y + gamma·alpha. */
export const seluGradient: GradientRule = unary((b, x, y, node) => {
  const alpha = node.float("alpha", 1.6732631921768188);
  const gamma = node.float("gamma", 1.0507010221481323);
  return b.where(b.greater(x, 0), b.scalar(gamma, x.dtype ?? "float32"), b.add(y, gamma * alpha));
});

/** y' = 1 for x > 0, else e^(x/alpha) = y/alpha + 1. */
export const celuGradient: GradientRule = unary((b, _x, y, node) => b.add(b.div(b.min(y, 0), node.float("alpha", 1)), 1));

/** y' = alpha while 0 < y < 1. */
export const hardSigmoidGradient: GradientRule = unary((b, _x, y, node) =>
  b.mul(indicator(b, b.less(b.abs(b.sub(y, 0.5)), 0.5), y), node.float("alpha", 0.2)));

/** y' = x/3 + 1/2 for |x| < 3; beyond it 0 or 1. */
export const hardSwishGradient: GradientRule = unary((b, x) =>
  b.where(b.less(b.abs(x), 3), b.add(b.div(x, 3), 0.5), indicator(b, b.greater(x, 0), x)));

/** y = x·t with t = tanh(softplus(x)) (Misra 2019): y' = t + x·(1 − t²)·sigmoid(x). */
export const mishGradient: GradientRule = unary((b, x) => {
  const t = b.op("Tanh", [b.softplus(x)]);
  return b.add(t, b.mul(b.mul(x, b.sigmoid(x)), b.sub(1, b.mul(t, t))));
});

/** Exact: Φ(x) + x·φ(x). Tanh form (Hendrycks and Gimpel 2016): ½(1 + t) + ½x(1 − t²)·u', u = √(2/π)(x + 0.044715x³). */
export const geluGradient: GradientRule = unary((b, x, _y, node) => {
  const square = b.mul(x, x);
  if (node.string("approximate", "none") === "none") {
    const cumulative = b.mul(b.add(b.op("Erf", [b.mul(x, Math.SQRT1_2)]), 1), 0.5);
    return b.add(cumulative, b.mul(x, b.mul(b.exp(b.mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI))));
  }
  const k = Math.sqrt(2 / Math.PI);
  const t = b.op("Tanh", [b.mul(b.mul(x, k), b.add(b.mul(square, 0.044715), 1))]);
  const slope = b.mul(b.add(b.mul(square, 3 * 0.044715), 1), k);
  const tail = b.mul(b.mul(x, b.sub(1, b.mul(t, t))), slope);
  return b.mul(b.add(b.add(t, 1), tail), 0.5);
});

export const mulGradient: GradientRule = single((b: Builder, node: Node, dy: Value) => [b.mul(dy, node.in(1)), b.mul(dy, node.in(0))]);
