import { UserError } from "../graph/error.ts";

export const headFamilies = ["yolov5", "yolov8", "yolox", "end2end", "detr", "boxes"] as const;
export type HeadFamily = (typeof headFamilies)[number];

interface HeadBase {
  readonly family: HeadFamily;
  readonly classCount: number;
  /** The model outputs that `decode` reads, in its order. */
  readonly outputNames: readonly string[];
  /** Network input [width, height] in pixels. */
  readonly size: readonly [number, number];
  /** False where the model itself leaves one box per object. */
  readonly needsNms: boolean;
}

/** One row per anchor: cx, cy, w, h, (objectness,) class probabilities. */
export interface DenseHead extends HeadBase {
  readonly kind: "dense";
  /** [N, columns, anchors] rather than [N, anchors, columns]. */
  readonly channelsFirst: boolean;
  readonly objectness: boolean;
  /** Boxes are offsets on the grid (YOLOX without decoding): centre = (xy + cell) stride, size = exp(wh) stride. */
  readonly raw: boolean;
  readonly strides: readonly number[];
}

/** Rows x1, y1, x2, y2, score, class in network pixels; [N, K, 6]. */
export interface RowsHead extends HeadBase {
  readonly kind: "rows";
}

/** Boxes cx, cy, w, h in 0..1 of the network's input; class scores in the same output (after the box) or in a second one. */
export interface QueryHead extends HeadBase {
  readonly kind: "query";
  /** `softmax`: the last class is "no object" and is dropped; `none`: the scores are probabilities already. */
  readonly activation: "sigmoid" | "softmax" | "none";
}

/** Boxes x1, y1, x2, y2 in network pixels with a score matrix [N, K, classes], or with a score and a label per box. */
export interface BoxesHead extends HeadBase {
  readonly kind: "boxes";
  readonly labels: boolean;
  /** Subtracted from the model's labels: 1 where class 0 is the background (torchvision). */
  readonly labelOffset: number;
}

export type Head = DenseHead | RowsHead | QueryHead | BoxesHead;

export interface TensorInfo {
  readonly name: string;
  /** Unknown dimensions as null. */
  readonly shape: readonly (number | null)[];
  /** ONNX Runtime's name of the type ("float32", "int64"), where known. */
  readonly type?: string;
}

export interface HeadQuestion {
  readonly outputs: readonly TensorInfo[];
  readonly metadata?: ReadonlyMap<string, string>;
  /** How often each op type occurs in the graph. */
  readonly ops?: ReadonlyMap<string, number>;
  /** From the dataset or the config, where the metadata has no names. */
  readonly classCount?: number;
  /** Network input [width, height]. */
  readonly size: readonly [number, number];
  /** From the config; `auto` or absent: recognise. */
  readonly family?: HeadFamily | "auto";
  /** See BoxesHead; default 0. */
  readonly labelOffset?: number;
}

/** `names` as Ultralytics writes it (a Python dict `{0: 'person', …}` or a JSON object or list) → class names in order; null where absent. */
export function classNames(metadata: ReadonlyMap<string, string>): string[] | null {
  const text = metadata.get("names");
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value.map(String);
    if (typeof value === "object" && value !== null) return Object.entries(value).sort(([a], [b]) => Number(a) - Number(b)).map(([, name]) => String(name));
  } catch {
    // Not JSON: Python's dict, read below.
  }
  const entries = [...text.matchAll(/(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)];
  if (entries.length === 0) return null;
  return entries.sort((a, b) => Number(a[1]) - Number(b[1])).map(([, , single, double]) => (single ?? double ?? "").replace(/\\(.)/g, "$1"));
}

const strideSets = [[8, 16, 32], [8, 16, 32, 64], [4, 8, 16, 32]] as const;

/** Anchors of one per cell over all strides. */
export const cellCount = ([width, height]: readonly [number, number], strides: readonly number[]): number =>
  strides.reduce((sum, stride) => sum + Math.ceil(width / stride) * Math.ceil(height / stride), 0);

interface Facts extends HeadQuestion {
  /** The class count, if anything states it. */
  readonly classes: number | undefined;
}

const fits = (dimension: number | null | undefined, wanted: number): boolean => dimension === null || dimension === wanted;
const has = (facts: Facts, op: string): boolean => (facts.ops?.get(op) ?? 0) > 0;

/** Every head that the outputs can be; the caller counts them. */
type Reader = (facts: Facts) => readonly Head[];

/** A class count that a layout implies, or none when it contradicts what is known. */
function implied(facts: Facts, columns: number | null | undefined, others: number): number | null {
  const count = columns === null || columns === undefined ? facts.classes : columns - others;
  if (count === undefined || count < 1 || (facts.classes !== undefined && facts.classes !== count)) return null;
  return count;
}

function single(facts: Facts): TensorInfo | null {
  const ranked = facts.outputs.filter(({ shape }) => shape.length === 3);
  // Detectors with a train-time tail also export their raw rank-4/5 maps; the decoded output is the only one of rank 3.
  return ranked.length === 1 ? ranked[0] ?? null : null;
}

function denseHeads(facts: Facts, family: HeadFamily, anchorsPerCell: number, layout: { channelsFirst: boolean; objectness: boolean; raw: boolean }): Head[] {
  const output = single(facts);
  if (!output) return [];
  const [, a, b] = output.shape;
  const [anchors, columns] = layout.channelsFirst ? [b, a] : [a, b];
  const strides = strideSets.find((set) => fits(anchors, anchorsPerCell * cellCount(facts.size, set)));
  const classCount = implied(facts, columns, layout.objectness ? 5 : 4);
  if (!strides || classCount === null) return [];
  return [{ kind: "dense", family, classCount, outputNames: [output.name], size: facts.size, needsNms: true, strides, ...layout }];
}

const readers: Readonly<Record<HeadFamily, Reader>> = {
  yolov5: (facts) => denseHeads(facts, "yolov5", 3, { channelsFirst: false, objectness: true, raw: false }),
  yolov8: (facts) => [true, false].flatMap((channelsFirst) => denseHeads(facts, "yolov8", 1, { channelsFirst, objectness: false, raw: false }))
    .filter((head) => head.kind !== "dense" || head.channelsFirst || !looksLikeYolox(facts)),
  yolox(facts) {
    const decoded = has(facts, "Exp");
    if (facts.ops && (has(facts, "Softmax") || (!decoded && has(facts, "Sub")))) return [];
    const candidates = facts.ops ? [!decoded] : [true, false];
    return candidates.flatMap((raw) => denseHeads(facts, "yolox", 1, { channelsFirst: false, objectness: true, raw }));
  },
  end2end(facts) {
    const output = single(facts);
    if (!output || output.shape[2] !== 6 || has(facts, "GridSample") || isGrid(facts, output)) return [];
    if (facts.classes === undefined) throw classCountUnknown(output.name);
    return [{ kind: "rows", family: "end2end", classCount: facts.classes, outputNames: [output.name], size: facts.size, needsNms: false }];
  },
  detr: (facts) => [...joinedQueries(facts), ...splitQueries(facts)],
  boxes: (facts) => [...scoredBoxes(facts), ...labelledBoxes(facts)],
};

/** A [N, anchors, 5 + classes] output of a graph without DFL: objectness comes before the classes. */
const looksLikeYolox = (facts: Facts): boolean => facts.ops !== undefined && facts.classes === undefined && !has(facts, "Softmax");

const isGrid = (facts: Facts, { shape: [, a, b] }: TensorInfo): boolean =>
  strideSets.some((set) => [1, 3].some((anchors) => [a, b].includes(anchors * cellCount(facts.size, set))));

/** RT-DETR as Ultralytics exports it: [N, queries, 4 + classes]. */
function joinedQueries(facts: Facts): Head[] {
  const output = single(facts);
  if (!output || facts.outputs.some(({ shape }) => shape.length === 2) || isGrid(facts, output)) return [];
  const classCount = typeof output.shape[2] === "number" ? implied(facts, output.shape[2], 4) : null;
  // Six columns are also what an end-to-end YOLO gives; only the deformable attention of a DETR decides.
  if (classCount === null || (facts.ops && !has(facts, "GridSample") && output.shape[2] === 6)) return [];
  return [{ kind: "query", family: "detr", classCount, outputNames: [output.name], size: facts.size, needsNms: false, activation: "none" }];
}

/** The output that holds boxes and the one that holds a matrix of scores over the same rows. */
function boxesAndMatrix({ outputs }: Facts): { boxes: TensorInfo; scores: TensorInfo } | null {
  const ranked = outputs.filter(({ shape }) => shape.length === 3);
  if (ranked.length !== 2) return null;
  const four = ranked.filter(({ shape }) => shape[2] === 4);
  const boxes = four.length === 1 ? four[0] : four.find(({ name }) => /box/i.test(name));
  const scores = ranked.find((output) => output !== boxes);
  return boxes && scores && (boxes.shape[1] === scores.shape[1]) ? { boxes, scores } : null;
}

function splitQueries(facts: Facts): Head[] {
  const pair = boxesAndMatrix(facts);
  if (!pair || isGrid(facts, { name: "", shape: [1, pair.boxes.shape[1] ?? null, null] })) return [];
  if (facts.classes === undefined) throw classCountUnknown(pair.scores.name);
  const columns = pair.scores.shape[2] ?? null;
  const base = { kind: "query", family: "detr", outputNames: [pair.boxes.name, pair.scores.name], size: facts.size, needsNms: false } as const;
  const head = (activation: "sigmoid" | "softmax", extra: number): Head[] => (fits(columns, (facts.classes ?? 0) + extra) ? [{ ...base, classCount: facts.classes ?? 0, activation }] : []);
  return [...head("sigmoid", 0), ...head("softmax", 1)];
}

/** YOLO-NAS and others: dense boxes beside a matrix of probabilities. */
function scoredBoxes(facts: Facts): Head[] {
  const pair = boxesAndMatrix(facts);
  if (!pair || !isGrid(facts, { name: "", shape: [1, pair.boxes.shape[1] ?? null, null] })) return [];
  const classCount = implied(facts, pair.scores.shape[2], 0);
  if (classCount === null) return [];
  return [{ kind: "boxes", family: "boxes", classCount, outputNames: [pair.boxes.name, pair.scores.name], size: facts.size, needsNms: true, labels: false, labelOffset: 0 }];
}

/** Faster R-CNN and others after NMS: boxes [(N,) K, 4], scores [(N,) K], labels [(N,) K]. */
function labelledBoxes(facts: Facts): Head[] {
  const boxes = facts.outputs.filter(({ shape }) => shape.length >= 2 && shape.length <= 3 && shape.at(-1) === 4);
  const [box] = boxes;
  if (!box || boxes.length !== 1) return [];
  const flat = facts.outputs.filter((output) => output !== box && output.shape.length === box.shape.length - 1);
  const labels = flat.filter(({ name, type }) => (type === undefined ? /label|class/i.test(name) : /int/.test(type) && !/num|count/i.test(name)));
  const scores = flat.filter(({ name, type }) => (type === undefined ? /score|conf|prob/i.test(name) : /float/.test(type)));
  const [label, score] = [labels[0], scores[0]];
  if (!label || !score || labels.length !== 1 || scores.length !== 1) return [];
  if (facts.classes === undefined) throw classCountUnknown(label.name);
  return [{
    kind: "boxes", family: "boxes", classCount: facts.classes, outputNames: [box.name, score.name, label.name], size: facts.size, needsNms: false,
    labels: true, labelOffset: facts.labelOffset ?? 0,
  }];
}

/**
 * What kind of detector the model is, from its output shapes, its ops and its metadata. Layouts: YOLOv5/v7 [N, 3 cells, 5 + C],
 * YOLOv8/v11 [N, 4 + C, cells], YOLOX [N, cells, 5 + C] decoded or raw, end-to-end [N, K, 6], DETR boxes + logits, plain boxes.
 * @throws UserError HEAD_UNKNOWN (no layout fits), HEAD_AMBIGUOUS (several do), HEAD_CLASS_COUNT (the number of classes is not stated anywhere).
 */
export function recogniseHead(question: HeadQuestion): Head {
  const named = classNames(question.metadata ?? new Map<string, string>())?.length;
  if (named !== undefined && question.classCount !== undefined && named !== question.classCount) throw classCountsDiffer(named, question.classCount);
  const facts: Facts = { ...question, classes: question.classCount ?? named };
  const families = question.family && question.family !== "auto" ? [question.family] : headFamilies;
  const heads = families.flatMap((family) => readers[family](facts));
  const [head, other] = heads;
  if (!head) throw headUnknown(facts);
  if (other) throw headAmbiguous(facts, heads);
  return head;
}

const shapeText = ({ outputs }: HeadQuestion): string => outputs.map(({ name, shape }) => `"${name}" [${shape.map((d) => d ?? "?").join(", ")}]`).join(", ");

const headUnknown = (facts: Facts): UserError =>
  new UserError("HEAD_UNKNOWN",
    `The model's outputs ${shapeText(facts)} are not those of a known detector at ${facts.size.join("x")}${facts.classes === undefined ? "" : ` with ${facts.classes} classes`}${facts.family && facts.family !== "auto" ? ` of family ${facts.family}` : ""}.`,
    `check that the model is a detector, that input.size is its own and that the class list fits; known layouts: ${headFamilies.join(", ")}.`);

const headAmbiguous = (facts: Facts, heads: readonly Head[]): UserError =>
  new UserError("HEAD_AMBIGUOUS",
    `The model's outputs ${shapeText(facts)} fit ${heads.map((head) => `${head.family} with ${head.classCount} classes${head.kind === "dense" && head.raw ? " (raw)" : ""}`).join(" and ")}.`,
    `set the family (one of ${headFamilies.join(", ")}) and the class list.`);

const classCountUnknown = (output: string): UserError =>
  new UserError("HEAD_CLASS_COUNT", `Output "${output}" does not tell how many classes the model has, and its metadata has no names.`, "give the class list (data.classes, or names in the model's metadata).");

const classCountsDiffer = (named: number, wanted: number): UserError =>
  new UserError("HEAD_CLASS_COUNT", `The model's metadata names ${named} classes, but ${wanted} were given.`, "give the model's own class list; classes are matched to the dataset's by name.");
