import { strides } from "../students/tail.ts";

/** Cells of one stride: `first` is the index of its first anchor over all levels, cells are row-major. */
export interface AnchorLevel {
  readonly stride: number;
  readonly columns: number;
  readonly rows: number;
  readonly first: number;
}

/** The levels 8, 16 and 32 of an input of `[width, height]` pixels. */
export const anchorLevels = ([width, height]: readonly [number, number]): readonly AnchorLevel[] => {
  let first = 0;
  return strides.map((stride) => {
    const level = { stride, columns: Math.ceil(width / stride), rows: Math.ceil(height / stride), first };
    first += level.columns * level.rows;
    return level;
  });
};

export const anchorCount = (levels: readonly AnchorLevel[]): number => levels.reduce((sum, { columns, rows }) => sum + columns * rows, 0);
