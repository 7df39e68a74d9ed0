import { largest } from "../input/largest.ts";
import type { Rows } from "./rows.ts";

/** How far two detectors are apart on the same pictures. */
export interface Distance {
  /** Largest difference of a box side, pixels. */
  readonly boxPixels: number;
  /** Largest difference of a score. */
  readonly score: number;
  /** Largest difference of a box side, in units of the box (of `smallBox` where it is smaller). */
  readonly boxRelative: number;
  /**
   * Largest difference of a log-odds, in units of it (of 1 where it is smaller): differences count where all scores
   * are tiny too.
   */
  readonly scoreRelative: number;
  /** The share of anchors whose box is too far off. */
  readonly boxesOff: number;
  /** Indexes of classes whose scores are too far off. */
  readonly classesOff: readonly number[];
  /** Why the two cannot be compared anchor by anchor. */
  readonly reason?: string;
}

/** Rewritten models must agree with the given one to this, relative. */
export const proofTolerance = 1e-3;
/** Boxes smaller than this (pixels) are not measured by their own size. */
const smallBox = 32;
/** Scores closer to 0 and 1 than this have no log-odds worth comparing in float32. */
const [lowest, highest] = [1e-9, 1 - 1e-4];
/** ONNX Runtime's sigmoid is a rational function: near 0 the same logit gives scores this far apart in two graphs. */
const sigmoidNoise = 4e-6;

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
      const relative = pixels / Math.max(smallBox, largest(sidesOf(a.corners, 4 * anchor)));
      boxPixels = Math.max(boxPixels, pixels);
      boxRelative = Math.max(boxRelative, relative);
      if (!(relative <= proofTolerance)) off++;
    }
    for (let i = 0; i < a.scores.length; i++) {
      const [x, y] = [a.scores[i]!, b.scores[i]!];
      if (Math.abs(x - y) <= sigmoidNoise) continue;
      const odds = logOdds(x);
      const relative = finiteOr(Math.abs(odds - logOdds(y)) / Math.max(1, Math.abs(odds)));
      score = Math.max(score, finiteOr(Math.abs(x - y)));
      scoreRelative = Math.max(scoreRelative, relative);
      if (relative > proofTolerance) classesOff.add(i % classCount);
    }
  }
  return {
    boxPixels,
    score,
    boxRelative,
    scoreRelative,
    boxesOff: off / Math.max(1, anchors),
    classesOff: [...classesOff].sort((a, b) => a - b),
  };
};

const finiteOr = (value: number): number => (Number.isNaN(value) ? Infinity : value);

/** Width and height. */
const sidesOf = (corners: Float32Array, at: number): readonly [number, number] => [
  Math.abs(corners[at + 2]! - corners[at]!),
  Math.abs(corners[at + 3]! - corners[at + 1]!),
];

const largestSide = (a: Float32Array, b: Float32Array, at: number): number => {
  let largest = 0;
  for (let side = at; side < at + 4; side++)
    if (a[side] !== b[side]) largest = Math.max(largest, finiteOr(Math.abs(a[side]! - b[side]!)));
  return largest;
};

const cannotCompare = (a: Rows, b: Rows | undefined): Distance => ({
  boxPixels: Infinity,
  score: Infinity,
  boxRelative: Infinity,
  scoreRelative: Infinity,
  boxesOff: 1,
  classesOff: [],
  reason: b ? `it gives ${amount(b)} where the model gives ${amount(a)}` : "it gives no boxes",
});

const amount = ({ anchors, scores }: Rows): string => `${anchors} boxes with ${scores.length / anchors} scores each`;

export const agrees = ({ boxRelative, scoreRelative, reason }: Distance): boolean =>
  reason === undefined && boxRelative <= proofTolerance && scoreRelative <= proofTolerance;

/** What is apart, in words: "boxes by up to 12.3 px on 40 % of the anchors; scores of "car", "truck" by up to 0.5". */
export const distanceText = (
  { boxRelative, boxPixels, boxesOff, scoreRelative, score, classesOff, reason }: Distance,
  classes: readonly string[],
): string => {
  if (reason !== undefined) return reason;
  const parts: string[] = [];
  if (!(boxRelative <= proofTolerance))
    parts.push(
      `boxes by up to ${short(boxPixels)} px on ${(100 * boxesOff).toFixed(boxesOff < 0.01 ? 2 : 0)} % of the anchors`,
    );
  if (!(scoreRelative <= proofTolerance)) {
    const names = classesOff
      .slice(0, 5)
      .map((index) => `"${classes[index]}"`)
      .join(", ");
    const more = classesOff.length > 5 ? ` and ${classesOff.length - 5} more classes` : "";
    parts.push(`scores of ${names}${more} by up to ${short(score)} (${short(scoreRelative)} of their log-odds)`);
  }
  return parts.join("; ");
};

/** A small number in few digits. */
export const short = (value: number): string =>
  value === 0 ? "0" : value >= 0.1 && value < 1e4 ? value.toFixed(1) : Number(value.toPrecision(1)).toString();
