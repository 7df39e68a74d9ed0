import { column, share } from "./matrix.ts";
import type { Readings } from "./readings.ts";
import { boxForms, type BoxForm } from "./types.ts";
import { largest } from "../../input/largest.ts";

type Numbers = readonly [number, number, number, number];

/** Rows from this score on hold objects. */
const sureScore = 0.1;

/** What the numbers of the boxes show against the assumed form and coordinates. */
export const checkBoxes = (readings: Readings, scores: Float32Array, isKnownForm: boolean): readonly string[] => {
  const sure = best(scores, sureScore, 300);
  const judged = isVaried(readings) ? best(scores, 0, 300) : sure;
  if (judged.length === 0) return [];
  const broken =
    notFinite(readings, judged) ??
    (readings.boxes
      ? (wrongCoordinates(readings, judged) ?? wrongForm(readings, judged, sure, isKnownForm))
      : oversized(readings, judged));
  return broken === undefined ? [] : [broken];
};

/** Sure boxes as small as the offsets on a grid: nothing is below ten pixels in everything. */
export const areOffsets = (readings: Readings, scores: Float32Array): boolean => {
  const sure = best(scores, sureScore, 300);
  return sure.length > 0 && sure.every((row) => numbersOf(readings, row).every((value) => Math.abs(value) <= 10));
};

/** Rows with a higher score than `above`, best first. */
const best = (scores: Float32Array, above: number, most: number): number[] => {
  const found: number[] = [];
  for (const [row, score] of scores.entries()) if (score > above) found.push(row);
  return found.sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, most);
};

/** A real model's boxes differ from row to row. */
const isVaried = ({ rows, boxes }: Readings): boolean => {
  if (!boxes || rows < 20) return false;
  const step = Math.max(1, Math.floor(rows / 500));
  const values: number[] = [];
  for (let row = 0; row < rows; row += step) values.push(column(boxes, row, 0) + 1e3 * column(boxes, row, 2));
  return new Set(values).size > 0.2 * values.length;
};

const boxOf = (readings: Readings, row: number): Numbers => {
  const box = new Float32Array(4);
  readings.box(row, box, 0);
  return [box[0]!, box[1]!, box[2]!, box[3]!];
};

const notFinite = (readings: Readings, judged: readonly number[]): string | undefined =>
  judged.some((row) => !boxOf(readings, row).every(Number.isFinite)) ? "some boxes are not finite numbers" : undefined;

const oversized = (readings: Readings, judged: readonly number[]): string | undefined => {
  const [width, height] = readings.size;
  return share(judged, (row) => boxOf(readings, row)[2] > 4 * width || boxOf(readings, row)[3] > 4 * height) > 0.5
    ? "most boxes are more than four times as large as the picture"
    : undefined;
};

const numbersOf = (readings: Readings, row: number): Numbers =>
  [0, 1, 2, 3].map((c) => column(readings.boxes!, row, c)) as unknown as Numbers;

/** 0..1 or pixels: boxes of up to one and a half pixels, and boxes of more than two pictures, do not occur. */
const wrongCoordinates = (readings: Readings, judged: readonly number[]): string | undefined => {
  const reaches = judged.map((row) => largest(numbersOf(readings, row).map(Math.abs)));
  if (readings.coordinates === "pixels")
    return reaches.every((value) => value <= 1.5)
      ? `the numbers of the boxes are ${largest(reaches).toPrecision(3)} at most: they are parts of the picture (0..1), not pixels`
      : undefined;
  return share(reaches, (value) => value > 2) > 0.1
    ? `the numbers of the boxes reach ${largest(reaches).toPrecision(4)}: they are pixels, not parts of the picture (0..1)`
    : undefined;
};

/** x, y, w, h of four numbers, in their own unit. */
const asBox: Readonly<Record<BoxForm, (numbers: Numbers) => Numbers>> = {
  xyxy: ([a, b, c, d]) => [a, b, c - a, d - b],
  yxyx: ([a, b, c, d]) => [b, a, d - b, c - a],
  cxcywh: ([a, b, c, d]) => [a - c / 2, b - d / 2, c, d],
  xywh: (numbers) => numbers,
};

const formNames: Readonly<Record<BoxForm, string>> = {
  xyxy: "corners x1, y1, x2, y2",
  yxyx: "corners y1, x1, y2, x2",
  cxcywh: "centres and sizes cx, cy, w, h",
  xywh: "top-left corners and sizes x, y, w, h",
};

/** Fewer boxes than this may all lie at the picture's border by chance, and reach over it a little. */
const fewRows = 20;

/** Sizes that are no sizes, or boxes that leave the picture where another form keeps them inside. */
const wrongForm = (
  readings: Readings,
  judged: readonly number[],
  sure: readonly number[],
  isKnownForm: boolean,
): string | undefined => {
  const [width, height] = readings.coordinates === "unit" ? [1, 1] : readings.size;
  const fits = (form: BoxForm, row: number, margin = 0.03): boolean => {
    const [x, y, w, h] = asBox[form](numbersOf(readings, row));
    const [right, bottom] = [(1 + margin) * width, (1 + margin) * height];
    return w >= 0 && h >= 0 && x >= -margin * width && y >= -margin * height && x + w <= right && y + h <= bottom;
  };
  const { form } = readings;
  const others = boxForms.filter(
    (other) => other !== form && other !== "yxyx" && !(form === "yxyx" && other === "xyxy"),
  );
  const negative = share(sure, (row) =>
    asBox[form](numbersOf(readings, row))
      .slice(2)
      .some((side) => side < 0),
  );
  if (negative > 0.2 && !isKnownForm)
    return `read as ${formNames[form]}, ${Math.round(100 * negative)} % of the boxes have a negative width or height`;
  const isFew = judged.length < fewRows;
  const own = share(judged, (row) => fits(form, row, isFew && isKnownForm ? 0.08 : 0.03));
  const isBetter = (other: BoxForm): boolean => {
    const inside = share(judged, (row) => fits(other, row));
    return (own < 0.8 && inside >= 0.98) || (!isFew && inside >= Math.max(0.7, own + 0.3));
  };
  const better = others.find(isBetter);
  if (better)
    return `read as ${formNames[form]}, ${Math.round(100 * (1 - own))} % of the boxes leave the picture; as ${formNames[better]} they fit`;
  const outside = share(sure, (row) => {
    const [x, y, w, h] = asBox[form](numbersOf(readings, row));
    return (
      x + w / 2 < -0.25 * width || x + w / 2 > 1.25 * width || y + h / 2 < -0.25 * height || y + h / 2 > 1.25 * height
    );
  });
  if (outside > 0.5 && !isKnownForm)
    return `read as ${formNames[form]}, ${Math.round(100 * outside)} % of the boxes lie outside the picture`;
  return awayFromCell(readings, sure, others);
};

/** Where rows run over a grid, an object's box holds the row's cell; in another form it would. */
const awayFromCell = (readings: Readings, sure: readonly number[], others: readonly BoxForm[]): string | undefined => {
  const { cell, form, coordinates } = readings;
  if (!cell || coordinates === "unit" || sure.length === 0) return undefined;
  const holds =
    (shape: BoxForm, margin: number) =>
    (row: number): boolean => {
      const [x, y, w, h] = asBox[shape](numbersOf(readings, row));
      const { column: across, row: down, stride } = cell(row);
      const [cx, cy] = [(across + 0.5) * stride, (down + 0.5) * stride];
      return (
        cx >= x - margin * stride &&
        cx <= x + w + margin * stride &&
        cy >= y - margin * stride &&
        cy <= y + h + margin * stride
      );
    };
  if (share(sure, holds(form, 1)) >= 0.5) return undefined;
  const better = others.find((other) => share(sure, holds(other, 0)) >= 0.9);
  return (
    better &&
    `read as ${formNames[form]}, the boxes lie away from the cells that they belong to; as ${formNames[better]} they hold them`
  );
};
