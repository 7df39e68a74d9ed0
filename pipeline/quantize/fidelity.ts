import { elementCount, type Tensor } from "../../graph/tensor.ts";

/** Signal-to-noise ratios in dB: [as a whole, channel by channel]. The signal is what varies: a constant offset of all scores is none. */
export interface Ratios {
  /** The file with Q/DQ as written against the float model. */
  readonly written: readonly [number, number];
  /** The runtime's kernels against the float model. */
  readonly kernels: readonly [number, number];
  /** The kernels against the file as written. */
  readonly direct: readonly [number, number];
  /** Part of the float model's output that varies, 0 (a constant) … 1. */
  readonly varies: number;
}

/** Ratios of one output over several pictures. Channel by channel every channel weighs the same: boxes in pixels hide no scores. */
export const ratios = (float: readonly Tensor[], written: readonly Tensor[], kernels: readonly Tensor[], channelAxis: number): Ratios => {
  const energy = variances(float, channelAxis);
  const squares = float.reduce((sum, { floats }) => floats.reduce((part, y) => part + y * y, sum), 0);
  return {
    varies: sumOf(energy) / Math.max(squares, 1e-30),
    written: ratio(energy, noise(float, written, channelAxis)), kernels: ratio(energy, noise(float, kernels, channelAxis)), direct: ratio(energy, noise(written, kernels, channelAxis)),
  };
};

/** Calls `visit` with channel and index of each element. */
const forChannels = ({ shape, size }: Tensor, axis: number, visit: (channel: number, index: number) => void): void => {
  const channels = shape[axis] ?? 1;
  const inner = elementCount(shape.slice(axis + 1));
  for (let index = 0; index < size; index++) visit(Math.floor(index / inner) % channels, index);
};

/** Σ (y - mean)² of each channel. */
const variances = (tensors: readonly Tensor[], axis: number): Float64Array => {
  const channels = tensors[0]?.shape[axis] ?? 1;
  const [sum, squares, count] = [new Float64Array(channels), new Float64Array(channels), new Float64Array(channels)];
  for (const tensor of tensors) {
    const { floats } = tensor;
    forChannels(tensor, axis, (channel, index) => {
      const y = floats[index]!;
      sum[channel]! += y;
      squares[channel]! += y * y;
      count[channel]!++;
    });
  }
  return squares.map((square, channel) => Math.max(square - sum[channel]! ** 2 / Math.max(1, count[channel]!), 1e-12 * square));
};

/** Σ (y - ŷ)² of each channel. */
const noise = (expected: readonly Tensor[], found: readonly Tensor[], axis: number): Float64Array => {
  const total = new Float64Array(expected[0]?.shape[axis] ?? 1);
  for (const [at, tensor] of expected.entries()) {
    const [a, b] = [tensor.floats, found[at]!.floats];
    forChannels(tensor, axis, (channel, index) => { total[channel]! += (a[index]! - b[index]!) ** 2; });
  }
  return total;
};

/** A channel that hardly varies counts as if it varied by this part of the mean. */
const leastShare = 1e-8;

const ratio = (energy: Float64Array, noises: Float64Array): readonly [number, number] => {
  const mean = sumOf(energy) / Math.max(1, energy.length);
  const relative = noises.map((value, channel) => value / Math.max(energy[channel]!, leastShare * mean, 1e-30));
  return [decibels(sumOf(energy), sumOf(noises)), decibels(noises.length, sumOf(relative))];
};

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** At most 120. */
const decibels = (signal: number, noise: number): number => (Number.isFinite(noise) ? Math.min(120, 10 * Math.log10(Math.max(signal, 1e-30) / Math.max(noise, 1e-30))) : NaN);
