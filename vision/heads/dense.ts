import { classesDiffer, has, leftUnread, stridesOf, tableOf, unread, type Facts, type TableInfo } from "./facts.ts";
import { cellCount } from "./grid.ts";
import { candidate, type Layout } from "./layout.ts";
import { rowScores } from "./check.ts";
import { areOffsets } from "./check-boxes.ts";
import { column, rows, share } from "./matrix.ts";
import { tableOfHead, type Readings } from "./readings.ts";
import type { Candidate, DenseHead, Head, HeadFamily, NearMiss, TensorInfo } from "./types.ts";

/** One output with a row for every anchor of the grid: box, perhaps objectness, classes. */
interface DenseForm extends Pick<DenseHead, "channelsFirst" | "objectness" | "raw"> {
  readonly name: string;
  readonly family: HeadFamily;
  readonly anchors: 1 | 3;
  readonly doubt: (facts: Facts, columns: number | null) => number;
}

const recognise =
  (form: DenseForm) =>
  (facts: Facts): readonly (Candidate | NearMiss)[] =>
    facts.outputs.flatMap((output): readonly (Candidate | NearMiss)[] => {
      const table = tableOf(output);
      return table?.rank === 3 ? readOutput(form, facts, table) : [];
    });

const readOutput = (form: DenseForm, facts: Facts, { name, a, b }: TableInfo): readonly (Candidate | NearMiss)[] => {
  const [anchors, columns] = form.channelsFirst ? [b, a] : [a, b];
  const strides = stridesOf(facts, anchors, form.anchors, form.channelsFirst || form.anchors === 3);
  const others = form.objectness ? 5 : 4;
  const classCount = columns === null ? facts.classes : columns - others;
  if (!strides || classCount === undefined || classCount < 1) return [];
  if (facts.task !== undefined && facts.task !== "detect") return [];
  if (facts.classes !== undefined && facts.classes !== classCount)
    return [{ layout: form.name, why: classesDiffer(classCount, facts.classes), classes: true }];
  const rest = unread(facts, [name], (output) => isRawMap(facts, output, classCount + others));
  if (rest.length > 0 && !rest.some((output) => isTwin(output, facts, name)))
    return [{ layout: form.name, why: leftUnread(rest) }];
  const { family, channelsFirst, objectness, raw } = form;
  const head: DenseHead = {
    kind: "dense",
    family,
    classCount,
    outputNames: [name],
    size: facts.size,
    needsNms: true,
    strides,
    channelsFirst,
    objectness,
    raw,
  };
  const said = asSaid(head, facts);
  return said ? [candidate(form.name, said, { doubt: form.doubt(facts, columns) })] : [];
};

/** The head with the box form that the user says; null where it has no boxes to say a form of. */
const asSaid = (head: DenseHead, { boxes: form = "cxcywh", coordinates = "pixels" }: Facts): Head | null => {
  if (form === "cxcywh" && coordinates === "pixels") return head;
  return head.raw ? null : { ...tableOfHead(head), form, coordinates };
};

/** The maps that training reads, one a level, which some exports put out beside the decoded output. */
const isRawMap = (facts: Facts, { shape }: TensorInfo, columns: number): boolean => {
  const strides = [4, 8, 16, 32, 64];
  const isLevel = (height: number | null | undefined, width: number | null | undefined): boolean =>
    strides.some(
      (stride) =>
        (height === null || height === Math.ceil(facts.size[1] / stride)) &&
        (width === null || width === Math.ceil(facts.size[0] / stride)),
    );
  if (shape.length === 5) return isLevel(shape[2], shape[3]) && (shape[4] === null || shape[4] === columns);
  return shape.length === 4 && isLevel(shape[2], shape[3]) && isBoxesAndClasses(shape[1] ?? null, columns);
};

/**
 * Channels of a map: the columns themselves, those of three anchors, or a distribution for each side beside the
 * classes.
 */
const isBoxesAndClasses = (channels: number | null, columns: number): boolean => {
  if (channels === null || channels === columns || channels === 3 * columns) return true;
  const distribution = channels - (columns - 4);
  return distribution >= 4 * 8 && distribution % 4 === 0 && channels > columns;
};

/** Two outputs of one shape (main and auxiliary head): each is a candidate, and the user says which. */
const isTwin = ({ shape }: TensorInfo, { outputs }: Facts, name: string): boolean =>
  outputs.find((output) => output.name === name)!.shape.join() === shape.join();

/**
 * Without class names nothing says whether a column of objectness comes before the classes; COCO's 80 classes and
 * the ops hint at it.
 */
const objectnessDoubt = (facts: Facts, columns: number | null): number =>
  facts.classes !== undefined || columns === 85
    ? 0
    : columns === 84
      ? 2
      : facts.ops !== undefined && has(facts, "Softmax")
        ? 1
        : 0;
const plainDoubt = (facts: Facts, columns: number | null): number =>
  facts.classes !== undefined || columns === 84
    ? 0
    : columns === 85
      ? 2
      : facts.ops !== undefined && has(facts, "Softmax")
        ? 0
        : 1;

const forms: readonly DenseForm[] = [
  { name: "yolov5", family: "yolov5", anchors: 3, channelsFirst: false, objectness: true, raw: false, doubt: () => 0 },
  { name: "yolov8", family: "yolov8", anchors: 1, channelsFirst: true, objectness: false, raw: false, doubt: () => 0 },
  {
    name: "yolov8-transposed",
    family: "yolov8",
    anchors: 1,
    channelsFirst: false,
    objectness: false,
    raw: false,
    doubt: plainDoubt,
  },
  {
    name: "yolov6",
    family: "yolov6",
    anchors: 1,
    channelsFirst: false,
    objectness: true,
    raw: false,
    doubt: (facts, columns) => 2 + objectnessDoubt(facts, columns),
  },
  {
    name: "yolox",
    family: "yolox",
    anchors: 1,
    channelsFirst: false,
    objectness: true,
    raw: false,
    doubt: (facts, columns) =>
      objectnessDoubt(facts, columns) + (facts.ops && (!has(facts, "Exp") || has(facts, "Softmax")) ? 1 : 0),
  },
  {
    name: "yolox-raw",
    family: "yolox",
    anchors: 1,
    channelsFirst: false,
    objectness: true,
    raw: true,
    doubt: (facts, columns) =>
      objectnessDoubt(facts, columns) + (facts.ops && (has(facts, "Exp") || has(facts, "Softmax")) ? 1 : 0),
  },
];

const alwaysOne = (readings: Readings): boolean =>
  readings.objectness !== null &&
  share(rows(readings.objectness), (row) => Math.abs(column(readings.objectness!, row, 0) - 1) < 1e-3) === 1;

/** In rows that surely hold an object, the first class column and another are both high: objectness read as a class. */
const firesWithOthers = (readings: Readings): boolean => {
  const { scores, classCount } = readings;
  if (scores.by !== "class" || classCount < 2) return false;
  const sure = rows(readings).filter((row) =>
    Array.from({ length: classCount - 1 }, (_, c) => column(scores.classes, row, c + 1)).some((value) => value >= 0.25),
  );
  return sure.length > 0 && share(sure, (row) => column(scores.classes, row, 0) >= 0.25) >= 0.9;
};

const objectnessFirst = (readings: Readings): readonly string[] =>
  firesWithOthers(readings) ? ["the first class is high wherever another class is: it is objectness"] : [];

const checks: Readonly<Partial<Record<string, Layout["check"]>>> = {
  yolov6: (readings) => (alwaysOne(readings) ? [] : ["the objectness of YOLOv6 is 1 in every row, this one is not"]),
  yolox: (readings) => [
    ...(alwaysOne(readings) ? ["the objectness is 1 in every row, as YOLOv6 writes it"] : []),
    ...(areOffsets(readings, rowScores(readings))
      ? ["the numbers of the boxes are as small as offsets on the grid, not pixels"]
      : []),
  ],
  "yolox-raw": (readings) => (alwaysOne(readings) ? ["the objectness is 1 in every row, as YOLOv6 writes it"] : []),
  yolov8: (readings, { classes }) => (classes === undefined ? objectnessFirst(readings) : []),
  "yolov8-transposed": objectnessFirst,
};

export const denseLayouts: readonly Layout[] = forms.map((form) => {
  const check = checks[form.name];
  const row = {
    name: form.name,
    family: form.family,
    preprocess: form.family === "yolox" ? "yolox" : "yolov8",
    recognise: recognise(form),
  } as const;
  return check ? { ...row, check } : row;
});

/** Rows of a dense head, several anchors to a cell counted. */
export const anchorsPerCell = (head: Pick<DenseHead, "size" | "strides">, rowCount: number): number =>
  Math.round(rowCount / cellCount(head.size, head.strides));
