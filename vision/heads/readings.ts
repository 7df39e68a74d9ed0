import { UserError } from "../../graph/error.ts";
import { boxReaders, distributionBox, gridBox, type BoxOfRow } from "./box-readers.ts";
import { cellFinder, type Cell } from "./grid.ts";
import { column, type Matrix } from "./matrix.ts";
import type { BoxForm, Coordinates, DenseHead, Head, Place, TableHead } from "./types.ts";

export interface OutputTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array;
}

export type ScoreReadings =
  /** Class scores after activation. */
  | {
      readonly by: "class";
      readonly classes: Matrix;
      readonly raw: Matrix;
      readonly rawColumns: number;
      readonly activation: "none" | "sigmoid" | "softmax";
      readonly background: number | null;
    }
  | { readonly by: "label"; readonly score: Matrix; readonly label: Matrix; readonly labelOffset: number };

/** The numbers of one picture as a head reads them. */
export interface Readings {
  readonly rows: number;
  readonly classCount: number;
  readonly size: readonly [number, number];
  /**
   * The four box columns as the model wrote them; null where they are not written as four numbers (NanoDet, YOLOX
   * before decoding).
   */
  readonly boxes: Matrix | null;
  readonly form: BoxForm;
  readonly coordinates: Coordinates;
  /** x, y, w, h of a row in network pixels. */
  readonly box: BoxOfRow;
  readonly scores: ScoreReadings;
  readonly objectness: Matrix | null;
  /** The grid cell of a row, where the rows run over a grid. */
  readonly cell: ((row: number) => Cell) | null;
  /** The column that holds each row's index in the batch, where there is one. */
  readonly pictures: Matrix | null;
  /** Rows that belong to this picture; null for all. */
  readonly isOwn: ((row: number) => boolean) | null;
}

/**
 * Picture `batchIndex` of a batch of outputs. Throws UserError OUTPUT_MISMATCH when an output is missing or has
 * another shape than the head's.
 */
export const readingsOf = (head: Head, outputs: readonly OutputTensor[], batchIndex: number): Readings => {
  const tensors = head.outputNames.map((name) => {
    const found = outputs.find((output) => output.name === name);
    if (!found) throw outputMissing(name, outputs);
    return found;
  });
  return head.kind === "table"
    ? tableReadings(head, tensors, batchIndex)
    : tableReadings(tableOfHead(head), tensors, batchIndex, head.kind === "dense" && head.raw ? head : undefined);
};

/** The same head, said as a table. */
export const tableOfHead = (head: Exclude<Head, TableHead>): TableHead => {
  const { family, classCount, outputNames, size, needsNms } = head;
  const base = {
    kind: "table",
    family,
    classCount,
    outputNames,
    size,
    needsNms,
    boxes: { output: 0, column: 0 },
    coordinates: "pixels",
    count: null,
    pictureColumn: null,
    bins: null,
  } as const;
  if (head.kind === "rows")
    return {
      ...base,
      channelsFirst: false,
      form: "xyxy",
      strides: null,
      scores: { by: "label", score: { output: 0, column: 4 }, label: { output: 0, column: 5 }, labelOffset: 0 },
    };
  const { channelsFirst, objectness, strides } = head;
  return {
    ...base,
    channelsFirst,
    form: "cxcywh",
    strides,
    scores: {
      by: "class",
      at: { output: 0, column: objectness ? 5 : 4 },
      channelsFirst,
      activation: "none",
      background: null,
      objectness: objectness ? { output: 0, column: 4 } : null,
    },
  };
};

const tableReadings = (
  head: TableHead,
  tensors: readonly OutputTensor[],
  batchIndex: number,
  raw?: DenseHead,
): Readings => {
  const isBatched = tensors[head.boxes.output]!.dims.length >= 3;
  const own = head.pictureColumn === null ? batchIndex : 0;
  const matrices = tensors.map((tensor, index) =>
    matrixOf(
      tensor,
      own,
      isBatched,
      index === head.boxes.output
        ? head.channelsFirst
        : head.scores.by === "class" && index === head.scores.at.output && head.scores.channelsFirst,
    ),
  );
  const at = ({ output, column: from }: Place): Matrix => {
    const found = matrices[output];
    if (!found) throw new Error(`bug: the head has no output ${output}`);
    return { ...found, base: found.base + from * found.columnStep };
  };
  const boxes = at(head.boxes);
  checkColumns(head, tensors, matrices);
  const filled =
    head.count === null
      ? boxes.rows
      : Math.min(boxes.rows, Math.max(0, Math.round(Number(tensors[head.count]!.data[batchIndex] ?? 0))));
  const cell = head.strides && cellOf(head, boxes.rows, tensors[head.boxes.output]!.name);
  const picture = head.pictureColumn === null ? null : at({ output: head.boxes.output, column: head.pictureColumn });
  return {
    rows: filled,
    classCount: head.classCount,
    size: head.size,
    boxes: raw || head.bins !== null ? null : boxes,
    form: head.form,
    coordinates: head.coordinates,
    box: raw
      ? gridBox(boxes, cell!)
      : head.bins !== null
        ? distributionBox(boxes, cell!, head.bins)
        : boxReaders[head.form](boxes, head.coordinates === "unit" ? head.size : [1, 1]),
    scores: scoresOf(head, at),
    objectness: head.scores.by === "class" && head.scores.objectness ? at(head.scores.objectness) : null,
    cell,
    pictures: picture,
    isOwn: picture && ((row) => column(picture, row, 0) === batchIndex),
  };
};

/** Columns that the head needs: no fewer, and for dense heads no more. */
const checkColumns = (
  head: TableHead,
  tensors: readonly OutputTensor[],
  matrices: readonly { readonly columns: number }[],
): void => {
  const needed = (place: Place, count: number): void => {
    if (matrices[place.output]!.columns < place.column + count)
      throw outputMismatch(tensors[place.output]!.name, `${place.column + count} values per box`);
  };
  needed(head.boxes, head.bins === null ? 4 : 4 * head.bins);
  if (head.scores.by === "label") return;
  const { at, background } = head.scores;
  needed(at, head.classCount + (background === null ? 0 : 1));
  const isWhole = head.family !== "segment" && head.family !== "pose" && head.bins === null;
  if (isWhole && matrices[at.output]!.columns !== at.column + head.classCount + (background === null ? 0 : 1))
    throw outputMismatch(tensors[at.output]!.name, `${at.column + head.classCount} values per box`);
};

const cellOf = (head: TableHead, rowCount: number, name: string): ((row: number) => Cell) => {
  const perAnchor = head.strides!.reduce(
    (sum, stride) => sum + Math.ceil(head.size[0] / stride) * Math.ceil(head.size[1] / stride),
    0,
  );
  if (rowCount % perAnchor !== 0) throw outputMismatch(name, `${perAnchor} rows`);
  return cellFinder(head.size, head.strides!, rowCount / perAnchor);
};

/**
 * Picture `batchIndex` of a tensor: [N, rows, columns] ([N, columns, rows] when channels come first), [N, rows],
 * or without N.
 */
const matrixOf = (
  tensor: OutputTensor,
  batchIndex: number,
  isBatched: boolean,
  channelsFirst: boolean,
): Matrix & { readonly columns: number } => {
  const data = numbers(tensor);
  const [batch, a, b] = tableDims(tensor.dims, isBatched);
  if (batchIndex >= batch) throw outputMismatch(tensor.name, `three dimensions and a picture ${batchIndex}`);
  const base = batchIndex * a * b;
  return channelsFirst
    ? { data, base, rows: b, rowStep: 1, columnStep: b, columns: a }
    : { data, base, rows: a, rowStep: b, columnStep: 1, columns: b };
};

/** [N, rows, columns] of a shape; what has no columns of its own has one. */
const tableDims = (dims: readonly number[], isBatched: boolean): readonly [number, number, number] => {
  const [a = 1, b = 1, c = 1, d = 1] = dims;
  if (dims.length === 4) return c === 1 ? [a, b, d] : [a, c, d];
  if (dims.length === 3) return [a, b, c];
  return isBatched ? [a, b, 1] : [1, a, b];
};

/** The values as float32; label outputs are integers. */
const numbers = ({ data }: OutputTensor): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<bigint | number>, Number);

const scoresOf = (head: TableHead, at: (place: Place) => Matrix): ScoreReadings => {
  const { scores } = head;
  if (scores.by === "label")
    return { by: "label", score: at(scores.score), label: at(scores.label), labelOffset: scores.labelOffset };
  const raw = at(scores.at);
  const rawColumns = head.classCount + (scores.background === null ? 0 : 1);
  const { activation, background } = scores;
  return {
    by: "class",
    raw,
    rawColumns,
    activation,
    background,
    classes: activated(raw, rawColumns, scores.activation, scores.background),
  };
};

/** Probabilities of the classes alone, the background left out. */
const activated = (
  raw: Matrix,
  columns: number,
  activation: "none" | "sigmoid" | "softmax",
  background: number | null,
): Matrix => {
  if (activation === "none" && background === null) return raw;
  if (activation === "none" && background === 0) return { ...raw, base: raw.base + raw.columnStep };
  const kept = Array.from({ length: columns }, (_, c) => c).filter((c) => c !== background);
  const result = new Float32Array(raw.rows * kept.length);
  const logits = new Float64Array(columns);
  for (let row = 0; row < raw.rows; row += 1) {
    for (let c = 0; c < columns; c += 1) logits[c] = column(raw, row, c);
    let [peak, sum] = [-Infinity, 0];
    if (activation === "softmax") {
      for (const z of logits) peak = Math.max(peak, z);
      for (const z of logits) sum += Math.exp(z - peak);
    }
    for (const [i, c] of kept.entries()) {
      const z = logits[c]!;
      result[row * kept.length + i] =
        activation === "softmax" ? Math.exp(z - peak) / sum : activation === "sigmoid" ? 1 / (1 + Math.exp(-z)) : z;
    }
  }
  return { data: result, base: 0, rows: raw.rows, rowStep: kept.length, columnStep: 1 };
};

const outputMissing = (name: string, outputs: readonly OutputTensor[]): UserError =>
  new UserError(
    "OUTPUT_MISMATCH",
    `The model gave no output "${name}" (it gave ${outputs.map((o) => `"${o.name}"`).join(", ") || "none"}).`,
    "run the model that the head was recognised from, with all its outputs.",
  );

const outputMismatch = (name: string, wanted: string): UserError =>
  new UserError(
    "OUTPUT_MISMATCH",
    `Output "${name}" should have ${wanted}.`,
    "recognise the head again from this model, at its own input size.",
  );
