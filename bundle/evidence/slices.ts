import type { EvaluatedPicture } from "../../vision/coco-map.ts";
import { areaRanges, type AreaRange } from "../../vision/coco-map.ts";
import { diceFor } from "../../vision/random.ts";
import type { Interval, SliceAccuracy } from "../manifest-schema.ts";
import { among, averagePrecision, rank, type Ranked } from "./precision.ts";

/** Bootstrap resamples of the pictures. */
export const resamples = 200;

export interface SliceOptions {
  readonly classes: readonly string[];
  /** Ids of the pictures, in the order of `pictures`. */
  readonly ids: readonly string[];
  /** Named parts of the pictures, by id. */
  readonly slices: Readonly<Record<string, ReadonlySet<string>>>;
  readonly seed: number;
}

/** Slices by the size of the object: COCO's areas. */
export const sizeSlices = ["small", "medium", "large"] as const satisfies readonly AreaRange[];

/** Accuracy of every slice: all pictures, COCO's three object sizes, and each named part; 95 % intervals by resampling pictures with replacement. */
export const sliceAccuracies = (pictures: readonly EvaluatedPicture[], options: SliceOptions): SliceAccuracy[] => {
  const { ids, slices } = options;
  const everyone = pictures.map((_, index) => index);
  const whole = rankedClasses(pictures, "all", options);
  return [
    measure("all", pictures, everyone, whole, options, "all"),
    ...sizeSlices.map((range) => measure(range, pictures, everyone, rankedClasses(pictures, range, options), options, range)),
    ...Object.entries(slices).map(([name, members]) => measure(name, pictures, everyone.filter((index) => members.has(ids[index]!)), whole, options, "all")),
  ];
};

const rankedClasses = (pictures: readonly EvaluatedPicture[], range: AreaRange, { classes }: SliceOptions): Ranked[] => classes.map((_, classIndex) => rank(pictures, classIndex, range));

interface Figures {
  readonly map: number | null;
  readonly map50: number | null;
  readonly perClass: readonly (number | null)[];
}

const measure = (slice: string, pictures: readonly EvaluatedPicture[], members: readonly number[], ranked: readonly Ranked[], { classes, seed }: SliceOptions, range: AreaRange): SliceAccuracy => {
  const weights = new Int32Array(pictures.length);
  for (const index of members) weights[index] = 1;
  const own = ranked.map((one) => among(one, weights));
  const figures = figuresOf(own, weights);
  const samples = Array.from({ length: members.length < 2 ? 0 : resamples }, (_, sample) => figuresOf(own, resampled(members, pictures.length, seed, sample)));
  const instances = classes.map((_, classIndex) => instancesOf(pictures, members, classIndex, range));
  return {
    slice, images: members.length, instances: instances.reduce((sum, n) => sum + n, 0),
    map: interval(figures.map, samples.map(({ map }) => map)), map50: interval(figures.map50, samples.map(({ map50 }) => map50)),
    perClass: Object.fromEntries(classes.map((name, c) => [name, { ap: interval(figures.perClass[c]!, samples.map(({ perClass }) => perClass[c]!)), instances: instances[c]! }])),
  };
};

const figuresOf = (ranked: readonly Ranked[], weights: Int32Array): Figures => {
  const curves = ranked.map((one) => averagePrecision(one, weights));
  const known = curves.filter((curve) => curve !== null);
  return { map: mean(known.flat()), map50: mean(known.map(([first]) => first!)), perClass: curves.map((curve) => curve && mean(curve)) };
};

const resampled = (members: readonly number[], count: number, seed: number, sample: number): Int32Array => {
  const dice = diceFor(seed, sample, 0xb007);
  const weights = new Int32Array(count);
  for (let draw = 0; draw < members.length; draw++) weights[members[dice.index(members.length)]!]!++;
  return weights;
};

const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length);

/** Resamples without ground truth say nothing and are left out. */
const interval = (value: number | null, samples: readonly (number | null)[]): Interval => {
  const sorted = samples.filter((sample) => sample !== null).sort((a, b) => a - b);
  const at = (share: number): number | null => (value === null || sorted.length === 0 ? null : digits(sorted[Math.round(share * (sorted.length - 1))]!));
  return { value: value === null ? null : digits(value), low: at(0.025), high: at(0.975) };
};

/** Six digits: more would only show the rounding of sums. */
const digits = (value: number): number => Number(value.toFixed(6));

const instancesOf = (pictures: readonly EvaluatedPicture[], members: readonly number[], classIndex: number, range: AreaRange): number => {
  const [low, high] = areaRanges[range];
  return members.reduce((sum, index) => sum + pictures[index]!.groundTruth.filter(({ classIndex: own, crowd, area, box }) => {
    const size = area ?? box[2] * box[3];
    return own === classIndex && !crowd && size >= low && size <= high;
  }).length, 0);
};
