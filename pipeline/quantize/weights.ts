import { elementCount, Tensor } from "../../graph/tensor.ts";

export interface QuantizedWeight {
  /** int8 in [-127, 127], the shape of the weight. */
  readonly values: Tensor;
  /** float32 [channels]; w ≈ values · scales. */
  readonly scales: Tensor;
  readonly axis: number;
}

export interface WeightRules {
  /** Scales may not be smaller, channel by channel: a bias must fit into int32 (`leastScales`). */
  readonly leastScales?: Float64Array | undefined;
  /** Largest int8 value; 127. */
  readonly levels?: number | undefined;
  /** Elements [first, second] of one channel whose values of one sign may add up to 128 at most (`neighbours`). */
  readonly pairs?: readonly (readonly [number, number])[] | undefined;
}

/**
 * Symmetric int8 per slice along `axis`: scale = absmax / levels, rounded half to even, zero point 0. With `pairs` the scale of a channel is the
 * one, between that and twice that, with the least squared error under the limit on its pairs.
 */
export const quantizeWeight = (weight: Tensor, axis: number, { leastScales, levels = 127, pairs }: WeightRules = {}): QuantizedWeight => {
  const { shape, floats } = weight;
  const channels = shape[axis]!;
  const inner = elementCount(shape.slice(axis + 1));
  const scales = new Float32Array(channels);
  const values = new Int8Array(floats.length);
  const indexes = new Int32Array(floats.length / Math.max(1, channels));
  for (let channel = 0; channel < channels; channel++) {
    let largest = 0;
    for (let k = 0; k < indexes.length; k++) {
      const at = (Math.floor(k / inner) * channels + channel) * inner + (k % inner);
      indexes[k] = at;
      largest = Math.max(largest, Math.abs(floats[at]!));
    }
    const own = Math.fround(Math.max(largest / levels, leastScales?.[channel] ?? 0));
    const plain = own > leastScale ? own : 1;
    scales[channel] = pairs ? bestScale(floats, indexes, plain, pairs, values) : plain;
    if (!pairs) roundChannel(floats, indexes, plain, [], values);
  }
  return { values: Tensor.of("int8", shape, values), scales: Tensor.float32([channels], scales), axis };
};

/** A channel of zeros still needs a positive scale; smaller ones underflow in the kernels. */
const leastScale = 1e-30;

/** Tried in this order; from 127/64 on no pair is above the limit. */
const stretches = [1, 1.06, 1.12, 1.2, 1.3, 1.42, 1.56, 1.75, 127 / 64];

/** Writes the channel's values for the best of `stretches` times `scale`, which is returned. */
const bestScale = (floats: Float32Array, indexes: Int32Array, scale: number, pairs: NonNullable<WeightRules["pairs"]>, values: Int8Array): number => {
  let best = scale;
  let bestError = Infinity;
  for (const stretch of stretches) {
    const tried = Math.fround(scale * stretch);
    const { error, limited } = roundChannel(floats, indexes, tried, pairs, values);
    if (error < bestError) [best, bestError] = [tried, error];
    if (!limited) break; // larger scales only round more
  }
  roundChannel(floats, indexes, best, pairs, values);
  return best;
};

/** What the products of two neighbours with 255 may add up to in 16 bits: 255 · 128 < 2^15. */
const mostOfPair = 128;

/** Rounds one channel; pairs above the limit give way to it, both by the same amount. Returns the squared error. */
const roundChannel = (floats: Float32Array, indexes: Int32Array, scale: number, pairs: NonNullable<WeightRules["pairs"]>, values: Int8Array): { error: number; limited: boolean } => {
  for (const at of indexes) values[at] = clamp127(halfToEven(floats[at]! / scale));
  let limited = false;
  for (const [first, second] of pairs) {
    const [a, b] = [indexes[first]!, indexes[second]!];
    const over = Math.abs(values[a]!) + Math.abs(values[b]!) - mostOfPair;
    if (over <= 0 || (values[a]! < 0) !== (values[b]! < 0)) continue;
    limited = true;
    const sign = Math.sign(values[a]!);
    values[a] = values[a]! - sign * Math.ceil(over / 2);
    values[b] = values[b]! - sign * Math.floor(over / 2);
  }
  let error = 0;
  for (const at of indexes) error += (floats[at]! - values[at]! * scale) ** 2;
  return { error, limited };
};

/** What the quantized weight multiplies by. */
export const dequantizedWeight = ({ values, scales, axis }: QuantizedWeight): Float32Array => {
  const inner = elementCount(values.shape.slice(axis + 1));
  const channels = values.shape[axis]!;
  return Float32Array.from(values.data as Int8Array, (q, i) => q * scales.floats[Math.floor(i / inner) % channels]!);
};

const clamp127 = (q: number): number => Math.max(-127, Math.min(127, q));

export const halfToEven = (x: number): number => {
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};
