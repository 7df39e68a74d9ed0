import { averagePrecision, rank } from "../../bundle/evidence/precision.ts";
import type { EvaluatedPicture } from "../../vision/coco-map.ts";
import { diceFor } from "../../vision/random.ts";

/** Resamples of the pictures: enough for one significant digit. */
const resamples = 50;

/** Standard error of COCO mAP (0..1): its standard deviation over pictures drawn with replacement (bootstrap, Efron 1979). The same for the same pictures. */
export const mapStandardError = (pictures: readonly EvaluatedPicture[], classCount: number): number => {
  const ranked = Array.from({ length: classCount }, (_, classIndex) => rank(pictures, classIndex, "all"));
  const maps = Array.from({ length: resamples }, (_, sample) => {
    const dice = diceFor(0, sample, 0xe440);
    const weights = new Int32Array(pictures.length);
    for (let draw = 0; draw < pictures.length; draw++) weights[dice.index(pictures.length)]!++;
    return mean(ranked.flatMap((one) => averagePrecision(one, weights) ?? []));
  });
  const centre = mean(maps);
  return Math.sqrt(maps.reduce((sum, map) => sum + (map - centre) ** 2, 0) / (resamples - 1));
};

const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length);
