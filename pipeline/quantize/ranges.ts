import type { Histogram } from "./histogram.ts";

export const calibrationMethods = ["minmax", "percentile", "entropy", "mse"] as const;
export type CalibrationMethod = (typeof calibrationMethods)[number];

/** What calibration found out about one activation. Both emitters take their scales from it. */
export interface TensorRange {
  /** The smallest and the largest value seen. */
  readonly min: number;
  readonly max: number;
  /** Clipping bound for symmetric int8 (scale = threshold / 127). */
  readonly threshold: number;
  /** Clipping bounds for int8 with a zero point (scale = (high - low) / 255); low <= 0 <= high. */
  readonly low: number;
  readonly high: number;
  /** Values seen, and how many of them lie outside [low, high]. */
  readonly histogram: { readonly total: number; readonly clipped: number; readonly binWidth: number };
}

/** Ranges by value name of the prepared graph. */
export interface RangeTable {
  readonly method: CalibrationMethod;
  readonly pictures: number;
  readonly ranges: ReadonlyMap<string, TensorRange>;
}

export type ActivationType = "int8" | "uint8";

/** Scale and zero point: x ≈ (q - zeroPoint) · scale, q in [-128, 127] or [0, 255]. */
export interface QuantParameters {
  readonly dtype: ActivationType;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Zero point 0 and int8, as TensorRT requires it. */
export const symmetricParameters = (threshold: number): QuantParameters => ({ dtype: "int8", scale: safeScale(threshold / 127), zeroPoint: 0 });

/** The zero point is the lowest integer where nothing is negative (after ReLU), so that ONNX Runtime can absorb the activation. */
export const affineParameters = (low: number, high: number, dtype: ActivationType): QuantParameters => {
  const scale = safeScale((high - low) / 255);
  const zeroPoint = Math.max(0, Math.min(255, Math.round(-low / scale)));
  return { dtype, scale, zeroPoint: dtype === "uint8" ? zeroPoint : zeroPoint - 128 };
};

/** A tensor that is always zero still needs a positive scale. */
const safeScale = (scale: number): number => (scale > 1e-30 && Number.isFinite(scale) ? Math.fround(scale) : 1);

export const summary = (histogram: Histogram, low: number, high: number): TensorRange["histogram"] => {
  const { counts, binWidth, total } = histogram;
  let clipped = 0;
  const half = counts.length / 2;
  for (let bin = 0; bin < counts.length; bin++) {
    const centre = (bin - half + 0.5) * binWidth;
    if (centre < low - binWidth || centre > high + binWidth) clipped += counts[bin]!;
  }
  return { total, clipped, binWidth };
};

/** The table as JSON values; `parseRanges` reads it back. */
export const rangesToJson = ({ method, pictures, ranges }: RangeTable) => ({ method, pictures, ranges: Object.fromEntries(ranges) });

export const rangesFromJson = (json: ReturnType<typeof rangesToJson>): RangeTable => ({ ...json, ranges: new Map(Object.entries(json.ranges)) });
