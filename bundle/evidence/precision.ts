import { classMatches, recallPoints, type AreaRange, type EvaluatedPicture } from "../../vision/coco-map.ts";

/** One class's detections of all pictures by falling score, matched; average precision of any weighting of the pictures in one pass. */
export interface Ranked {
  /** Index of each detection's picture. */
  readonly picture: Int32Array;
  /** By IoU threshold (0.50:0.05:0.95): 1 right, 0 wrong, -1 ignored. */
  readonly verdicts: readonly Int8Array[];
  /** Ground truth that counts, by picture. */
  readonly positives: Int32Array;
}

export const rank = (pictures: readonly EvaluatedPicture[], classIndex: number, range: AreaRange): Ranked => {
  const matches = classMatches(pictures, classIndex, range);
  const all = matches.flatMap(({ scores }, picture) => scores.map((score, d) => ({ score, picture, d }))).sort((a, b) => b.score - a.score);
  const thresholds = Array.from({ length: 10 }, (_, t) => Int8Array.from(all, ({ picture, d }) => {
    const { matched, ignored } = matches[picture]!;
    return ignored[t]![d] ? -1 : matched[t]![d]!;
  }));
  return { picture: Int32Array.from(all, ({ picture }) => picture), verdicts: thresholds, positives: Int32Array.from(matches, ({ positives }) => positives) };
};

/** The detections of those pictures alone whose weight is above 0: what resamples of a slice are drawn from. */
export const among = ({ picture, verdicts, positives }: Ranked, weights: ArrayLike<number>): Ranked => {
  const kept = [...picture.keys()].filter((i) => weights[picture[i]!]! > 0);
  return {
    picture: Int32Array.from(kept, (i) => picture[i]!), verdicts: verdicts.map((verdict) => Int8Array.from(kept, (i) => verdict[i]!)), positives,
  };
};

/**
 * AP at each IoU threshold as `cocoAccuracy` computes it, each picture counted `weights[picture]` times; null where no ground truth counts.
 * Precision is made monotone from the right and read at 101 recalls.
 */
export const averagePrecision = ({ picture, verdicts, positives }: Ranked, weights: ArrayLike<number>): number[] | null => {
  let truth = 0;
  for (let i = 0; i < positives.length; i++) truth += positives[i]! * weights[i]!;
  if (truth === 0) return null;
  const recalls = new Float64Array(picture.length);
  const precisions = new Float64Array(picture.length);
  return verdicts.map((verdict) => {
    // Recall rises at right detections alone, and precision falls at wrong ones: the right ones are the whole curve.
    let [right, wrong, count] = [0, 0, 0];
    for (let i = 0; i < verdict.length; i++) {
      const weight = weights[picture[i]!]!;
      if (weight === 0) continue;
      if (verdict[i] === 0) wrong += weight;
      if (verdict[i] !== 1) continue;
      right += weight;
      recalls[count] = right / truth;
      precisions[count++] = right / (wrong + right + Number.EPSILON);
    }
    for (let i = count - 1; i > 0; i--) if (precisions[i]! > precisions[i - 1]!) precisions[i - 1] = precisions[i]!;
    let [at, sum] = [0, 0];
    for (const point of recallPoints) {
      while (at < count && recalls[at]! < point) at++;
      if (at < count) sum += precisions[at]!;
    }
    return sum / recallPoints.length;
  });
};
