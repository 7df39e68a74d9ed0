import { binsPerSide, type Histogram } from "./histogram.ts";
import { summary, type CalibrationMethod, type TensorRange } from "./ranges.ts";

/** Fraction of the values that percentile calibration keeps inside the range. */
export const percentileKept = 0.9999;
/** int8 magnitudes that entropy calibration compares with. */
const entropyLevels = 128;
const mseCandidates = 100;

type Bounds = Pick<TensorRange, "threshold" | "low" | "high">;
/** What is made of a value next, where rounding errors matter only behind it. */
export type Response = (x: number) => number;
type Calibrator = (histogram: Histogram, response?: Response) => Bounds;

/** x·sigmoid(x): what a SiLU layer makes of the output of its convolution. */
export const silu: Response = (x) => x / (1 + Math.exp(-x));

/** Bounds by method; each reads the histogram only. */
export const calibrators: Readonly<Record<CalibrationMethod, Calibrator>> = {
  minmax: ({ min, max }) => ({ threshold: Math.max(-min, max), low: Math.min(min, 0), high: Math.max(max, 0) }),
  percentile: (histogram) => within(histogram, percentileThreshold(histogram.magnitudes(), histogram.binWidth, percentileKept)),
  entropy: (histogram) => within(histogram, entropyThreshold(histogram.magnitudes(), histogram.binWidth, entropyLevels)),
  mse: (histogram, response) => ({ threshold: Math.min(mseThreshold(histogram), absMax(histogram)), ...mseBounds(histogram, response) }),
};

/** The range of one tensor by `method`; `response` makes `mse` weigh errors behind it (the others ignore it). */
export const rangeOf = (histogram: Histogram, method: CalibrationMethod, response?: Response): TensorRange => {
  if (histogram.total === 0) return { min: 0, max: 0, threshold: 0, low: 0, high: 0, histogram: { total: 0, clipped: 0, binWidth: 0 } };
  const bounds = calibrators[method](histogram, response);
  return { min: histogram.min, max: histogram.max, ...bounds, histogram: summary(histogram, bounds.low, bounds.high) };
};

const absMax = ({ min, max }: Histogram): number => Math.max(-min, max);

const within = (histogram: Histogram, found: number): Bounds => {
  const threshold = Math.min(found, absMax(histogram));
  return { threshold, low: Math.min(0, Math.max(histogram.min, -threshold)), high: Math.max(0, Math.min(histogram.max, threshold)) };
};

/** Upper edge of the bin in which the `kept` quantile of the magnitudes lies. */
export const percentileThreshold = (magnitudes: Float64Array, binWidth: number, kept: number): number => {
  const total = magnitudes.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let bin = 0; bin < magnitudes.length; bin++) {
    below += magnitudes[bin]!;
    if (below >= kept * total) return (bin + 1) * binWidth;
  }
  return magnitudes.length * binWidth;
};

/**
 * The threshold whose clipped and `levels`-step quantized distribution of magnitudes is nearest to the clipped original in
 * Kullback-Leibler divergence (Migacz, "8-bit inference with TensorRT", GTC 2017). Bins at the tail end that are empty are not tried.
 */
export const entropyThreshold = (magnitudes: Float64Array, binWidth: number, levels: number): number => {
  let used = magnitudes.length;
  while (used > levels && magnitudes[used - 1] === 0) used--;
  const coarse = 2048;
  const factor = Math.max(1, Math.ceil(used / coarse));
  const counts = mergeBins(magnitudes.subarray(0, used), factor);
  counts[0] = counts[1] ?? counts[0]!; // exact zeros would swamp every other bin
  let best = counts.length;
  let bestDivergence = Infinity;
  let outliers = counts.reduce((sum, count) => sum + count, 0) - sumOf(counts, 0, levels);
  for (let bins = levels; bins <= counts.length; bins++) {
    const divergence = quantizationDivergence(counts, bins, levels, outliers);
    if (divergence < bestDivergence) { best = bins; bestDivergence = divergence; }
    outliers -= counts[bins] ?? 0;
  }
  return best * factor * binWidth;
};

const sumOf = (counts: Float64Array, from: number, to: number): number => {
  let sum = 0;
  for (let i = from; i < Math.min(to, counts.length); i++) sum += counts[i]!;
  return sum;
};

const mergeBins = (counts: Float64Array, factor: number): Float64Array => {
  const merged = new Float64Array(Math.ceil(counts.length / factor));
  for (let bin = 0; bin < counts.length; bin++) merged[Math.floor(bin / factor)]! += counts[bin]!;
  return merged;
};

/**
 * KL(p ‖ q) of the first `bins` bins: p has the outliers in its last bin; q spreads each of the `levels` merged counts evenly over the
 * bins of p that are not empty.
 */
export const quantizationDivergence = (counts: Float64Array, bins: number, levels: number, outliers: number): number => {
  const total = sumOf(counts, 0, bins) + outliers;
  const inner = total - outliers;
  if (total === 0 || inner === 0) return Infinity;
  let divergence = 0;
  for (let level = 0; level < levels; level++) {
    const from = Math.floor((level * bins) / levels);
    const to = Math.floor(((level + 1) * bins) / levels);
    let merged = 0;
    let filled = 0;
    for (let bin = from; bin < to; bin++) {
      merged += counts[bin]!;
      if (counts[bin]! > 0 || (bin === bins - 1 && outliers > 0)) filled++;
    }
    for (let bin = from; bin < to; bin++) {
      const p = (counts[bin]! + (bin === bins - 1 ? outliers : 0)) / total;
      if (p === 0) continue;
      const q = Math.max(merged / filled / inner, 1e-12);
      divergence += p * Math.log(p / q);
    }
  }
  return divergence;
};

/** Mean squared error of rounding to `levels` steps between low and high and clipping, from the bin centres; of `response` where given. */
export const quantizationError = ({ counts, binWidth }: Pick<Histogram, "counts" | "binWidth">, low: number, high: number, levels: number, response?: Response): number => {
  const scale = (high - low) / levels;
  const half = counts.length / 2;
  let sum = 0;
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count === 0) continue;
    const x = (bin - half + 0.5) * binWidth;
    const rounded = x < low ? low : x > high ? high : Math.round(x / scale) * scale;
    const error = response ? response(x) - response(rounded) : x - rounded;
    // A bin that is wider than a step is spread over all phases of the rounding.
    sum += count * (x < low || x > high || binWidth < scale || response ? error * error : (scale * scale) / 12);
    total += count;
  }
  return sum / total;
};

/** The symmetric threshold with the least squared error. */
export const mseThreshold = (histogram: Histogram): number => {
  const limit = absMax(histogram);
  return least(mseCandidates, (k) => (limit * k) / mseCandidates, (threshold) => quantizationError(compact(histogram), -threshold, threshold, 254)) ?? limit;
};

/** The bounds with the least squared error: the high bound first, then the low one, twice. */
const mseBounds = (histogram: Histogram, response?: Response): Pick<Bounds, "low" | "high"> => {
  const bins = compact(histogram);
  let low = Math.min(0, histogram.min);
  let high = Math.max(0, histogram.max);
  const [lowest, highest] = [low, high];
  for (let round = 0; round < 2; round++) {
    if (highest > 0) high = least(mseCandidates, (k) => (highest * k) / mseCandidates, (bound) => quantizationError(bins, low, bound, 255, response)) ?? high;
    if (lowest < 0) low = least(mseCandidates, (k) => (lowest * k) / mseCandidates, (bound) => quantizationError(bins, bound, high, 255, response)) ?? low;
  }
  return { low, high };
};

const least = (steps: number, candidate: (step: number) => number, cost: (candidate: number) => number): number | undefined => {
  let best: number | undefined;
  let bestCost = Infinity;
  for (let step = steps; step >= 1; step--) {
    const tried = candidate(step);
    const found = cost(tried);
    if (found < bestCost) { best = tried; bestCost = found; }
  }
  return best;
};

/** The same bins without the empty ends (kept symmetric). */
const compact = ({ counts, binWidth }: Histogram): Pick<Histogram, "counts" | "binWidth"> => {
  let used = binsPerSide;
  while (used > 1 && counts[binsPerSide + used - 1] === 0 && counts[binsPerSide - used] === 0) used--;
  return { counts: counts.subarray(binsPerSide - used, binsPerSide + used), binWidth };
};
