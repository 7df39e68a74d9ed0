import type { ClassName } from "../types.ts";
import type { DatasetProblem, RawBox } from "./dataset.ts";

/** Annotators round to a few digits: a coordinate may leave 0..1 by this much and is clipped. */
const tolerance = 0.01;

export interface YoloLabels {
  /** Boxes in fractions of the picture. */
  readonly boxes: readonly RawBox[];
  readonly problems: readonly DatasetProblem[];
  readonly duplicates: number;
}

/**
 * Reads one YOLO label file: a line is `class cx cy w h` in fractions of the picture, or `class x1 y1 x2 y2 x3 y3 …`, a polygon,
 * whose bounding box counts (as Ultralytics does). Identical lines count once.
 */
export function parseYoloLabels(text: string, file: string, names: readonly ClassName[]): YoloLabels {
  const seen = new Set<string>();
  const boxes: RawBox[] = [];
  const problems: DatasetProblem[] = [];
  let duplicates = 0;
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const fields = line.trim().split(/\s+/).filter((field) => field !== "");
    if (fields.length === 0) continue;
    const key = fields.join(" ");
    if (seen.has(key)) duplicates++;
    if (seen.has(key)) continue;
    seen.add(key);
    const result = parseFields(fields, names);
    if (typeof result === "string") problems.push({ file, line: index + 1, message: result });
    else boxes.push(result);
  }
  return { boxes, problems, duplicates };
}

/** The box, or what is wrong with the line. */
function parseFields(fields: readonly string[], names: readonly ClassName[]): RawBox | string {
  const numbers = fields.map(Number);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) return `"${fields[bad]?.slice(0, 40)}" is not a number`;
  const [classNumber = -1, ...coordinates] = numbers;
  const isPolygon = coordinates.length >= 6 && coordinates.length % 2 === 0;
  if (coordinates.length !== 4 && !isPolygon) return `${fields.length} fields, expected 5 (class cx cy w h) or a polygon (class x1 y1 x2 y2 x3 y3 …)`;
  const className = names[classNumber];
  if (className === undefined) return `class ${fields[0]} is not one of the ${names.length} classes (0..${names.length - 1})`;
  const outside = coordinates.find((value) => value < -tolerance || value > 1 + tolerance);
  if (outside !== undefined) return `coordinate ${outside} is not a fraction of the picture (0..1)`;
  const box = isPolygon ? polygonBox(coordinates) : centredBox(coordinates);
  if (!(box[2] > 0 && box[3] > 0)) return `the box has no area (${box[2]} x ${box[3]})`;
  return { className, box };
}

const centredBox = ([cx = 0, cy = 0, w = 0, h = 0]: readonly number[]): [number, number, number, number] => [cx - w / 2, cy - h / 2, w, h];

function polygonBox(coordinates: readonly number[]): [number, number, number, number] {
  const xs = coordinates.filter((_, i) => i % 2 === 0);
  const ys = coordinates.filter((_, i) => i % 2 === 1);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}
