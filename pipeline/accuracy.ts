import type { CocoAccuracy } from "../vision/coco-map.ts";
import type { Accuracy } from "./result.ts";

/** COCO's -1 for "no ground truth" becomes null; classes without ground truth too. */
export const accuracyRecord = (coco: CocoAccuracy, classes: readonly string[]): Accuracy => {
  const known = (value: number): number | null => (value < 0 ? null : value);
  const byClass = new Map(coco.perClass.map((entry) => [entry.class, entry.map]));
  return {
    images: coco.images, map: Math.max(0, coco.map), map50: Math.max(0, coco.map50), map75: known(coco.map75),
    mapSmall: known(coco.mapSmall), mapMedium: known(coco.mapMedium), mapLarge: known(coco.mapLarge),
    perClass: Object.fromEntries(classes.map((name) => [name, byClass.get(name) ?? null])),
  };
};
