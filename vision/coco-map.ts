import type { Detection, LabelledBox } from "./types.ts";

/** One picture's truth and predictions. */
export interface EvaluatedPicture {
  readonly groundTruth: readonly LabelledBox[];
  readonly detections: readonly Detection[];
}

export interface ClassAccuracy {
  readonly classIndex: number;
  readonly class: string;
  readonly map: number;
  readonly map50: number;
  /** Ground-truth boxes, crowds not counted. */
  readonly instances: number;
}

/** COCO's twelve figures, 0..1; -1 where there is no ground truth to judge by (as pycocotools). */
export interface CocoAccuracy {
  readonly images: number;
  readonly map: number;
  readonly map50: number;
  readonly map75: number;
  readonly mapSmall: number;
  readonly mapMedium: number;
  readonly mapLarge: number;
  readonly ar1: number;
  readonly ar10: number;
  readonly ar100: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
  /** Classes with ground truth, in order. */
  readonly perClass: readonly ClassAccuracy[];
}

/** n values from `low` to `high` as NumPy's linspace rounds them. */
const linspace = (low: number, high: number, n: number): number[] => Array.from({ length: n }, (_, i) => (i === n - 1 ? high : i * ((high - low) / (n - 1)) + low));

const iouThresholds = linspace(0.5, 0.95, 10);
export const recallPoints = linspace(0, 1, 101);
const maxDetections = [1, 10, 100] as const;
export const areaRanges = { all: [0, 1e10], small: [0, 32 ** 2], medium: [32 ** 2, 96 ** 2], large: [96 ** 2, 1e10] } as const;
export type AreaRange = keyof typeof areaRanges;

/** One picture, one class: pairs and their IoU. */
interface Pairs {
  readonly truth: readonly LabelledBox[];
  /** Best first, at most 100. */
  readonly found: readonly Detection[];
  /** iou[d][g]; for a crowd g, intersection over the detection's own area. */
  readonly iou: readonly Float64Array[];
}

/** One picture, one class, one area range: flags per IoU threshold and detection. */
export interface Matches {
  readonly scores: readonly number[];
  readonly matched: readonly Uint8Array[];
  readonly ignored: readonly Uint8Array[];
  /** Ground truth that counts. */
  readonly positives: number;
}

/** Precision at the recall points, and the highest recall, for each IoU threshold. */
interface Curve {
  readonly precision: readonly Float64Array[];
  readonly recall: readonly number[];
}

/**
 * Mean average precision as pycocotools' COCOeval (bbox) computes it: IoU 0.50:0.05:0.95, 101 recall points, 1/10/100 detections, crowds and
 * boxes outside the area range ignored. Pictures count in the order given (pycocotools: by image id), which decides ties of score.
 */
export function cocoAccuracy(pictures: readonly EvaluatedPicture[], classes: readonly string[]): CocoAccuracy {
  const curves = classes.map((_, classIndex) => classCurves(pictures, classIndex));
  const of = (range: AreaRange, max: (typeof maxDetections)[number] = 100): Curve[] => curves.flatMap((c) => c.get(`${range}/${max}`) ?? []);
  const precision = (list: readonly Curve[], threshold?: number): number => mean(list.flatMap((c) => (threshold === undefined ? c.precision : [c.precision[threshold] ?? []]).flatMap((p) => [...p])));
  const recall = (list: readonly Curve[]): number => mean(list.flatMap((c) => c.recall));
  return {
    images: pictures.length,
    map: precision(of("all")), map50: precision(of("all"), 0), map75: precision(of("all"), 5),
    mapSmall: precision(of("small")), mapMedium: precision(of("medium")), mapLarge: precision(of("large")),
    ar1: recall(of("all", 1)), ar10: recall(of("all", 10)), ar100: recall(of("all")),
    arSmall: recall(of("small")), arMedium: recall(of("medium")), arLarge: recall(of("large")),
    perClass: classes.flatMap((name, classIndex) => {
      const curve = curves[classIndex]?.get("all/100");
      if (!curve) return [];
      return [{ classIndex, class: name, map: precision([curve]), map50: precision([curve], 0), instances: instancesOf(pictures, classIndex) }];
    }),
  };
}

const mean = (values: readonly number[]): number => (values.length === 0 ? -1 : values.reduce((sum, v) => sum + v, 0) / values.length);

const instancesOf = (pictures: readonly EvaluatedPicture[], classIndex: number): number =>
  pictures.reduce((sum, { groundTruth }) => sum + groundTruth.filter((g) => g.classIndex === classIndex && !g.crowd).length, 0);

/** Curves of one class by "range/maxDetections"; none where no ground truth counts. */
function classCurves(pictures: readonly EvaluatedPicture[], classIndex: number): Map<string, Curve> {
  const pairs = pictures.map((picture) => pairsOf(picture, classIndex)).filter(({ truth, found }) => truth.length + found.length > 0);
  const curves = new Map<string, Curve>();
  for (const [range, limits] of Object.entries(areaRanges)) {
    const matches = pairs.map((pair) => match(pair, limits));
    for (const max of range === "all" ? maxDetections : [100]) {
      const curve = accumulate(matches, max);
      if (curve) curves.set(`${range}/${max}`, curve);
    }
  }
  return curves;
}

/** What `cocoAccuracy` counts, picture by picture: for figures of a part or a resample of the pictures. */
export const classMatches = (pictures: readonly EvaluatedPicture[], classIndex: number, range: AreaRange): Matches[] =>
  pictures.map((picture) => match(pairsOf(picture, classIndex), areaRanges[range]));

function pairsOf({ groundTruth, detections }: EvaluatedPicture, classIndex: number): Pairs {
  const truth = groundTruth.filter((g) => g.classIndex === classIndex);
  const found = detections.filter((d) => d.classIndex === classIndex).sort((a, b) => b.score - a.score).slice(0, 100);
  return { truth, found, iou: found.map((d) => Float64Array.from(truth, (g) => iou(d, g))) };
}

function iou({ box: [dx, dy, dw, dh] }: Detection, { box: [gx, gy, gw, gh], crowd }: LabelledBox): number {
  const w = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
  const h = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
  if (w <= 0 || h <= 0) return 0;
  const intersection = w * h;
  return intersection / (crowd ? dw * dh : dw * dh + gw * gh - intersection);
}

const outside = (area: number, [low, high]: readonly [number, number]): boolean => area < low || area > high;

/** Detections take, best first, the free ground truth that they overlap most; ignored ground truth only when no other fits. */
function match({ truth, found, iou: overlaps }: Pairs, limits: readonly [number, number]): Matches {
  const ignoredTruth = truth.map((g) => g.crowd === true || outside(g.area ?? g.box[2] * g.box[3], limits));
  const order = truth.map((_, g) => g).sort((a, b) => Number(ignoredTruth[a]) - Number(ignoredTruth[b]));
  const matched = iouThresholds.map(() => new Uint8Array(found.length));
  const ignored = iouThresholds.map(() => new Uint8Array(found.length));
  iouThresholds.forEach((threshold, t) => {
    const taken = new Uint8Array(truth.length);
    found.forEach(({ box }, d) => {
      const g = bestFree(overlaps[d]!, order, taken, truth, ignoredTruth, Math.min(threshold, 1 - 1e-10));
      if (g === -1) {
        ignored[t]![d] = Number(outside(box[2] * box[3], limits));
        return;
      }
      taken[g] = 1;
      matched[t]![d] = Number(!truth[g]!.unmatchable);
      ignored[t]![d] = Number(ignoredTruth[g] || (truth[g]!.unmatchable && outside(box[2] * box[3], limits)));
    });
  });
  return { scores: found.map(({ score }) => score), matched, ignored, positives: ignoredTruth.filter((flag) => !flag).length };
}

function bestFree(overlaps: Float64Array, order: readonly number[], taken: Uint8Array, truth: readonly LabelledBox[], ignored: readonly boolean[], threshold: number): number {
  let best = -1;
  let least = threshold;
  for (const g of order) {
    if (taken[g] && truth[g]?.crowd !== true) continue;
    if (best > -1 && !ignored[best] && ignored[g]) break;
    if (overlaps[g]! < least) continue;
    least = overlaps[g]!;
    best = g;
  }
  return best;
}

/** All pictures' detections in one list by score → precision over recall; null where nothing counts. */
function accumulate(matches: readonly Matches[], max: number): Curve | null {
  const positives = matches.reduce((sum, m) => sum + m.positives, 0);
  if (positives === 0) return null;
  const list = matches.flatMap((m) => m.scores.slice(0, max).map((score, d) => ({ score, m, d }))).sort((a, b) => b.score - a.score);
  const precision: Float64Array[] = [];
  const recall: number[] = [];
  for (let t = 0; t < iouThresholds.length; t += 1) {
    const recalls = new Float64Array(list.length);
    const precisions = new Float64Array(list.length);
    let [right, wrong] = [0, 0];
    list.forEach(({ m, d }, i) => {
      if (!m.ignored[t]![d]) {
        if (m.matched[t]![d]) right += 1;
        else wrong += 1;
      }
      recalls[i] = right / positives;
      precisions[i] = right / (wrong + right + Number.EPSILON);
    });
    for (let i = list.length - 1; i > 0; i -= 1) if (precisions[i]! > precisions[i - 1]!) precisions[i - 1] = precisions[i]!;
    precision.push(atRecallPoints(recalls, precisions));
    recall.push(recalls.at(-1) ?? 0);
  }
  return { precision, recall };
}

/** The precision at the first detection that reaches each recall point; 0 beyond the highest recall. */
function atRecallPoints(recalls: Float64Array, precisions: Float64Array): Float64Array {
  let i = 0;
  return Float64Array.from(recallPoints, (point) => {
    while (i < recalls.length && recalls[i]! < point) i += 1;
    return precisions[i] ?? 0;
  });
}
