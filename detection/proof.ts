import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { prepareGraph } from "./prepare.ts";
import { resizeInput } from "../rewrite/resize.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { decode, type Candidates } from "../vision/decode.ts";
import type { Head } from "../vision/heads.ts";
import type { Image8 } from "../vision/types.ts";
import { anchorCount, anchorLevels } from "./anchors.ts";
import { anotherStudent, canonicalDetector, type TrainableFamily } from "./canonical.ts";
import { describeDetector, runDetector, type DetectorModel } from "./detector.ts";
import { classMapping } from "./evaluate.ts";

/** What a dense detector says of one picture: a box and the score of each class for every anchor. */
export interface Rows {
  /** x1, y1, x2, y2 of each anchor, network pixels. */
  readonly corners: Float32Array;
  /** The scores of each anchor, class by class. */
  readonly scores: Float32Array;
  readonly anchors: number;
}

/** How far two detectors are apart on the same pictures. */
export interface Distance {
  /** Largest difference of a box side, pixels. */
  readonly boxPixels: number;
  /** Largest difference of a score. */
  readonly score: number;
  /** Largest difference of a box side, in units of the box (of `smallBox` where it is smaller). */
  readonly boxRelative: number;
  /** Largest difference of a log-odds, in units of the log-odds (of 1 where it is smaller): differences count where all scores are tiny too. */
  readonly scoreRelative: number;
  /** The share of anchors whose box is too far off. */
  readonly boxesOff: number;
  /** Indexes of classes whose scores are too far off. */
  readonly classesOff: readonly number[];
  /** Why the two cannot be compared anchor by anchor. */
  readonly reason?: string;
}

/** A rewritten model was compared with the one that it was made from. */
export interface Proof {
  /** What was rewritten, as a sentence begins: "student". */
  readonly what: string;
  /** File that it was compared with. */
  readonly model: string;
  readonly size: readonly [number, number];
  readonly pictures: number;
  readonly boxPixels: number;
  readonly score: number;
}

/** Rewritten models must agree with the given one to this, relative. */
export const proofTolerance = 1e-3;
/** Boxes smaller than this (pixels) are not measured by their own size. */
const smallBox = 32;
/** Scores closer to 0 and 1 than this have no log-odds worth comparing in float32. */
const [lowest, highest] = [1e-9, 1 - 1e-4];

const logOdds = (score: number): number => {
  const p = Math.min(highest, Math.max(lowest, score));
  return Math.log(p / (1 - p));
};

/** Compares picture by picture, anchor by anchor; a NaN is infinitely far from everything. */
export const distanceOf = (given: readonly Rows[], rewritten: readonly Rows[]): Distance => {
  let [boxPixels, score, boxRelative, scoreRelative, off, anchors] = [0, 0, 0, 0, 0, 0];
  const classesOff = new Set<number>();
  for (const [n, a] of given.entries()) {
    const b = rewritten[n];
    if (b?.anchors !== a.anchors || b.scores.length !== a.scores.length) return cannotCompare(a, b);
    const classCount = a.scores.length / a.anchors;
    anchors += a.anchors;
    for (let anchor = 0; anchor < a.anchors; anchor++) {
      const pixels = largestSide(a.corners, b.corners, 4 * anchor);
      const relative = pixels / Math.max(smallBox, Math.abs(a.corners[4 * anchor + 2]! - a.corners[4 * anchor]!), Math.abs(a.corners[4 * anchor + 3]! - a.corners[4 * anchor + 1]!));
      boxPixels = Math.max(boxPixels, pixels);
      boxRelative = Math.max(boxRelative, relative);
      if (!(relative <= proofTolerance)) off++;
    }
    for (let i = 0; i < a.scores.length; i++) {
      const [x, y] = [a.scores[i]!, b.scores[i]!];
      if (x === y) continue;
      const odds = logOdds(x);
      const relative = finiteOr(Math.abs(odds - logOdds(y)) / Math.max(1, Math.abs(odds)));
      score = Math.max(score, finiteOr(Math.abs(x - y)));
      scoreRelative = Math.max(scoreRelative, relative);
      if (relative > proofTolerance) classesOff.add(i % classCount);
    }
  }
  return { boxPixels, score, boxRelative, scoreRelative, boxesOff: off / Math.max(1, anchors), classesOff: [...classesOff].sort((a, b) => a - b) };
};

const finiteOr = (value: number): number => (Number.isNaN(value) ? Infinity : value);

const largestSide = (a: Float32Array, b: Float32Array, at: number): number => {
  let largest = 0;
  for (let side = at; side < at + 4; side++) if (a[side] !== b[side]) largest = Math.max(largest, finiteOr(Math.abs(a[side]! - b[side]!)));
  return largest;
};

const cannotCompare = (a: Rows, b: Rows | undefined): Distance => ({
  boxPixels: Infinity, score: Infinity, boxRelative: Infinity, scoreRelative: Infinity, boxesOff: 1, classesOff: [],
  reason: b ? `it gives ${b.anchors} boxes with ${b.scores.length / b.anchors} scores each where the model gives ${a.anchors} with ${a.scores.length / a.anchors}` : "it gives no boxes",
});

export const agrees = ({ boxRelative, scoreRelative, reason }: Distance): boolean => reason === undefined && boxRelative <= proofTolerance && scoreRelative <= proofTolerance;

/** The rows of a batch as decoding reads them, `classRows` of the classes in their order; anchors whose score is no number are missing. */
export const rowsOf = (head: Head, outputs: Parameters<typeof decode>[1], picture: number, classRows: readonly number[]): Rows => {
  const { count, boxes, probabilities }: Candidates = decode(head, outputs, picture, { scoreThreshold: -1, withProbabilities: true });
  const corners = new Float32Array(4 * count);
  const scores = new Float32Array(count * classRows.length);
  for (let i = 0; i < count; i++) {
    const [x, y, w, h] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
    corners.set([x, y, x + w, y + h], 4 * i);
    for (const [to, from] of classRows.entries()) scores[i * classRows.length + to] = probabilities![i * head.classCount + from]!;
  }
  return { corners, scores, anchors: count };
};

/** The rows of each picture, `batch` pictures at a time. */
export const readRows = async (model: DetectorModel, pictures: readonly Image8[], classRows: readonly number[], options: { readonly batch: number; readonly session?: SessionOptions; readonly source?: Graph | string }): Promise<Rows[]> => {
  const running = await runDetector(model, options.session, options.source ?? model.graph);
  try {
    const rows: Rows[] = [];
    for (let first = 0; first < pictures.length; first += options.batch) {
      const some = pictures.slice(first, first + options.batch);
      const outputs = await running.run(some);
      rows.push(...some.map((_, picture) => rowsOf(model.head, outputs, picture, classRows)));
    }
    return rows;
  } finally {
    await running.close();
  }
};

/** A rewritten detector at some input size, and what it says of pictures when they come as one batch. */
export interface Rewritten {
  readonly graph: Graph;
  readonly read: (pictures: readonly Image8[]) => Promise<Rows[]>;
}

export interface ProofOptions {
  /** Sentences begin with it: "student". */
  readonly what: string;
  /** File name in messages. */
  readonly label: string;
  readonly classes: readonly string[];
  /** Input size that is wanted. */
  readonly size: readonly [number, number];
  /** Two or more different pictures. */
  readonly pictures: readonly Image8[];
  readonly session?: SessionOptions;
}

/**
 * Brings a dense detector into its trainable form at the wanted size, `finish`ed by the caller, and proves it: at the model's own size, in a batch, it gives
 * what the model gives for each picture alone; at another size what the model resized as a whole gives. Throws the UserErrors of `canonicalDetector`,
 * HEAD_DIFFERS where the two are apart.
 */
export const provenCanonical = async (model: DetectorModel, family: TrainableFamily, options: ProofOptions, finish: (graph: Graph, size: readonly [number, number]) => Rewritten | Promise<Rewritten>): Promise<{ readonly rewritten: Rewritten; readonly proofs: readonly Proof[]; readonly notes: readonly string[] }> => {
  const { classes, size, pictures, session } = options;
  const mapping = classMapping(model.classes, classes);
  const classRows = classes.map((_, index) => mapping.indexOf(index));
  const prepared = prepareGraph(model.graph);
  const [output] = model.head.outputNames;
  const at = async (wanted: readonly [number, number]): Promise<Rewritten> =>
    finish(canonicalDetector(prepared, family, { size: wanted, classRows, classCount: model.head.classCount, ...(output !== undefined && { output }) }), wanted);
  const alone = { batch: 1, ...(session && { session }) };
  const proofs: Proof[] = [];
  const compare = async (given: DetectorModel, rewritten: Rewritten): Promise<void> => {
    proofs.push(proven(options, given.contract.size, await readRows(given, pictures, classRows, alone), await rewritten.read(pictures)));
  };
  const own = await at(model.contract.size);
  await compare(model, own);
  if (size[0] === model.contract.size[0] && size[1] === model.contract.size[1]) return { rewritten: own, proofs, notes: [] };
  const rewritten = await at(size);
  const whole = await resizedWhole(model, prepared, options);
  if (whole instanceof UserError) {
    const rows = await rewritten.read(pictures);
    checkFinite(options, size, rows);
    return { rewritten, proofs, notes: [`${options.what} ${options.label}: at ${size.join("x")} its head is proven by its form alone, since the model as a whole cannot be brought there (${whole.message})`] };
  }
  await compare(whole, rewritten);
  return { rewritten, proofs, notes: [] };
};

/** The model with its own tail at the wanted size, or why that cannot be. */
const resizedWhole = async (model: DetectorModel, prepared: Graph, { size, label }: ProofOptions): Promise<DetectorModel | UserError> => {
  try {
    const { graph } = resizeInput(prepared, { width: size[0], height: size[1] });
    return await describeDetector(graph, label, { family: model.head.family, classes: model.classes, preprocess: { ...model.contract, size } });
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
};

const proven = (options: ProofOptions, size: readonly [number, number], given: readonly Rows[], rewritten: readonly Rows[]): Proof => {
  checkFinite(options, size, given);
  const distance = distanceOf(given, rewritten);
  if (!agrees(distance)) throw headDiffers(options, size, distance);
  return { what: options.what, model: options.label, size, pictures: given.length, boxPixels: distance.boxPixels, score: distance.score };
};

/** True where every anchor of a three-level head has a finite box and finite scores; decoding leaves out rows whose score is no number. */
export const allFinite = (rows: readonly Rows[], size: readonly [number, number]): boolean => {
  const whole = anchorCount(anchorLevels(size));
  return rows.every(({ corners, scores, anchors }) => anchors === whole && corners.every(Number.isFinite) && scores.every(Number.isFinite));
};

const checkFinite = ({ what, label }: ProofOptions, size: readonly [number, number], rows: readonly Rows[]): void => {
  if (allFinite(rows, size)) return;
  throw new UserError("NOT_FINITE", `The ${what} ${label} gives boxes or scores that are no finite numbers on a picture of the training set.`,
    "check the model's export: run it in the framework that it comes from.");
};

/** A proof in one line, as people read it. */
export const proofLine = ({ what, model, size, boxPixels, score }: Proof): string =>
  `${what} equals ${model} at ${size.join("x")}: boxes within ${short(boxPixels)} px, scores within ${short(score)}`;

const short = (value: number): string => (value === 0 ? "0" : value >= 0.1 && value < 1e4 ? value.toFixed(1) : Number(value.toPrecision(1)).toString());

/** What is apart, in words: "boxes by up to 12.3 px on 40 % of the anchors; scores of "car", "truck" by up to 0.5". */
export const distanceText = ({ boxRelative, boxPixels, boxesOff, scoreRelative, score, classesOff, reason }: Distance, classes: readonly string[]): string => {
  if (reason !== undefined) return reason;
  const parts: string[] = [];
  if (!(boxRelative <= proofTolerance)) parts.push(`boxes by up to ${short(boxPixels)} px on ${(100 * boxesOff).toFixed(boxesOff < 0.01 ? 2 : 0)} % of the anchors`);
  if (!(scoreRelative <= proofTolerance)) {
    const names = classesOff.slice(0, 5).map((index) => `"${classes[index]}"`).join(", ");
    parts.push(`scores of ${names}${classesOff.length > 5 ? ` and ${classesOff.length - 5} more classes` : ""} by up to ${short(score)} (${short(scoreRelative)} of their log-odds)`);
  }
  return parts.join("; ");
};

const headDiffers = ({ what, label, classes }: ProofOptions, size: readonly [number, number], distance: Distance): UserError =>
  new UserError("HEAD_DIFFERS",
    `The ${what} made from ${label} does not compute what the file computes (${size.join("x")} pixels, real pictures): ${distanceText(distance, classes)}. Its head is built in a way that cannot be rebuilt for training.`,
    anotherStudent);
