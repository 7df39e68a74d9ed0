import { Tensor } from "../graph/tensor.ts";

/** A picture size in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Feature levels of a detector laid out on one axis: level by level, anchors outermost, then rows, then columns. */
export interface Levels {
  readonly strides: readonly number[];
  readonly anchorsPerCell: number;
}

/** Stride sets of detectors in use: P3–P5, P3–P6, P2–P5, two levels (tiny), one level; both orders. */
const strideSets: readonly (readonly number[])[] = [
  [8, 16, 32], [32, 16, 8], [8, 16, 32, 64], [64, 32, 16, 8], [4, 8, 16, 32], [16, 32], [32, 16], [8, 16], [8, 16, 32, 64, 128], [4], [8], [16], [32], [64],
];

const cells = (size: PictureSize, stride: number): number => Math.ceil(size.width / stride) * Math.ceil(size.height / stride);

export const positionsOf = ({ strides, anchorsPerCell }: Levels, size: PictureSize): number =>
  anchorsPerCell * strides.reduce((sum, stride) => sum + cells(size, stride), 0);

/** All ways in which `count` positions are the levels of a detector at `size`. */
export const levelsOf = (count: number, size: PictureSize): Levels[] =>
  strideSets.flatMap((strides) => [1, 2, 3, 4, 6, 9].map((anchorsPerCell) => ({ strides, anchorsPerCell })))
    .filter((levels) => positionsOf(levels, size) === count);

/** value(x, y) = origin + perColumn·x + perRow·y on one level: grid centres, corners, strides and anchor sizes all have this form. */
interface Plane {
  readonly origin: number;
  readonly perColumn: number;
  readonly perRow: number;
}

/** The plane through a row-major grid, or undefined if the grid is not one made of whole steps of 0, 1, 2, stride or 2·stride. */
const planeOf = (values: ArrayLike<number>, offset: number, columns: number, rows: number, stride: number): Plane | undefined => {
  const origin = values[offset]!;
  const perColumn = columns > 1 ? values[offset + 1]! - origin : 0;
  const perRow = rows > 1 ? values[offset + columns]! - origin : 0;
  const tolerance = 1e-4 * Math.max(1, Math.abs(origin), Math.abs(perColumn) * columns, Math.abs(perRow) * rows);
  const steps = [0, 1, 2, stride, 2 * stride];
  if (![perColumn, perRow].every((step) => steps.some((known) => Math.abs(known - step) <= tolerance))) return undefined;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      if (Math.abs(values[offset + y * columns + x]! - (origin + perColumn * x + perRow * y)) > tolerance) return undefined;
    }
  }
  return { origin, perColumn, perRow };
};

/** The same constant for another picture size: a tensor whose last axis holds the positions of all levels; undefined if it is no such tensor. */
export const regridPositions = (tensor: Tensor, levels: Levels, from: PictureSize, to: PictureSize): Tensor | undefined => {
  const count = tensor.shape.at(-1)!;
  if (count !== positionsOf(levels, from)) return undefined;
  const values = tensor.toNumbers();
  const result: number[] = [];
  for (let row = 0; row < values.length; row += count) {
    let offset = row;
    for (const stride of levels.strides) {
      for (let anchor = 0; anchor < levels.anchorsPerCell; anchor++) {
        if (!regridLevel(values, offset, stride, from, to, result)) return undefined;
        offset += cells(from, stride);
      }
    }
  }
  return Tensor.from(tensor.dtype, [...tensor.shape.slice(0, -1), positionsOf(levels, to)], result);
};

/** A tensor whose last two axes are the rows and columns of one level. */
export const regridPlane = (tensor: Tensor, from: PictureSize, to: PictureSize): Tensor | undefined => {
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  const stride = from.width / columns;
  if (!Number.isInteger(stride) || from.height / rows !== stride) return undefined;
  const values = tensor.toNumbers();
  const result: number[] = [];
  for (let offset = 0; offset < values.length; offset += rows * columns) if (!regridLevel(values, offset, stride, from, to, result)) return undefined;
  return Tensor.from(tensor.dtype, [...tensor.shape.slice(0, -2), Math.ceil(to.height / stride), Math.ceil(to.width / stride)], result);
};

/** Appends one level at the new size to `result`. */
const regridLevel = (values: ArrayLike<number>, offset: number, stride: number, from: PictureSize, to: PictureSize, result: number[]): boolean => {
  const plane = planeOf(values, offset, Math.ceil(from.width / stride), Math.ceil(from.height / stride), stride);
  if (!plane) return false;
  const [columns, rows] = [Math.ceil(to.width / stride), Math.ceil(to.height / stride)];
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) result.push(plane.origin + plane.perColumn * x + plane.perRow * y);
  return true;
};

/** `tensor` with `axis` moved to the end, and back. */
export const moveAxis = (tensor: Tensor, axis: number, to: number): Tensor => {
  const rank = tensor.shape.length;
  const order = Array.from({ length: rank }, (_, index) => index).filter((index) => index !== axis);
  order.splice(to, 0, axis);
  const shape = order.map((index) => tensor.shape[index]!);
  const strides = tensor.shape.map((_, index) => tensor.shape.slice(index + 1).reduce((product, dim) => product * dim, 1));
  const values = tensor.toNumbers();
  const moved = values.map((_, flat) => {
    let rest = flat;
    let source = 0;
    for (let index = rank - 1; index >= 0; index--) {
      source += (rest % shape[index]!) * strides[order[index]!]!;
      rest = Math.floor(rest / shape[index]!);
    }
    return values[source]!;
  });
  return Tensor.from(tensor.dtype, shape, moved);
};
