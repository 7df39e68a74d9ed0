import { UserError } from "../../graph/error.ts";
import type { RawItem } from "./dataset.ts";

/** What all boxes of a data set say about the meaning of their numbers. */
export interface BoxDoubts {
  readonly count: (item: RawItem, width: number, height: number) => void;
  /** Notes for the reader. Throws UserError LABELS_AMBIGUOUS where the numbers cannot mean what the format says. */
  readonly notes: (path: string) => string[];
}

/** A box that has more than this share of its area outside the picture was not drawn there. */
const outsideShare = 0.1;
/** So many boxes, and this share of them leaving the picture, are not chance. */
const [fewBoxes, leavingShare] = [4, 0.2];

export function boxDoubts(): BoxDoubts {
  const seen = { boxes: 0, leaving: 0, corners: 0, fractions: 0, first: "" };
  const count = (item: RawItem, width: number, height: number): void => {
    const [across, down] = item.normalized ? [1, 1] : [width, height];
    for (const { box: [x, y, w, h] } of item.boxes ?? []) {
      seen.boxes++;
      const leaves = overlap(x, w, across) * overlap(y, h, down) < (1 - outsideShare) * w * h;
      if (leaves && seen.leaving++ === 0) seen.first = item.id;
      const [first, second] = item.normalized ? [x + w / 2, y + h / 2] : [x, y]; // as written in the file
      const hasSizes = item.normalized || item.unclipped === true; // VOC writes corners anyway
      if (hasSizes && isSpan(first, w, across) && isSpan(second, h, down)) seen.corners++;
      if (!item.normalized && x + w <= 1 + 1e-3 && y + h <= 1 + 1e-3) seen.fractions++;
    }
  };
  const notes = (path: string): string[] => {
    const { boxes, leaving, corners, fractions, first } = seen;
    if (boxes > 0 && fractions === boxes) throw ambiguous(path, `all ${boxes} boxes lie between 0 and 1, where the format has pixels`, "write the boxes in pixels, or give YOLO labels (class cx cy w h in fractions).");
    if (boxes >= fewBoxes && corners === boxes && leaving >= leavingShare * boxes)
      throw ambiguous(path, `${leaving} of ${boxes} boxes leave their picture (first: ${first}), and read as two corners (x1 y1 x2 y2) all would be sound`, "write sizes, not second corners (COCO: x y w h; YOLO: class cx cy w h).");
    if (leaving === 0) return [];
    const many = boxes >= fewBoxes && leaving >= leavingShare * boxes ? ": so many are a sign that the numbers mean something else (corners, centres, another size of the pictures)" : "";
    return [`${leaving} of ${boxes} boxes reach out of their picture by more than a tenth of their area (first: ${first})${many}`];
  };
  return { count, notes };
}

/** From `low` to `high` in 0 … end, a little rounding aside. */
const isSpan = (low: number, high: number, end: number): boolean => low > -0.01 * end && high > low && high < 1.01 * end;

/** Length of the part of start … start + size that lies in 0 … end. */
const overlap = (start: number, size: number, end: number): number => Math.max(0, Math.min(start + size, end) - Math.max(start, 0));

const ambiguous = (path: string, what: string, next: string) => new UserError("LABELS_AMBIGUOUS", `The labels of "${path}" cannot be what they should be: ${what}.`, next);
