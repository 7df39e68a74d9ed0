import type { Image8 } from "./types.ts";

/** One axis of a scale-and-shift: source = (target + 0.5) * step + start - 0.5, both in pixels; a negative step mirrors. */
export interface AxisMap {
  readonly step: number;
  readonly start: number;
}

/** Draws a source picture, scaled and shifted per axis, into the columns [left, right) and rows [top, bottom) of the target. */
export interface Placement {
  readonly source: Image8;
  readonly x: AxisMap;
  readonly y: AxisMap;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const fractionBits = 8;
const one = 1 << fractionBits;

/**
 * Bilinear, half-pixel centres, edge pixels repeated for half a pixel beyond the border; target pixels whose centre
 * falls outside the source are left alone. Weights have 8 fractional bits: for training pictures, not for the contract.
 */
export function drawInto(target: Image8, { source, x, y, left, top, right, bottom }: Placement): void {
  const columns = axis(x, left, right, source.width, 3);
  const rows = axis(y, top, bottom, source.height, source.width * 3);
  const from = source.data;
  const to = target.data;
  for (let row = rows.begin; row < rows.end; row++) {
    const r0 = rows.first[row - top]!;
    const r1 = rows.second[row - top]!;
    const wr = rows.weight[row - top]!;
    let o = (row * target.width + columns.begin) * 3;
    for (let column = columns.begin - left, end = columns.end - left; column < end; column++, o += 3) {
      const c0 = columns.first[column]!;
      const c1 = columns.second[column]!;
      const wc = columns.weight[column]!;
      const w11 = wr * wc;
      const w01 = (wc << fractionBits) - w11; // upper right
      const w10 = (wr << fractionBits) - w11; // lower left
      const w00 = one * one - w01 - w10 - w11;
      const a = r0 + c0;
      const b = r0 + c1;
      const c = r1 + c0;
      const d = r1 + c1;
      to[o] = (from[a]! * w00 + from[b]! * w01 + from[c]! * w10 + from[d]! * w11 + 32768) >> 16;
      to[o + 1] = (from[a + 1]! * w00 + from[b + 1]! * w01 + from[c + 1]! * w10 + from[d + 1]! * w11 + 32768) >> 16;
      to[o + 2] = (from[a + 2]! * w00 + from[b + 2]! * w01 + from[c + 2]! * w10 + from[d + 2]! * w11 + 32768) >> 16;
    }
  }
}

/** Source offsets and weights for the targets from..to-1; begin..end are those whose centre is inside the source. */
function axis({ step, start }: AxisMap, from: number, to: number, size: number, stride: number) {
  const count = Math.max(0, to - from);
  const table = { first: new Int32Array(count), second: new Int32Array(count), weight: new Int32Array(count), begin: to, end: to };
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * step + start;
    const isInside = centre >= 0 && centre < size;
    if (isInside && table.begin === to) table.begin = from + i;
    if (!isInside && table.begin < to && table.end === to) table.end = from + i;
    const position = Math.min(Math.max(centre - 0.5, 0), size - 1);
    const low = Math.floor(position);
    table.first[i] = low * stride;
    table.second[i] = Math.min(low + 1, size - 1) * stride;
    table.weight[i] = Math.round((position - low) * one);
  }
  return table;
}
