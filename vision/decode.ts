import { UserError } from "../graph/error.ts";
import type { BoxesHead, DenseHead, Head, QueryHead, RowsHead } from "./heads.ts";

export interface OutputTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array;
}

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
  /** Every class above the threshold is a candidate of its own (as evaluation does), not only the best of its row. Default false. */
  readonly multiLabel?: boolean;
  /** Keep class-probability vectors (a label-only head gives one-hot times score). Default false. */
  readonly withProbabilities?: boolean;
}

/** Where row r, column c of one picture lies: data[base + r rowStep + c columnStep]. */
interface Matrix {
  readonly data: Float32Array;
  readonly base: number;
  readonly rows: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** How to read one head: class score of (row, class) and the box of a row. */
interface View {
  readonly rows: number;
  readonly classCount: number;
  /** The scores after activation, laid out as a matrix. */
  readonly scores: Matrix;
  /** Multiplies each row's scores (objectness); null for none. */
  readonly factor: Matrix | null;
  readonly box: (row: number, into: Float32Array, at: number) => void;
}

/**
 * The candidates of picture `batchIndex` in a batch of outputs.
 * @throws UserError OUTPUT_MISMATCH when an output is missing or has another shape than the head's.
 */
export function decode(head: Head, outputs: readonly OutputTensor[], batchIndex: number, options: CandidateOptions): Candidates {
  const tensors = head.outputNames.map((name) => {
    const found = outputs.find((output) => output.name === name);
    if (!found) throw outputMissing(name, outputs);
    return found;
  });
  if (head.kind === "rows") return decodeRows(head, float(tensors[0]), batchIndex, options);
  if (head.kind === "boxes" && head.labels) return decodeLabelled(head, tensors, batchIndex, options);
  return collect(view(head, tensors, batchIndex), options);
}

function view(head: DenseHead | QueryHead | BoxesHead, tensors: readonly OutputTensor[], batchIndex: number): View {
  if (head.kind === "dense") return denseView(head, float(tensors[0]), batchIndex);
  if (head.kind === "query") return queryView(head, tensors, batchIndex);
  const boxes = picture(float(tensors[0]), batchIndex, false);
  const scores = picture(float(tensors[1]), batchIndex, false);
  return { rows: boxes.rows, classCount: head.classCount, scores, factor: null, box: cornersBox(boxes) };
}

type FloatTensor = OutputTensor & { readonly data: Float32Array };

function float(tensor: OutputTensor | undefined): FloatTensor {
  if (!tensor || !(tensor.data instanceof Float32Array)) throw outputMismatch(tensor?.name ?? "?", "float32 values");
  return tensor as FloatTensor;
}

/** Picture `batchIndex` of a [N, rows, columns] tensor ([N, columns, rows] when channels come first). */
function picture({ name, dims, data }: FloatTensor, batchIndex: number, channelsFirst: boolean): Matrix {
  const [batch = 0, a = 0, b = 0] = dims;
  if (dims.length !== 3 || batchIndex >= batch) throw outputMismatch(name, `three dimensions and a picture ${batchIndex}`);
  const base = batchIndex * a * b;
  return channelsFirst ? { data, base, rows: b, rowStep: 1, columnStep: b } : { data, base, rows: a, rowStep: b, columnStep: 1 };
}

const fromColumn = (matrix: Matrix, column: number): Matrix => ({ ...matrix, base: matrix.base + column * matrix.columnStep });

function denseView(head: DenseHead, tensor: FloatTensor, batchIndex: number): View {
  const all = picture(tensor, batchIndex, head.channelsFirst);
  const first = head.objectness ? 5 : 4;
  const columns = tensor.dims[head.channelsFirst ? 1 : 2];
  if (columns !== first + head.classCount) throw outputMismatch(tensor.name, `${first + head.classCount} values per box`);
  return {
    rows: all.rows, classCount: head.classCount,
    scores: fromColumn(all, first),
    factor: head.objectness ? fromColumn(all, 4) : null,
    box: head.raw ? gridBox(head, all, tensor.name) : centreBox(all, 1, 1),
  };
}

/** cx, cy, w, h times the scales → x, y, w, h. */
function centreBox({ data, base, rowStep, columnStep }: Matrix, scaleX: number, scaleY: number): View["box"] {
  return (row, into, at) => {
    const from = base + row * rowStep;
    const w = data[from + 2 * columnStep]! * scaleX;
    const h = data[from + 3 * columnStep]! * scaleY;
    into[at] = data[from]! * scaleX - w / 2;
    into[at + 1] = data[from + columnStep]! * scaleY - h / 2;
    into[at + 2] = w;
    into[at + 3] = h;
  };
}

function cornersBox({ data, base, rowStep }: Matrix): View["box"] {
  return (row, into, at) => {
    const from = base + row * rowStep;
    into[at] = data[from]!;
    into[at + 1] = data[from + 1]!;
    into[at + 2] = data[from + 2]! - data[from]!;
    into[at + 3] = data[from + 3]! - data[from + 1]!;
  };
}

/** YOLOX before decoding: centre = (xy + cell) stride, size = exp(wh) stride. */
function gridBox({ size: [width, height], strides }: DenseHead, { data, base, rows, rowStep, columnStep }: Matrix, name: string): View["box"] {
  const levels: { first: number; columns: number; stride: number }[] = [];
  let total = 0;
  for (const stride of strides) {
    const columns = Math.ceil(width / stride);
    levels.push({ first: total, columns, stride });
    total += columns * Math.ceil(height / stride);
  }
  if (total !== rows) throw outputMismatch(name, `${total} rows`);
  return (row, into, at) => {
    const level = levels.findLast(({ first }) => row >= first)!;
    const cell = row - level.first;
    const from = base + row * rowStep;
    const w = Math.exp(data[from + 2 * columnStep]!) * level.stride;
    const h = Math.exp(data[from + 3 * columnStep]!) * level.stride;
    into[at] = (data[from]! + (cell % level.columns)) * level.stride - w / 2;
    into[at + 1] = (data[from + columnStep]! + Math.floor(cell / level.columns)) * level.stride - h / 2;
    into[at + 2] = w;
    into[at + 3] = h;
  };
}

function queryView(head: QueryHead, tensors: readonly OutputTensor[], batchIndex: number): View {
  const boxes = picture(float(tensors[0]), batchIndex, false);
  const box = centreBox(boxes, head.size[0], head.size[1]);
  if (head.outputNames.length === 1) return { rows: boxes.rows, classCount: head.classCount, scores: fromColumn(boxes, 4), factor: null, box };
  const logits = picture(float(tensors[1]), batchIndex, false);
  return { rows: boxes.rows, classCount: head.classCount, scores: activated(logits, head), factor: null, box };
}

function activated({ data, base, rows, rowStep }: Matrix, { activation, classCount }: QueryHead): Matrix {
  const result = new Float32Array(rows * classCount);
  for (let row = 0; row < rows; row += 1) {
    const logits = data.subarray(base + row * rowStep, base + (row + 1) * rowStep);
    let [peak, sum] = [-Infinity, 0];
    if (activation === "softmax") {
      for (const z of logits) peak = Math.max(peak, z);
      for (const z of logits) sum += Math.exp(z - peak);
    }
    for (let c = 0; c < classCount; c += 1) {
      const z = logits[c]!;
      result[row * classCount + c] = activation === "softmax" ? Math.exp(z - peak) / sum : activation === "sigmoid" ? 1 / (1 + Math.exp(-z)) : z;
    }
  }
  return { data: result, base: 0, rows, rowStep: classCount, columnStep: 1 };
}

/** Rows and classes above the threshold; score = class probability times the row's factor, rounded once to float32. */
function collect(from: View, { scoreThreshold, multiLabel = false, withProbabilities = false }: CandidateOptions): Candidates {
  const hits = multiLabel ? allHits(from, scoreThreshold) : bestHits(from, scoreThreshold);
  const count = hits.rows.length;
  const boxes = new Float32Array(count * 4);
  const probabilities = withProbabilities ? new Float32Array(count * from.classCount) : null;
  for (let i = 0; i < count; i += 1) {
    from.box(hits.rows[i]!, boxes, i * 4);
    if (probabilities) copyScores(from, hits.rows[i]!, probabilities, i * from.classCount);
  }
  return { count, boxes, scores: Float32Array.from(hits.scores), classes: Int32Array.from(hits.classes), rows: Int32Array.from(hits.rows), probabilities };
}

interface Hits {
  readonly rows: number[];
  readonly classes: number[];
  readonly scores: number[];
}

const factorOf = (factor: Matrix | null, row: number): number => (factor ? factor.data[factor.base + row * factor.rowStep]! : 1);

function allHits({ rows, classCount, scores: { data, base, rowStep, columnStep }, factor }: View, threshold: number): Hits {
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
  else for (let row = 0; row < rows; row += 1) {
    if (factorOf(factor, row) > threshold) for (let c = 0; c < classCount; c += 1) visit(row, c);
  }
  return hits;
}

function bestHits({ rows, classCount, scores: { data, base, rowStep, columnStep }, factor }: View, threshold: number): Hits {
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
  for (let c = 0; c < classCount; c += 1) into[at + c] = scores.data[scores.base + row * scores.rowStep + c * scores.columnStep]! * weight;
}

interface Row {
  readonly score: number;
  readonly classIndex: number;
}

/** Heads that give one score and one class per row. */
function fromRows(rows: number, read: (row: number) => Row, box: View["box"], classCount: number, { scoreThreshold, withProbabilities = false }: CandidateOptions): Candidates {
  const hits: Hits = { rows: [], classes: [], scores: [] };
  for (let row = 0; row < rows; row += 1) {
    const { score, classIndex } = read(row);
    if (!(score > scoreThreshold) || classIndex < 0 || classIndex >= classCount) continue;
    hits.rows.push(row);
    hits.classes.push(classIndex);
    hits.scores.push(score);
  }
  const count = hits.rows.length;
  const boxes = new Float32Array(count * 4);
  const probabilities = withProbabilities ? new Float32Array(count * classCount) : null;
  for (let i = 0; i < count; i += 1) {
    box(hits.rows[i]!, boxes, i * 4);
    if (probabilities) probabilities[i * classCount + hits.classes[i]!] = hits.scores[i]!;
  }
  return { count, boxes, scores: Float32Array.from(hits.scores), classes: Int32Array.from(hits.classes), rows: Int32Array.from(hits.rows), probabilities };
}

function decodeRows(head: RowsHead, tensor: FloatTensor, batchIndex: number, options: CandidateOptions): Candidates {
  const matrix = picture(tensor, batchIndex, false);
  if (matrix.rowStep !== 6) throw outputMismatch(tensor.name, "six values per box");
  const at = (row: number, column: number): number => matrix.data[matrix.base + row * 6 + column]!;
  return fromRows(matrix.rows, (row) => ({ score: at(row, 4), classIndex: Math.round(at(row, 5)) }), cornersBox(matrix), head.classCount, options);
}

function decodeLabelled(head: BoxesHead, [boxes, scores, labels]: readonly OutputTensor[], batchIndex: number, options: CandidateOptions): Candidates {
  const box = float(boxes);
  const score = float(scores);
  if (!labels) throw new Error("bug: a labelled head has three outputs");
  const batched = box.dims.length === 3;
  if (!batched && batchIndex !== 0) throw outputMismatch(box.name, `a picture ${batchIndex}`);
  const rows = box.dims.at(-2) ?? 0;
  const first = batched ? batchIndex * rows : 0;
  const read = (row: number): Row => ({ score: score.data[first + row]!, classIndex: Number(labels.data[first + row]) - head.labelOffset });
  return fromRows(rows, read, cornersBox({ data: box.data, base: first * 4, rows, rowStep: 4, columnStep: 1 }), head.classCount, options);
}

const outputMissing = (name: string, outputs: readonly OutputTensor[]): UserError =>
  new UserError("OUTPUT_MISMATCH", `The model gave no output "${name}" (it gave ${outputs.map((o) => `"${o.name}"`).join(", ") || "none"}).`, "run the model that the head was recognised from, with all its outputs.");

const outputMismatch = (name: string, wanted: string): UserError =>
  new UserError("OUTPUT_MISMATCH", `Output "${name}" should have ${wanted}.`, "recognise the head again from this model, at its own input size.");
