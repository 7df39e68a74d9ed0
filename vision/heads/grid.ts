/** Strides of the feature maps that detectors predict on. */
export const strideSets: readonly (readonly number[])[] = [
  [8, 16, 32],
  [8, 16, 32, 64],
  [4, 8, 16, 32],
];

/**
 * Rarer ones, of models cut to fewer levels or with more; their cells can be as few as the rows of a model that
 * leaves out the grid (300).
 */
export const rareStrideSets: readonly (readonly number[])[] = [
  [16, 32],
  [8, 16],
  [4, 8, 16],
  [16, 32, 64],
  [8, 16, 32, 64, 128],
  [4, 8, 16, 32, 64],
];

/** Anchors of one per cell over all strides. */
export const cellCount = ([width, height]: readonly [number, number], strides: readonly number[]): number =>
  strides.reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);

export interface Cell {
  /** Column and row of the cell in its map. */
  readonly column: number;
  readonly row: number;
  readonly stride: number;
}

/**
 * The cell of a row: maps one after the other, each row by row. With several anchors a cell, each anchor's map
 * follows the other's.
 */
export const cellFinder = (
  [width, height]: readonly [number, number],
  strides: readonly number[],
  anchors = 1,
): ((row: number) => Cell) => {
  const levels: {
    readonly first: number;
    readonly columns: number;
    readonly cells: number;
    readonly stride: number;
  }[] = [];
  let total = 0;
  for (const stride of strides) {
    const columns = Math.ceil(width / stride);
    const cells = columns * Math.ceil(height / stride);
    levels.push({ first: total, columns, cells, stride });
    total += cells * anchors;
  }
  return (row) => {
    const level = levels.findLast(({ first }) => row >= first)!;
    const cell = (row - level.first) % level.cells;
    return { column: cell % level.columns, row: Math.floor(cell / level.columns), stride: level.stride };
  };
};
