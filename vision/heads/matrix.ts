/** Where row r, column c of one picture lies: data[base + r rowStep + c columnStep]. */
export interface Matrix {
  readonly data: Float32Array;
  readonly base: number;
  readonly rows: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

export const column = ({ data, base, rowStep, columnStep }: Matrix, row: number, at: number): number =>
  data[base + row * rowStep + at * columnStep]!;
export const rows = ({ rows: count }: { readonly rows: number }): number[] =>
  Array.from({ length: count }, (_, row) => row);

/** The part of the items for which `test` holds; 0 of none. */
export const share = <T>(items: readonly T[], test: (item: T) => boolean): number =>
  items.length === 0 ? 0 : items.filter(test).length / items.length;
