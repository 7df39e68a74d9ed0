import type { Box } from "../vision/types.ts";
import type { AnchorLevel } from "./anchors.ts";
import { largest } from "../input/largest.ts";

/** Side of the square that stands for an anchor, in strides (NanoDet's value; ATSS uses 8 at 800-pixel inputs). */
const anchorScale = 5;
const candidatesPerLevel = 9;

/**
 * ATSS (Zhang 2020): for each object the nearest `9` anchors of each level are candidates; those whose overlap reaches the candidates'
 * mean + standard deviation and whose centre lies in the object are its positives; an anchor claimed twice goes to the higher overlap.
 * Returns for each anchor the index of its object, or -1. An object that no centre hits gets the nearest anchor of its best level.
 */
export const assignAtss = (boxes: readonly Box[], levels: readonly AnchorLevel[]): Int32Array => {
  const total = levels.reduce((sum, level) => sum + level.columns * level.rows, 0);
  const owner = new Int32Array(total).fill(-1);
  const best = new Float64Array(total).fill(-1);
  for (const [index, box] of boxes.entries()) {
    const candidates = levels.flatMap((level) => nearest(box, level));
    const overlaps = candidates.map(({ x, y, stride }) => squareOverlap(box, x, y, anchorScale * stride));
    const threshold = mean(overlaps) + deviation(overlaps);
    const inside = candidates.map(({ x, y }, i) => overlaps[i]! >= threshold && contains(box, x, y));
    const fallback = inside.includes(true) ? -1 : overlaps.indexOf(largest(overlaps));
    for (const [i, { anchor }] of candidates.entries()) {
      if (!inside[i] && i !== fallback) continue;
      if (overlaps[i]! <= best[anchor]!) continue;
      best[anchor] = overlaps[i]!;
      owner[anchor] = index;
    }
  }
  return owner;
};

interface Candidate {
  readonly anchor: number;
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

/** The anchors of `level` whose centres are nearest to the centre of the box: a window around it, as wide as the border and the size of the level demand. */
const nearest = (box: Box, level: AnchorLevel): Candidate[] => {
  for (let reach = 2; ; reach++) {
    const found = within(box, level, reach);
    const last = found[candidatesPerLevel - 1];
    const isWhole = reach >= Math.max(level.columns, level.rows);
    if (isWhole || (last && last.distance <= ((reach + 0.5) * level.stride) ** 2)) return found.slice(0, candidatesPerLevel);
  }
};

/** Anchors at most `reach` cells from the centre of the box in both directions, nearest first. */
const within = ([left, top, width, height]: Box, { stride, columns, rows, first }: AnchorLevel, reach: number): (Candidate & { readonly distance: number })[] => {
  const centreX = left + width / 2;
  const centreY = top + height / 2;
  const column = clamp(Math.floor(centreX / stride), columns);
  const row = clamp(Math.floor(centreY / stride), rows);
  const found: (Candidate & { readonly distance: number })[] = [];
  for (let r = Math.max(0, row - reach); r <= Math.min(rows - 1, row + reach); r++) {
    for (let c = Math.max(0, column - reach); c <= Math.min(columns - 1, column + reach); c++) {
      const x = (c + 0.5) * stride;
      const y = (r + 0.5) * stride;
      found.push({ anchor: first + r * columns + c, x, y, stride, distance: (x - centreX) ** 2 + (y - centreY) ** 2 });
    }
  }
  return found.sort((a, b) => a.distance - b.distance || a.anchor - b.anchor);
};

const clamp = (value: number, count: number): number => Math.min(Math.max(value, 0), count - 1);

/** Intersection over union of the box and a square of `side` centred on (x, y). */
const squareOverlap = ([left, top, width, height]: Box, x: number, y: number, side: number): number => {
  const overlapX = Math.min(left + width, x + side / 2) - Math.max(left, x - side / 2);
  const overlapY = Math.min(top + height, y + side / 2) - Math.max(top, y - side / 2);
  if (overlapX <= 0 || overlapY <= 0) return 0;
  const intersection = overlapX * overlapY;
  return intersection / (width * height + side * side - intersection);
};

const contains = ([left, top, width, height]: Box, x: number, y: number): boolean => x > left && x < left + width && y > top && y < top + height;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: readonly number[]): number => {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, values.length - 1));
};

/** What the teacher says about each anchor of one picture. */
export interface TeacherView {
  /** [classes, A] class probabilities. */
  readonly scores: Float32Array;
  /** [4, A]: x1, y1, x2, y2 in network pixels. */
  readonly corners: Float32Array;
}

/** Task alignment (Feng 2021, TOOD): score^0.5 · overlap^6, the ten best anchors inside each object. */
const alignment = { scorePower: 0.5, overlapPower: 6, positives: 10 };

/** Assignment by the teacher's predictions (label-assignment distillation, Nguyen 2022): task alignment with the teacher's scores and boxes. Result as `assignAtss`. */
export const assignByTeacher = (boxes: readonly Box[], classes: readonly number[], teacher: TeacherView, levels: readonly AnchorLevel[]): Int32Array => {
  const total = levels.reduce((sum, level) => sum + level.columns * level.rows, 0);
  const owner = new Int32Array(total).fill(-1);
  const best = new Float64Array(total);
  for (const [index, box] of boxes.entries()) {
    const ranked = centresInside(box, levels)
      .map((anchor) => {
        const overlap = cornersOverlap(box, teacher.corners, anchor, total);
        return { anchor, metric: Math.max(teacher.scores[classes[index]! * total + anchor]!, 1e-4) ** alignment.scorePower * overlap ** alignment.overlapPower };
      })
      .sort((a, b) => b.metric - a.metric || a.anchor - b.anchor)
      .slice(0, alignment.positives);
    const strongest = ranked[0]?.metric ?? 0;
    for (const { anchor, metric } of ranked) {
      if (metric < 0.05 * strongest || metric <= best[anchor]!) continue;
      best[anchor] = metric;
      owner[anchor] = index;
    }
  }
  const fallback = assignAtss(boxes, levels);
  for (const [index] of boxes.entries()) {
    if (owner.includes(index)) continue;
    for (let anchor = 0; anchor < total; anchor++) if (fallback[anchor] === index && owner[anchor] === -1) owner[anchor] = index;
  }
  return owner;
};

const centresInside = (box: Box, levels: readonly AnchorLevel[]): number[] => {
  const [left, top, width, height] = box;
  const found: number[] = [];
  for (const { stride, columns, rows, first } of levels) {
    const firstColumn = Math.max(0, Math.ceil(left / stride - 0.5));
    const lastColumn = Math.min(columns - 1, Math.floor((left + width) / stride - 0.5));
    const lastRow = Math.min(rows - 1, Math.floor((top + height) / stride - 0.5));
    for (let r = Math.max(0, Math.ceil(top / stride - 0.5)); r <= lastRow; r++) {
      for (let c = firstColumn; c <= lastColumn; c++) found.push(first + r * columns + c);
    }
  }
  return found;
};

const cornersOverlap = ([left, top, width, height]: Box, corners: Float32Array, anchor: number, total: number): number => {
  const [x1, y1, x2, y2] = [corners[anchor]!, corners[total + anchor]!, corners[2 * total + anchor]!, corners[3 * total + anchor]!];
  const overlapX = Math.min(left + width, x2) - Math.max(left, x1);
  const overlapY = Math.min(top + height, y2) - Math.max(top, y1);
  if (overlapX <= 0 || overlapY <= 0) return 0;
  const intersection = overlapX * overlapY;
  return intersection / (width * height + (x2 - x1) * (y2 - y1) - intersection);
};
