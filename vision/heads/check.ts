import { checkBoxes } from "./check-boxes.ts";
import { column, rows, share, type Matrix } from "./matrix.ts";
import type { Readings } from "./readings.ts";
import type { HeadSettings } from "./types.ts";

/** What is known beside the run: it is judged by what is possible, not by what is usual. */
export interface Said extends Pick<HeadSettings, "background"> {
  /** The class list says how many columns are classes. */
  readonly classes?: number | undefined;
  /** The file is an Ultralytics export: untrained ones too have the box form that their layout says. */
  readonly ultralytics?: boolean;
}

/** What one run shows against a reading of its outputs; one sentence each, none where it fits. */
export const contradictions = (readings: Readings, said: Said = {}): readonly string[] => {
  const scored = rowScores(readings);
  const problems = [
    ...(readings.scores.by === "class"
      ? checkClasses(readings, readings.scores, said)
      : checkLabels(readings, readings.scores)),
    ...checkObjectness(readings),
  ];
  return problems.length > 0 ? problems : checkBoxes(readings, scored, said.ultralytics === true);
};

/** Rows above this count in the judgement of labels; padding has score 0. */
const visible = 0.01;

/** The best score of each row. */
export const rowScores = ({ rows: count, scores, objectness, classCount, isOwn }: Readings): Float32Array =>
  Float32Array.from({ length: count }, (_, row) => {
    if (isOwn?.(row) === false) return 0;
    if (scores.by === "label") return column(scores.score, row, 0);
    let best = -Infinity;
    for (let c = 0; c < classCount; c += 1) best = Math.max(best, column(scores.classes, row, c));
    return best * (objectness ? column(objectness, row, 0) : 1);
  });

/** Whether any row shows a score: a reading that shows none is not contradicted, but nothing speaks for it either. */
export const showsAnything = (readings: Readings): boolean => rowScores(readings).some((score) => score > 0.05);

/** Quantized and float16 models miss 0 and 1 by a little. */
const tolerance = 0.02;
const isProbability = (value: number): boolean => value >= -tolerance && value <= 1 + tolerance;
const short = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(3));

const rangeOf = (
  matrix: Matrix,
  columns: number,
): { readonly low: number; readonly high: number; readonly isNumber: boolean } => {
  let [low, high, isNumber] = [Infinity, -Infinity, true];
  for (let row = 0; row < matrix.rows; row += 1) {
    for (let c = 0; c < columns; c += 1) {
      const value = column(matrix, row, c);
      if (!Number.isFinite(value)) isNumber = false;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return { low, high, isNumber };
};

type Classes = Extract<Readings["scores"], { by: "class" }>;

const checkClasses = (readings: Readings, scores: Classes, said: Said): readonly string[] => {
  const { low, high, isNumber } = rangeOf(scores.raw, scores.rawColumns);
  if (!isNumber) return ["some class scores are not finite numbers"];
  const areProbabilities = isProbability(low) && isProbability(high);
  if (scores.activation !== "none") {
    if (areProbabilities)
      return [`the class scores run from ${short(low)} to ${short(high)}: they are probabilities already`];
  } else if (!areProbabilities)
    return [`the class columns run from ${short(low)} to ${short(high)}: they are no probabilities`];
  return [
    ...checkBackground(scores, said),
    ...(scores.background === null && said.classes === undefined ? checkLoudColumns(readings, scores) : []),
  ];
};

/** A softmax's rows sum to 1, and most rows of a detector are background. */
const checkBackground = ({ raw, rawColumns, background, activation }: Classes, said: Said): readonly string[] => {
  const all = rows(raw);
  if (all.length === 0 || rawColumns < 2) return [];
  if (activation === "none") {
    const sumToOne = share(all, (row) => Math.abs(sumOf(raw, row, rawColumns) - 1) < 0.01) >= 0.95;
    if (sumToOne && background === null)
      return ["the scores of each row sum to 1: a softmax, one of whose columns is the background"];
    if (!sumToOne && background !== null && said.background === undefined)
      return ["the scores of a row do not sum to 1, so no column is the background of a softmax"];
  }
  if (background === null) return [];
  const leading = share(all, (row) => leads(raw, row, rawColumns, background));
  return leading >= 0.5 || all.length < 20
    ? []
    : [
        `column ${background} of the scores is the highest in ${Math.round(100 * leading)} % of the rows: it is not the background`,
      ];
};

const sumOf = (matrix: Matrix, row: number, columns: number): number => {
  let sum = 0;
  for (let c = 0; c < columns; c += 1) sum += column(matrix, row, c);
  return sum;
};

/** Higher than every other column; a tie is not leading. */
const leads = (matrix: Matrix, row: number, columns: number, at: number): boolean => {
  const value = column(matrix, row, at);
  for (let c = 0; c < columns; c += 1) if (c !== at && column(matrix, row, c) >= value) return false;
  return true;
};

const highest = (matrix: Matrix, row: number, columns: number): number => {
  let best = 0;
  for (let c = 1; c < columns; c += 1) if (column(matrix, row, c) > column(matrix, row, best)) best = c;
  return best;
};

/**
 * Mask coefficients, angles, objectness: the last columns, or the first, are well above 0 in most rows, and no
 * others.
 */
const checkLoudColumns = (
  { objectness, classCount, rows: count }: Readings,
  { classes }: Classes,
): readonly string[] => {
  if (objectness || count < 50 || classCount < 2) return [];
  const loud: number[] = [];
  for (let c = 0; c < classCount; c += 1) {
    let above = 0;
    for (let row = 0; row < count; row += 1) if (column(classes, row, c) >= 0.05) above += 1;
    if (above >= 0.6 * count) loud.push(c);
  }
  const areLast = loud[0] === classCount - loud.length;
  if (loud.length === 0 || loud.length === classCount || !(areLast || (loud.length === 1 && loud[0] === 0))) return [];
  return [
    `${loud.length === 1 ? `class column ${loud[0]!} is` : `${loud.length} class columns (the first is ${loud[0]!}) are`} above 0.05 in most rows, so ${loud.length === 1 ? "it is" : "they are"} no class score${loud.length === 1 ? "" : "s"}`,
  ];
};

/** Objectness is a probability, and a row that surely holds an object has a class. */
const checkObjectness = ({ objectness, scores, classCount, rows: count }: Readings): readonly string[] => {
  if (!objectness || scores.by !== "class" || count === 0) return [];
  const { low, high } = rangeOf(objectness, 1);
  if (!isProbability(low) || !isProbability(high))
    return [`the column of objectness runs from ${short(low)} to ${short(high)}: it is no probability`];
  const sure = rows({ rows: count }).filter((row) => column(objectness, row, 0) >= 0.25);
  const bestClass = (row: number): number => column(scores.classes, row, highest(scores.classes, row, classCount));
  return sure.length > 0 && sure.every((row) => bestClass(row) < 0.01)
    ? ["the rows with high objectness have no class: the column is no objectness"]
    : [];
};

const checkLabels = (
  { rows: count, classCount, isOwn, pictures }: Readings,
  { score, label, labelOffset }: Extract<Readings["scores"], { by: "label" }>,
): readonly string[] => {
  const all = rows({ rows: count });
  const filled = all.filter((row) => isOwn?.(row) !== false && column(label, row, 0) >= 0);
  const wrong = filled.find((row) => !isProbability(column(score, row, 0)));
  if (wrong !== undefined) return [`a score is ${short(column(score, wrong, 0))}: no probability`];
  if (pictures && all.some((row) => !Number.isInteger(column(pictures, row, 0)) || column(pictures, row, 0) < -1))
    return ["the column of the picture's index holds other numbers"];
  const labels = all
    .filter((row) => column(score, row, 0) > visible && isOwn?.(row) !== false)
    .map((row) => column(label, row, 0));
  // Also where nothing is visible: a score that stands where labels are expected is no whole number.
  const numbers = filled.map((row) => column(label, row, 0));
  const broken = numbers.find((value) => Math.abs(value - Math.round(value)) > 1e-3);
  if (broken !== undefined) return [`a class number is ${short(broken)}: not a whole number`];
  const outside = labels.find((value) => value - labelOffset < -0.5 || value - labelOffset > classCount - 0.5);
  return outside === undefined
    ? []
    : [`a label is ${short(outside)}, with ${classCount} classes counted from ${labelOffset}`];
};
