import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { Tensor } from "../graph/tensor.ts";

/*
 * Losses as graph builders. Unless said otherwise a loss keeps the shape of its inputs (an axis that it sums becomes 1), so that the
 * caller weights, sums and normalises. Targets and teacher values carry no gradient as long as they do not depend on what is trained.
 */

export interface AxisOptions {
  /** The axis of the classes, bins or coordinates (default: the last). */
  readonly axis?: number;
}

export interface DistillationOptions extends AxisOptions {
  /** T of Hinton 2015; the loss is multiplied by T², so that gradients keep their size (section 2 there). Default 1. */
  readonly temperature?: number;
}

/**
 * −t·ln σ(x) − (1 − t)·ln(1 − σ(x)) = softplus(x) − x·t, per element; finite for any logit.
 * `positiveWeight` multiplies the first term, as PyTorch's pos_weight.
 */
export const bceWithLogits = (b: Builder, logits: Value, targets: Value, options: { readonly positiveWeight?: number } = {}): Value => {
  const { positiveWeight = 1 } = options;
  if (positiveWeight === 1) return b.sub(b.softplus(logits), b.mul(logits, targets));
  const weight = b.add(b.mul(targets, positiveWeight - 1), 1);
  return b.add(b.mul(b.sub(1, targets), logits), b.mul(weight, b.softplus(b.neg(logits))));
};

/** −Σ p·ln softmax(x) along the axis; `targets` are distributions. */
export const softmaxCrossEntropy = (b: Builder, logits: Value, targets: Value, { axis = -1 }: AxisOptions = {}): Value =>
  b.neg(b.sum(b.mul(targets, b.op("LogSoftmax", [logits], { axis })), [axis]));

/** T²·KL(teacher ‖ student) = T²·Σ p·(ln p − ln q) along the axis, p and q the softmax of the logits over T (Hinton 2015). */
export const klDivergence = (b: Builder, student: Value, teacher: Value, { axis = -1, temperature = 1 }: DistillationOptions = {}): Value => {
  const logP = b.op("LogSoftmax", [over(b, teacher, temperature)], { axis });
  const logQ = b.op("LogSoftmax", [over(b, student, temperature)], { axis });
  return times(b, b.sum(b.mul(b.exp(logP), b.sub(logP, logQ)), [axis]), temperature ** 2);
};

/** T²·KL between Bernoulli distributions σ(x/T), per element: distillation of sigmoid heads (Hinton 2015 with two classes per logit). */
export const binaryKlDivergence = (b: Builder, student: Value, teacher: Value, { temperature = 1 }: Pick<DistillationOptions, "temperature"> = {}): Value => {
  const [x, z] = [over(b, student, temperature), over(b, teacher, temperature)];
  const p = b.sigmoid(z);
  const negativeEntropy = b.sub(b.mul(z, p), b.softplus(z));
  return times(b, b.add(bceWithLogits(b, x, p), negativeEntropy), temperature ** 2);
};

export const mse = (b: Builder, x: Value, target: Value): Value => {
  const difference = b.sub(x, target);
  return b.mul(difference, difference);
};

export const l1 = (b: Builder, x: Value, target: Value): Value => b.abs(b.sub(x, target));

/** d²/(2·beta) for |d| < beta, else |d| − beta/2 (Girshick 2015), with m = min(|d|, beta): m·(|d| − m/2)/beta. */
export const smoothL1 = (b: Builder, x: Value, target: Value, { beta = 1 }: { readonly beta?: number } = {}): Value => {
  const distance = l1(b, x, target);
  const m = b.min(distance, beta);
  return times(b, b.mul(m, b.sub(distance, b.mul(m, 0.5))), 1 / beta);
};

/** Focal loss of sigmoid outputs (Lin 2017, eq. 5): alpha_t·(1 − p_t)^gamma·BCE; targets are 0 or 1. */
export const focal = (b: Builder, logits: Value, targets: Value, options: { readonly alpha?: number; readonly gamma?: number } = {}): Value => {
  const { alpha = 0.25, gamma = 2 } = options;
  const p = b.sigmoid(logits);
  const miss = b.add(b.mul(p, b.sub(1, b.mul(targets, 2))), targets); // 1 − p_t
  const balance = b.add(b.mul(targets, 2 * alpha - 1), 1 - alpha);
  return b.mul(balance, b.mul(b.pow(miss, gamma), bceWithLogits(b, logits, targets)));
};

/** Quality focal loss (Li 2020, eq. 5): |t − σ(x)|^beta·BCE, targets in [0, 1] (the IoU of the matched box, or a teacher's score). */
export const qualityFocal = (b: Builder, logits: Value, targets: Value, { beta = 2 }: { readonly beta?: number } = {}): Value => {
  const gap = b.sub(targets, b.sigmoid(logits));
  return b.mul(b.pow(beta === 2 ? gap : b.abs(gap), beta), bceWithLogits(b, logits, targets));
};

/** Weights of the two bins around each distance: 1 − |bin − distance|, 0 beyond 1. `distances` has size 1 at the bins' axis, values in [0, bins − 1]. */
export const binWeights = (b: Builder, distances: Value, bins: number, { axis = -1 }: AxisOptions = {}): Value => {
  const rank = distances.shape?.length;
  if (rank === undefined) throw new Error(`bug: bin weights need the rank of "${distances.name}"`);
  const shape = new Array<number>(rank).fill(1).with(axis, bins);
  const positions = b.constant(Tensor.float32(shape, Array.from({ length: bins }, (_, bin) => bin)));
  return b.op("Relu", [b.sub(1, b.abs(b.sub(positions, distances)))]);
};

/**
 * Distribution focal loss (Li 2020, eq. 6): cross entropy of the two bins beside the distance, weighted by nearness.
 * `logits` has the bins at `axis`, `distances` size 1 there. A full target distribution goes to `softmaxCrossEntropy`; a teacher's logits to
 * `klDivergence` (localization distillation, Zheng 2022).
 */
export const distributionFocal = (b: Builder, logits: Value, distances: Value, { axis = -1 }: AxisOptions = {}): Value => {
  const bins = logits.shape?.at(axis);
  if (typeof bins !== "number") throw new Error(`bug: the number of bins of "${logits.name}" must be static`);
  return softmaxCrossEntropy(b, logits, binWeights(b, distances, bins, { axis }), { axis });
};

/** 1 − cosine similarity along the axis. */
export const cosine = (b: Builder, x: Value, target: Value, { axis = -1 }: AxisOptions = {}): Value => {
  const norm = (value: Value): Value => b.max(b.reduce("ReduceL2", value, [axis]), 1e-8);
  return b.sub(1, b.div(b.sum(b.mul(x, target), [axis]), b.mul(norm(x), norm(target))));
};

/**
 * Channel-wise distillation (Shu 2021, eq. 2-4) of features [N, C, H, W]: T²·KL of the softmax over space, averaged over channels and
 * pictures. Scalar. Channel counts must agree (1×1 adapter).
 */
export const channelWise = (b: Builder, student: Value, teacher: Value, { temperature = 4 }: Pick<DistillationOptions, "temperature"> = {}): Value => {
  const flat = (value: Value): Value => b.op("Reshape", [value, b.int64s([0, 0, -1])]);
  return b.mean(klDivergence(b, flat(student), flat(teacher), { axis: 2, temperature }), undefined, false);
};

/**
 * PKD (Cao 2022): half the mean squared difference of features [N, C, H, W] normalised per channel over batch and space,
 * which is 1 − the Pearson correlation. Scalar.
 */
export const pearson = (b: Builder, student: Value, teacher: Value): Value =>
  b.mul(b.mean(mse(b, standardized(b, student), standardized(b, teacher)), undefined, false), 0.5);

const standardized = (b: Builder, value: Value): Value => {
  const axes = [0, 2, 3];
  const centred = b.sub(value, b.mean(value, axes));
  const deviation = b.sqrt(b.mean(b.mul(centred, centred), axes));
  return b.div(centred, b.add(deviation, 1e-6));
};

const over = (b: Builder, value: Value, temperature: number): Value => times(b, value, 1 / temperature);

const times = (b: Builder, value: Value, factor: number): Value => (factor === 1 ? value : b.mul(value, factor));
