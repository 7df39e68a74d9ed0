import { cocoClasses } from "../datasets/coco-names.ts";

/** The category ids that COCO never used: its 80 classes are numbered 1 to 90. */
const unused = new Set([0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83]);

/**
 * Names by COCO's category id, 0 to 90: for models (TensorFlow, torchvision, DETR) whose columns or labels are
 * these ids.
 */
export const cocoByCategoryId: readonly string[] = (() => {
  const names = cocoClasses.values();
  return Array.from({ length: 91 }, (_, id) => (unused.has(id) ? `unused ${id}` : (names.next().value ?? "")));
})();

const lists: Readonly<Record<string, readonly string[]>> = { coco: cocoClasses, coco91: cocoByCategoryId };

/** A class list as a person gives it: names, or the name of a known list (`coco`, `coco91`) alone. */
export const classList = (given: readonly string[]): readonly string[] =>
  given.length === 1 && Object.hasOwn(lists, given[0]!) ? lists[given[0]!]! : given;
