import type { ClassName } from "../types.ts";
import { boundsOf } from "./bounds.ts";
import type { DatasetProblem, RawBox } from "./dataset.ts";

/** Annotators round to a few digits: a coordinate may leave 0..1 by this much and is clipped. */
const tolerance = 0.01;

/** Keypoints of each object, as a pose data.yaml declares them: `kpt_shape: [17, 3]`. */
export type KeypointShape = readonly [points: number, values: number];

/** What the fields of a line are. */
export type LineForm = "box" | "polygon" | "keypoints";

export interface YoloLabels {
  /** Boxes in fractions of the picture. */
  readonly boxes: readonly RawBox[];
  readonly problems: readonly DatasetProblem[];
  readonly duplicates: number;
  /** How many lines are of each form. */
  readonly forms: Readonly<Record<LineForm, number>>;
  /** Polygons that could as well be a box with points of two values. */
  readonly doubtful: number;
}

/**
 * Reads one YOLO label file: a line is `class cx cy w h` in fractions of the picture, or `class x1 y1 x2 y2 x3 y3 …`, a polygon or a turned
 * box, whose bounding box counts (as Ultralytics does), or a box and its keypoints, which are left out. Identical lines count once.
 */
export function parseYoloLabels(text: string, file: string, names: readonly ClassName[], keypoints?: KeypointShape): YoloLabels {
  const seen = new Set<string>();
  const boxes: RawBox[] = [];
  const problems: DatasetProblem[] = [];
  const forms = { box: 0, polygon: 0, keypoints: 0 };
  let [duplicates, doubtful] = [0, 0];
  for (const [index, line] of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).entries()) {
    const fields = line.trim().split(/\s+/).filter((field) => field !== "");
    if (fields.length === 0) continue;
    const key = fields.join(" ");
    if (seen.has(key)) duplicates++;
    if (seen.has(key)) continue;
    seen.add(key);
    const result = parseFields(fields, names, keypoints);
    if (typeof result === "string") {
      problems.push({ file, line: index + 1, message: result });
      continue;
    }
    forms[result.form]++;
    if (result.form === "polygon" && mayBeKeypoints(fields.slice(1).map(Number))) doubtful++;
    boxes.push(result.box);
  }
  return { boxes, problems, duplicates, forms, doubtful };
}

/** The box and what the line is, or what is wrong with it. */
function parseFields(fields: readonly string[], names: readonly ClassName[], keypoints: KeypointShape | undefined): { form: LineForm; box: RawBox } | string {
  const numbers = fields.map(Number);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) return `"${fields[bad]?.slice(0, 40)}" is not a number`;
  const [category = -1, ...coordinates] = numbers;
  const form = formOf(coordinates, keypoints);
  if (form === undefined) return `${fields.length} fields, ${expected(keypoints)}${coordinates.length === 5 ? "; with a confidence at the end they are predictions, not labels" : ""}`;
  if (names[category] === undefined) return `class ${fields[0]} is not one of the ${names.length} classes (0..${names.length - 1})`;
  const counted = form === "polygon" ? coordinates : coordinates.slice(0, 4);
  const outside = counted.find((value) => value < -tolerance || value > 1 + tolerance);
  if (outside !== undefined) return `coordinate ${outside} is not a fraction of the picture (0..1)`;
  const box = form === "polygon" ? boundsOf(counted) : centredBox(counted);
  if (!(box[2] > 0 && box[3] > 0)) return `the box has no area (${box[2]} x ${box[3]})`;
  return { form, box: { category, box } };
}

const expected = (keypoints: KeypointShape | undefined): string =>
  keypoints ? `expected 5 (class cx cy w h) or ${5 + keypoints[0] * keypoints[1]} (with the keypoints that kpt_shape declares)` : "expected 5 (class cx cy w h) or a polygon (class x1 y1 x2 y2 x3 y3 …)";

function formOf(coordinates: readonly number[], keypoints: KeypointShape | undefined): LineForm | undefined {
  if (coordinates.length === 4) return "box";
  if (keypoints) return coordinates.length === 4 + keypoints[0] * keypoints[1] ? "keypoints" : undefined;
  if (hasVisibility(coordinates.slice(4))) return "keypoints";
  return coordinates.length >= 6 && coordinates.length % 2 === 0 ? "polygon" : undefined;
}

/** Points of three values, the third 0, 1 or 2: keypoints with visibility. A polygon has no corner at exactly 0 or 1 in every third place. */
const hasVisibility = (values: readonly number[]): boolean =>
  values.length >= 6 && values.length % 3 === 0 && values.every((value, i) => (i % 3 === 2 ? value === 0 || value === 1 || value === 2 : value >= -tolerance && value <= 1 + tolerance));

/** Read as a box and points of two values: the box lies in the picture and every point in the box, or at 0 0 as those that are not seen. */
function mayBeKeypoints([cx = 0, cy = 0, w = 0, h = 0, ...points]: readonly number[]): boolean {
  const reach = tolerance;
  const inside = (value: number, centre: number, size: number) => Math.abs(value - centre) <= size / 2 + reach;
  const box = cx - w / 2 >= -reach && cx + w / 2 <= 1 + reach && cy - h / 2 >= -reach && cy + h / 2 <= 1 + reach;
  return box && points.every((value, i) => (i % 2 === 0 ? inside(value, cx, w) || (value === 0 && points[i + 1] === 0) : inside(value, cy, h) || (value === 0 && points[i - 1] === 0)));
}

const centredBox = ([cx = 0, cy = 0, w = 0, h = 0]: readonly number[]): [number, number, number, number] => [cx - w / 2, cy - h / 2, w, h];
