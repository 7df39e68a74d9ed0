import { column, type Matrix } from "./heads/matrix.ts";
import { readingsOf, type OutputTensor, type Readings } from "./heads/readings.ts";
import type { Head } from "./heads/types.ts";

export type { OutputTensor } from "./heads/readings.ts";

/** Boxes that a model proposes for one picture, as columns of equal length; not sorted. */
export interface Candidates {
  readonly count: number;
  /** x, y, width, height of each in network pixels, (x, y) the top-left corner; not clipped. */
  readonly boxes: Float32Array;
  readonly scores: Float32Array;
  readonly classes: Int32Array;
  /** The row of the model's output that each comes from. */
  readonly rows: Int32Array;
  /** [count, classCount], each row the full vector of class probabilities; null unless asked for. */
  readonly probabilities: Float32Array | null;
}

export interface CandidateOptions {
  /** Candidates have a higher score than this. */
  readonly scoreThreshold: number;
  /**
   * Every class above the threshold is a candidate of its own (as evaluation does), not only the best of its row.
   * Default false.
   */
  readonly multiLabel?: boolean;
  /** Keep class-probability vectors (a label-only head gives one-hot times score). Default false. */
  readonly withProbabilities?: boolean;
}

/**
 * The candidates of picture `batchIndex` in a batch of outputs.
 * @throws UserError OUTPUT_MISMATCH when an output is missing or has another shape than the head's.
 */
export function decode(
  head: Head,
  outputs: readonly OutputTensor[],
  batchIndex: number,
  options: CandidateOptions,
): Candidates {
  const readings = readingsOf(head, outputs, batchIndex);
  const { scores, classCount } = readings;
  if (scores.by === "label") return fromLabels(readings, scores, options);
  const view: View = { rows: readings.rows, classCount, scores: scores.classes, factor: readings.objectness };
  const hits = options.multiLabel ? allHits(view, options.scoreThreshold) : bestHits(view, options.scoreThreshold);
  return gathered(readings, hits, options.withProbabilities === true, (i, into, at) =>
    copyScores(view, hits.rows[i]!, into, at),
  );
}

interface Hits {
  readonly rows: number[];
  readonly classes: number[];
  readonly scores: number[];
}

/** Boxes and vectors of the hits; scores are rounded once to float32. */
const gathered = (
  { box, classCount }: Readings,
  hits: Hits,
  withProbabilities: boolean,
  vector: (i: number, into: Float32Array, at: number) => void,
): Candidates => {
  const count = hits.rows.length;
  const boxes = new Float32Array(count * 4);
  const probabilities = withProbabilities ? new Float32Array(count * classCount) : null;
  for (let i = 0; i < count; i += 1) {
    box(hits.rows[i]!, boxes, i * 4);
    if (probabilities) vector(i, probabilities, i * classCount);
  }
  return {
    count,
    boxes,
    scores: Float32Array.from(hits.scores),
    classes: Int32Array.from(hits.classes),
    rows: Int32Array.from(hits.rows),
    probabilities,
  };
};

/** Heads that give one score and one class per row. */
const fromLabels = (
  readings: Readings,
  { score, label, labelOffset }: Extract<Readings["scores"], { by: "label" }>,
  { scoreThreshold, withProbabilities = false }: CandidateOptions,
): Candidates => {
  const hits: Hits = { rows: [], classes: [], scores: [] };
  for (let row = 0; row < readings.rows; row += 1) {
    const value = column(score, row, 0);
    const classIndex = Math.round(column(label, row, 0)) - labelOffset;
    if (
      !(value > scoreThreshold) ||
      classIndex < 0 ||
      classIndex >= readings.classCount ||
      readings.isOwn?.(row) === false
    )
      continue;
    hits.rows.push(row);
    hits.classes.push(classIndex);
    hits.scores.push(value);
  }
  return gathered(readings, hits, withProbabilities, (i, into, at) => {
    into[at + hits.classes[i]!] = hits.scores[i]!;
  });
};

/** Class scores of all rows, and what multiplies a row's (objectness). */
interface View {
  readonly rows: number;
  readonly classCount: number;
  readonly scores: Matrix;
  readonly factor: Matrix | null;
}

const factorOf = (factor: Matrix | null, row: number): number =>
  factor ? factor.data[factor.base + row * factor.rowStep]! : 1;

function allHits(
  { rows, classCount, scores: { data, base, rowStep, columnStep }, factor }: View,
  threshold: number,
): Hits {
  const hits: Hits = { rows: [], classes: [], scores: [] };
  const visit = (row: number, c: number): void => {
    const value = data[base + row * rowStep + c * columnStep]!;
    if (value <= threshold && !factor) return;
    const score = value * factorOf(factor, row);
    if (score > threshold) {
      hits.rows.push(row);
      hits.classes.push(c);
      hits.scores.push(score);
    }
  };
  // The inner loop runs along memory.
  if (rowStep === 1) for (let c = 0; c < classCount; c += 1) for (let row = 0; row < rows; row += 1) visit(row, c);
  else
    for (let row = 0; row < rows; row += 1) {
      if (factorOf(factor, row) > threshold) for (let c = 0; c < classCount; c += 1) visit(row, c);
    }
  return hits;
}

function bestHits(
  { rows, classCount, scores: { data, base, rowStep, columnStep }, factor }: View,
  threshold: number,
): Hits {
  const best = new Float32Array(rows).fill(-Infinity);
  const bestClass = new Int32Array(rows);
  const visit = (row: number, c: number): void => {
    const value = data[base + row * rowStep + c * columnStep]!;
    if (value > best[row]!) {
      best[row] = value;
      bestClass[row] = c;
    }
  };
  if (rowStep === 1) for (let c = 0; c < classCount; c += 1) for (let row = 0; row < rows; row += 1) visit(row, c);
  else for (let row = 0; row < rows; row += 1) for (let c = 0; c < classCount; c += 1) visit(row, c);
  const hits: Hits = { rows: [], classes: [], scores: [] };
  for (let row = 0; row < rows; row += 1) {
    const score = best[row]! * factorOf(factor, row);
    if (!(score > threshold)) continue;
    hits.rows.push(row);
    hits.classes.push(bestClass[row]!);
    hits.scores.push(score);
  }
  return hits;
}

function copyScores({ classCount, scores, factor }: View, row: number, into: Float32Array, at: number): void {
  const weight = factorOf(factor, row);
  for (let c = 0; c < classCount; c += 1)
    into[at + c] = scores.data[scores.base + row * scores.rowStep + c * scores.columnStep]! * weight;
}
