import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import type { AdamWOptions, OptimizerOptions, SgdOptions } from "./options.ts";

/** Scalars that change from step to step; inputs of the step graph. */
export interface StepScalars {
  readonly learningRate: Value;
  /** 1 - β₁ᵗ and √(1 - β₂ᵗ) of AdamW. */
  readonly correction1: Value;
  readonly correction2: Value;
}

/** Flat vectors of one optimizer by name, e.g. moment1. */
export type Vectors = Readonly<Record<string, Value>>;

interface Update {
  readonly weights: Value;
  readonly vectors: Vectors;
}

/** Names of the vectors that an optimizer keeps between steps; they start at zero. */
export const optimizerVectors = (optimizer: OptimizerOptions): readonly string[] =>
  optimizer.kind === "adamw" ? ["moment1", "moment2"] : ["momentum"];

/** One optimizer step on flat vectors [P]; `decay` [P] is the weight decay of every element. */
export const applyOptimizer = (b: Builder, optimizer: OptimizerOptions, weights: Value, gradient: Value, decay: Value, vectors: Vectors, scalars: StepScalars): Update =>
  optimizer.kind === "adamw"
    ? adamwStep(b, optimizer, weights, gradient, decay, vectors, scalars)
    : sgdStep(b, optimizer, weights, gradient, decay, vectors, scalars);

/** w' = w - lr·(λw + m̂/(√v̂ + ε)) (Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW rounds it). */
const adamwStep = (b: Builder, { beta1, beta2, epsilon }: AdamWOptions, weights: Value, gradient: Value, decay: Value, vectors: Vectors, scalars: StepScalars): Update => {
  const moment1 = b.add(b.mul(vectors["moment1"]!, beta1), b.mul(gradient, 1 - beta1));
  const moment2 = b.add(b.mul(vectors["moment2"]!, beta2), b.mul(b.mul(gradient, gradient), 1 - beta2));
  const denominator = b.add(b.div(b.sqrt(moment2), scalars.correction2), epsilon);
  const direction = b.div(b.div(moment1, scalars.correction1), denominator);
  const change = b.add(direction, b.mul(weights, decay));
  return { weights: b.sub(weights, b.mul(change, scalars.learningRate)), vectors: { moment1, moment2 } };
};

/** g' = g + λw, u = μu + g', w' = w - lr·u (or g' + μu with Nesterov), as torch.optim.SGD. */
const sgdStep = (b: Builder, optimizer: SgdOptions, weights: Value, gradient: Value, decay: Value, vectors: Vectors, scalars: StepScalars): Update => {
  const decayed = b.add(gradient, b.mul(weights, decay));
  const momentum = b.add(b.mul(vectors["momentum"]!, optimizer.momentum), decayed);
  const change = optimizer.nesterov ? b.add(decayed, b.mul(momentum, optimizer.momentum)) : momentum;
  return { weights: b.sub(weights, b.mul(change, scalars.learningRate)), vectors: { momentum } };
};

/** L2 norm of the whole gradient. */
export const globalNorm = (b: Builder, gradient: Value): Value => b.sqrt(b.reduce("ReduceSumSquare", gradient, undefined, false));

/** gradient·min(1, limit/(norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. */
export const clipToNorm = (b: Builder, gradient: Value, norm: Value, limit: number): Value =>
  b.mul(gradient, b.min(b.div(limit, b.add(norm, 1e-6)), 1));

/** decay·average + (1 - decay)·current. */
export const movingAverage = (b: Builder, average: Value, current: Value, decay: Value): Value =>
  b.add(b.mul(average, decay), b.mul(current, b.sub(1, decay)));
