import type { Image8 } from "./types.ts";

/** OpenCV's INTER_RESIZE_COEF_SCALE: interpolation weights have 11 fractional bits. */
const coefficientScale = 2048;

/** Where each output position reads: two source positions and their weights, which add up to 2048 (±1 from rounding). */
interface AxisTable {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

/** An area of the destination, in pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The picture at `width` x `height`: bilinear, half-pixel centres, no antialiasing.
 * The same bytes as OpenCV's `resize(..., INTER_LINEAR)` on 8-bit, 3-channel data (modules/imgproc/src/resize.cpp).
 */
export function resizeBilinear(source: Image8, width: number, height: number): Image8 {
  const target: Image8 = { width, height, channels: 3, data: new Uint8Array(width * height * 3) };
  resizeInto(source, target, { x: 0, y: 0, width, height });
  return target;
}

/** `resizeBilinear` straight into a rectangle of `target`; the rest of `target` is left as it is. */
export function resizeInto(source: Image8, target: Image8, at: Rectangle): void {
  checkRectangle(target, at);
  if (source.width === at.width && source.height === at.height) return copyInto(source, target, at);
  if (source.width === 2 * at.width && source.height === 2 * at.height) return halveInto(source, target, at);
  bilinearInto(source, target, at);
}

function bilinearInto(source: Image8, target: Image8, at: Rectangle): void {
  const columns = columnTable(source.width, at.width);
  const rows = rowTable(source.height, at.height);
  let upper = new Int32Array(at.width * 3);
  let lower = new Int32Array(at.width * 3);
  let upperRow = -1;
  let lowerRow = -1;
  for (let y = 0; y < at.height; y++) {
    const first = rows.first[y]!;
    const second = rows.second[y]!;
    if (first === lowerRow) {
      [upper, lower] = [lower, upper];
      [upperRow, lowerRow] = [lowerRow, upperRow];
    }
    if (first !== upperRow) blendColumns(source, (upperRow = first), columns, upper);
    if (second !== lowerRow) blendColumns(source, (lowerRow = second), columns, lower);
    const offset = ((at.y + y) * target.width + at.x) * 3;
    blendRows(upper, lower, rows.firstWeight[y]!, rows.secondWeight[y]!, target.data, offset);
  }
}

/** out = (s[x0]·w0 + s[x1]·w1) >> 4: the horizontal pass, already shifted as the vertical pass wants it. */
function blendColumns(source: Image8, row: number, columns: AxisTable, out: Int32Array): void {
  const { first, second, firstWeight, secondWeight } = columns;
  const data = source.data;
  const base = row * source.width * 3;
  for (let x = 0, o = 0; x < first.length; x++, o += 3) {
    const a = base + first[x]!;
    const b = base + second[x]!;
    const wa = firstWeight[x]!;
    const wb = secondWeight[x]!;
    out[o] = (data[a]! * wa + data[b]! * wb) >> 4;
    out[o + 1] = (data[a + 1]! * wa + data[b + 1]! * wb) >> 4;
    out[o + 2] = (data[a + 2]! * wa + data[b + 2]! * wb) >> 4;
  }
}

/** out = ((w0·u) >> 16) + ((w1·l) >> 16) + 2 >> 2: OpenCV's VResizeLinear for 8-bit data; never leaves 0..255. */
function blendRows(upper: Int32Array, lower: Int32Array, wa: number, wb: number, out: Uint8Array, offset: number): void {
  for (let i = 0; i < upper.length; i++) out[offset + i] = (((wa * upper[i]!) >> 16) + ((wb * lower[i]!) >> 16) + 2) >> 2;
}

/** Exactly 2:1 both ways: OpenCV turns INTER_LINEAR into the mean of four pixels. */
function halveInto(source: Image8, target: Image8, at: Rectangle): void {
  const stride = source.width * 3;
  const data = source.data;
  for (let y = 0; y < at.height; y++) {
    let i = 2 * y * stride;
    let o = ((at.y + y) * target.width + at.x) * 3;
    for (let x = 0; x < at.width; x++, i += 6)
      for (let c = i; c < i + 3; c++)
        target.data[o++] = (data[c]! + data[c + 3]! + data[c + stride]! + data[c + stride + 3]! + 2) >> 2;
  }
}

function copyInto(source: Image8, target: Image8, at: Rectangle): void {
  const stride = source.width * 3;
  for (let y = 0; y < at.height; y++)
    target.data.set(source.data.subarray(y * stride, (y + 1) * stride), ((at.y + y) * target.width + at.x) * 3);
}

/** Positions are byte offsets in a row. At the borders OpenCV moves all weight to the edge pixel. */
function columnTable(from: number, to: number): AxisTable {
  return axisTable(from, to, 3, (position, fraction) => (position < 0 || position >= from - 1 ? 0 : fraction));
}

/** Positions are row numbers. At the borders both rows are the edge row and the weights stay as they are. */
function rowTable(from: number, to: number): AxisTable {
  return axisTable(from, to, 1, (_position, fraction) => fraction);
}

function axisTable(from: number, to: number, step: number, atBorder: (position: number, fraction: number) => number): AxisTable {
  const table = { first: new Int32Array(to), second: new Int32Array(to), firstWeight: new Int32Array(to), secondWeight: new Int32Array(to) };
  const scale = 1 / (to / from);
  for (let i = 0; i < to; i++) {
    const centre = Math.fround((i + 0.5) * scale - 0.5);
    const position = Math.floor(centre);
    const fraction = atBorder(position, Math.fround(centre - position));
    table.first[i] = clamp(position, from - 1) * step;
    table.second[i] = clamp(position + 1, from - 1) * step;
    table.firstWeight[i] = roundHalfEven(Math.fround(1 - fraction) * coefficientScale);
    table.secondWeight[i] = roundHalfEven(fraction * coefficientScale);
  }
  return table;
}

/** Nearest integer, ties to the even one: C's `rint` and Python's `round`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

const clamp = (value: number, last: number) => Math.min(Math.max(value, 0), last);

function checkRectangle(target: Image8, { x, y, width, height }: Rectangle): void {
  const inside = x >= 0 && y >= 0 && width >= 1 && height >= 1 && x + width <= target.width && y + height <= target.height;
  if (!inside || ![x, y, width, height].every(Number.isInteger))
    throw new Error(`bug: rectangle ${x},${y} ${width}x${height} is outside the ${target.width}x${target.height} target`);
}
