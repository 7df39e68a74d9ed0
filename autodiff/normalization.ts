import type { Builder } from "../graph/builder.ts";
import type { Node, Value } from "../graph/node.ts";
import { channelAxes, channelSum } from "./conv.ts";
import { missingSize, product, staticSizes } from "./conv-geometry.ts";
import type { GradientRule } from "./rule.ts";

/** BatchNormalization over [N, C, …]: inference form (given mean and variance) and training form (those of the batch). */
export const batchNormalizationGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null, null, null, null, null];
  return node.int("training_mode", 0) === 1 ? trainingGradient(b, node, dy) : inferenceGradient(b, node, dy);
};

const spatialRank = (node: Node): number => {
  const { shape } = node.in(0);
  if (!shape) throw missingSize(node, node.in(0));
  return shape.length - 2;
};

/** [C] -> [C, 1, …] so that it broadcasts over [N, C, …]. */
const perChannel = (b: Builder, x: Value, rank: number): Value => b.reshape(x, [-1, ...new Array<number>(rank).fill(1)]);

const inverseDeviation = (b: Builder, variance: Value, epsilon: number): Value => b.op("Reciprocal", [b.sqrt(b.add(variance, epsilon))]);

/** Σ dY and Σ dY·(x - mean)/σ per channel: the gradients of bias and scale. */
const affineGradients = (b: Builder, x: Value, dy: Value, mean: Value, inverse: Value, rank: number): { dBias: Value; dScale: Value } => {
  const dBias = channelSum(b, dy, rank);
  const dScale = b.mul(b.sub(channelSum(b, b.mul(dy, x), rank), b.mul(mean, dBias)), inverse);
  return { dBias, dScale };
};

/** y = (x - mean)·scale/σ + bias, σ = √(variance + ε), all five differentiated. */
const inferenceGradient = (b: Builder, node: Node, dy: Value): readonly Value[] => {
  const rank = spatialRank(node);
  const scale = node.in(1);
  const inverse = inverseDeviation(b, node.in(4), node.float("epsilon", 1e-5));
  const { dBias, dScale } = affineGradients(b, node.in(0), dy, node.in(3), inverse, rank);
  const gain = b.mul(scale, inverse);
  // ∂y/∂variance = -(x - mean)·scale/(2σ³)
  const dVariance = b.mul(b.mul(b.mul(dScale, gain), inverse), -0.5);
  return [b.mul(dy, perChannel(b, gain, rank)), dScale, dBias, b.neg(b.mul(gain, dBias)), dVariance];
};

/**
 * dX = scale/σ·(dY - (dBias + x̂·dScale)/n), n = elements per channel (Ioffe & Szegedy 2015, section 3).
 * The inner affine map of x is a BatchNormalization node in inference form: one pass over memory and few nodes on vectors.
 */
const trainingGradient = (b: Builder, node: Node, dy: Value): readonly (Value | null)[] => {
  const x = node.in(0);
  const rank = spatialRank(node);
  const axes = channelAxes(rank);
  const epsilon = node.float("epsilon", 1e-5);
  const { mean, variance } = batchStatistics(b, node, rank);
  const inverse = inverseDeviation(b, variance, epsilon);
  const meanBias = b.mean(dy, axes, false);
  const meanScale = b.mul(b.sub(b.mean(b.mul(dy, x), axes, false), b.mul(mean, meanBias)), inverse);
  const explained = b.op("BatchNormalization", [x, meanScale, meanBias, mean, variance], { epsilon });
  const dx = b.mul(b.sub(dy, explained), perChannel(b, b.mul(node.in(1), inverse), rank));
  const count = elementsPerChannel(b, node);
  return [dx, b.mul(meanScale, count), b.mul(meanBias, count), null, null];
};

/** Mean and biased variance of the batch. With momentum 0 the node's 2nd and 3rd outputs are exactly these. */
const batchStatistics = (b: Builder, node: Node, rank: number): { mean: Value; variance: Value } => {
  const [, mean, variance] = node.outputs;
  if (node.float("momentum", 0.9) === 0 && mean?.name && variance?.name) return { mean, variance };
  const axes = channelAxes(rank);
  const kept = b.mean(node.in(0), axes);
  const centred = b.sub(node.in(0), kept);
  return { mean: b.reshape(kept, [-1]), variance: b.mean(b.mul(centred, centred), axes, false) };
};

/** Read at run time where the batch size is symbolic. */
const elementsPerChannel = (b: Builder, node: Node): Value => {
  const x = node.in(0);
  const area = product(staticSizes(node, x));
  const batch = x.shape?.[0];
  if (typeof batch === "number") return b.scalar(batch * area);
  return b.mul(b.cast(b.slice(b.op("Shape", [x]), [0], [1], [0]), "float32"), area);
};

/** LayerNormalization over the axes from `axis` on: X, Scale, optional B. */
export const layerNormalizationGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null, null, null];
  const x = node.in(0);
  const rank = x.shape?.length;
  if (rank === undefined) throw missingSize(node, x);
  const axis = (node.int("axis", -1) + rank) % rank;
  const axes = Array.from({ length: rank - axis }, (_, index) => axis + index);
  const leading = Array.from({ length: axis }, (_, index) => index);
  const { normalized, inverse } = normalize(b, node, axes);
  const g = b.mul(dy, node.in(1));
  // dX = (g - mean(g) - x̂·mean(g·x̂))/σ
  const projected = b.mul(normalized, b.mean(b.mul(g, normalized), axes));
  const dx = b.mul(b.sub(b.sub(g, b.mean(g, axes)), projected), inverse);
  const reduced = (value: Value): Value => (leading.length > 0 ? b.sum(value, leading, false) : value);
  return [dx, reduced(b.mul(dy, normalized)), node.optionalIn(2) ? reduced(dy) : null];
};

/** x̂ and 1/σ of a LayerNormalization, from its own Mean and InvStdDev outputs where it has them. */
const normalize = (b: Builder, node: Node, axes: readonly number[]): { normalized: Value; inverse: Value } => {
  const [, savedMean, savedInverse] = node.outputs;
  const centred = b.sub(node.in(0), savedMean?.name ? savedMean : b.mean(node.in(0), axes));
  const inverse = savedInverse?.name
    ? savedInverse
    : inverseDeviation(b, b.mean(b.mul(centred, centred), axes), node.float("epsilon", 1e-5));
  return { normalized: b.mul(centred, inverse), inverse };
};
