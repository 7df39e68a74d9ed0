import { Tensor } from "../graph/tensor.ts";
import { toTensor } from "../vision/preprocess.ts";
import type { Preprocess } from "../vision/types.ts";

/** Where a picture of one network size lies in the input of another: there = here * scale + (left, top). */
export interface Placement {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** The largest centred place, sides in proportion. */
const placementOf = (from: readonly [number, number], into: readonly [number, number]): Placement => {
  const scale = Math.min(into[0] / from[0], into[1] / from[1]);
  return { scale, left: (into[0] - from[0] * scale) / 2, top: (into[1] - from[1] * scale) / 2 };
};

/**
 * Network pictures [N, 3, H, W], already in `contract`'s pixel values but at another size, resampled (bilinear, pixel
 * centres) into the contract's size and padded with its padding. Pictures of that size are returned as they are.
 */
export const placeInto = (
  images: Tensor,
  contract: Preprocess,
): { readonly placed: Tensor; readonly placement: Placement } => {
  const [n = 0, channels = 0, height = 0, width = 0] = images.shape;
  const [toWidth, toHeight] = contract.size;
  const placement = placementOf([width, height], contract.size);
  if (width === toWidth && height === toHeight) return { placed: images, placement };
  const pad = new Float32Array(3);
  toTensor(new Uint8Array(3).fill(contract.pad), { ...contract, size: [1, 1] }, pad, 0);
  const columns = samplesOf(toWidth, width, placement.left, placement.scale);
  const rows = samplesOf(toHeight, height, placement.top, placement.scale);
  const values = new Float32Array(n * channels * toWidth * toHeight);
  const from = images.floats;
  for (let plane = 0, at = 0; plane < n * channels; plane++) {
    const base = plane * width * height;
    for (const row of rows) {
      for (const column of columns) {
        values[at++] = row && column ? bilinear(from, base, width, row, column) : pad[plane % channels]!;
      }
    }
  }
  return { placed: Tensor.of("float32", [n, channels, toHeight, toWidth], values), placement };
};

interface Sample {
  readonly low: number;
  readonly high: number;
  /** Share of `high`. */
  readonly share: number;
}

/** For each pixel of the target axis the two source pixels around its centre; null where it lies beside the picture. */
const samplesOf = (target: number, source: number, offset: number, scale: number): readonly (Sample | null)[] =>
  Array.from({ length: target }, (_, pixel) => {
    const at = (pixel + 0.5 - offset) / scale - 0.5;
    if (at < -0.5 || at >= source - 0.5) return null;
    const low = Math.max(0, Math.floor(at));
    return { low, high: Math.min(source - 1, low + 1), share: Math.max(0, at - low) };
  });

const bilinear = (data: Float32Array, base: number, width: number, row: Sample, column: Sample): number => {
  const line = (y: number): number =>
    data[base + y * width + column.low]! * (1 - column.share) + data[base + y * width + column.high]! * column.share;
  return line(row.low) * (1 - row.share) + line(row.high) * row.share;
};
