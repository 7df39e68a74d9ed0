import type { Cell } from "./grid.ts";
import { column, type Matrix } from "./matrix.ts";
import type { BoxForm } from "./types.ts";

/** Writes x, y, w, h of a row, in network pixels, to `into` from `at` on. */
export type BoxOfRow = (row: number, into: Float32Array, at: number) => void;

type BoxReader = (boxes: Matrix, scale: readonly [number, number]) => BoxOfRow;

/** Each form's four numbers, times the scales → x, y, w, h. */
export const boxReaders: Readonly<Record<BoxForm, BoxReader>> = {
  cxcywh:
    ({ data, base, rowStep, columnStep }, [sx, sy]) =>
    (row, into, at) => {
      const from = base + row * rowStep;
      const w = data[from + 2 * columnStep]! * sx;
      const h = data[from + 3 * columnStep]! * sy;
      into[at] = data[from]! * sx - w / 2;
      into[at + 1] = data[from + columnStep]! * sy - h / 2;
      into[at + 2] = w;
      into[at + 3] = h;
    },
  xyxy: (boxes, scale) => corners(boxes, scale, [0, 1, 2, 3]),
  yxyx: (boxes, scale) => corners(boxes, scale, [1, 0, 3, 2]),
  xywh:
    ({ data, base, rowStep, columnStep }, [sx, sy]) =>
    (row, into, at) => {
      const from = base + row * rowStep;
      for (let i = 0; i < 4; i += 1) into[at + i] = data[from + i * columnStep]! * (i % 2 === 0 ? sx : sy);
    },
};

const corners =
  (
    { data, base, rowStep, columnStep }: Matrix,
    [sx, sy]: readonly [number, number],
    [x1, y1, x2, y2]: readonly [number, number, number, number],
  ): BoxOfRow =>
  (row, into, at) => {
    const from = base + row * rowStep;
    const left = data[from + x1 * columnStep]! * sx;
    const top = data[from + y1 * columnStep]! * sy;
    into[at] = left;
    into[at + 1] = top;
    into[at + 2] = data[from + x2 * columnStep]! * sx - left;
    into[at + 3] = data[from + y2 * columnStep]! * sy - top;
  };

/** YOLOX before decoding: centre = (xy + cell) stride, size = exp(wh) stride. */
export const gridBox =
  (boxes: Matrix, cellOfRow: (row: number) => Cell): BoxOfRow =>
  (row, into, at) => {
    const cell = cellOfRow(row);
    const w = Math.exp(column(boxes, row, 2)) * cell.stride;
    const h = Math.exp(column(boxes, row, 3)) * cell.stride;
    into[at] = (column(boxes, row, 0) + cell.column) * cell.stride - w / 2;
    into[at + 1] = (column(boxes, row, 1) + cell.row) * cell.stride - h / 2;
    into[at + 2] = w;
    into[at + 3] = h;
  };

/**
 * NanoDet-Plus: the mean of each side's distribution is its distance, in strides, from the cell's corner (its
 * centre priors have no half cell).
 */
export const distributionBox =
  (boxes: Matrix, cellOfRow: (row: number) => Cell, bins: number): BoxOfRow =>
  (row, into, at) => {
    const cell = cellOfRow(row);
    const distance = (side: number): number => {
      let [peak, sum, mean] = [-Infinity, 0, 0];
      for (let bin = 0; bin < bins; bin += 1) peak = Math.max(peak, column(boxes, row, side * bins + bin));
      for (let bin = 0; bin < bins; bin += 1) {
        const weight = Math.exp(column(boxes, row, side * bins + bin) - peak);
        sum += weight;
        mean += weight * bin;
      }
      return (mean / sum) * cell.stride;
    };
    const [left, top, right, bottom] = [distance(0), distance(1), distance(2), distance(3)];
    into[at] = cell.column * cell.stride - left;
    into[at + 1] = cell.row * cell.stride - top;
    into[at + 2] = left + right;
    into[at + 3] = top + bottom;
  };
