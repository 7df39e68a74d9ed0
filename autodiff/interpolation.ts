/** How ONNX Resize samples one axis (attributes of the operator, in its words). */
export interface Interpolation {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  /** out / in as given to the node; computed from the sizes where undefined. */
  readonly scale: number | undefined;
}

/** The matrix A [outSize, inSize], row-major, with y = A·x for one axis of ONNX Resize (operators.md, Resize-13 and -18). */
export const interpolationMatrix = (how: Interpolation, inSize: number, outSize: number): Float32Array => {
  const matrix = new Float32Array(outSize * inSize);
  for (let row = 0; row < outSize; row++) {
    const x = coordinate(how, row, inSize, outSize);
    for (const [at, weight] of samples(how, x, inSize)) {
      matrix[row * inSize + Math.min(Math.max(at, 0), inSize - 1)]! += weight;
    }
  }
  return matrix;
};

/** Position in the input of output element `row`. */
const coordinate = ({ coordinates, scale: given }: Interpolation, row: number, inSize: number, outSize: number): number => {
  const scale = given ?? outSize / inSize;
  switch (coordinates) {
    case "asymmetric": return row / scale;
    case "align_corners": return outSize === 1 ? 0 : (row * (inSize - 1)) / (outSize - 1);
    case "pytorch_half_pixel": return outSize > 1 ? (row + 0.5) / scale - 0.5 : 0;
    case "half_pixel_symmetric": {
      const adjustment = outSize / (inSize * scale);
      return (inSize / 2) * (1 - adjustment) + (row + 0.5) / scale - 0.5;
    }
    default: return (row + 0.5) / scale - 0.5;
  }
};

const samples = (how: Interpolation, x: number, inSize: number): readonly (readonly [number, number])[] => {
  if (how.mode === "nearest") return [[roundBy(how.nearest, x), 1]];
  const floor = Math.floor(x);
  const t = x - floor;
  if (how.mode === "linear") return [[floor, 1 - t], [floor + 1, t]];
  const taps = [-1, 0, 1, 2].map((step) => [floor + step, cubic(how.cubicA, Math.abs(t - step))] as const);
  if (!how.excludeOutside) return taps;
  const inside = taps.filter(([at]) => at >= 0 && at < inSize);
  const total = inside.reduce((sum, [, weight]) => sum + weight, 0);
  return inside.map(([at, weight]) => [at, weight / total]);
};

const roundBy = (nearest: string, x: number): number => {
  switch (nearest) {
    case "floor": return Math.floor(x);
    case "ceil": return Math.ceil(x);
    case "round_prefer_ceil": return Math.floor(x + 0.5);
    default: return Math.ceil(x - 0.5);
  }
};

/** Keys' cubic convolution kernel at distance `d`. */
const cubic = (a: number, d: number): number =>
  d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0;
