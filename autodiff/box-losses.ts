import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { stopGradient } from "./stop-gradient.ts";

/** IoU (Yu 2016), generalized (Rezatofighi 2019), distance and complete IoU (Zheng 2020). */
export type IouKind = "iou" | "giou" | "diou" | "ciou";

const epsilon = 1e-7;

/**
 * 1 − IoU (or its kin) of boxes x1, y1, x2, y2 (x1 ≤ x2, y1 ≤ y2) along `axis` (default: the last), which becomes 1; all else broadcasts.
 * The trade-off weight alpha of CIoU carries no gradient (Zheng 2020, eq. 11).
 */
export const iouLoss = (b: Builder, boxes: Value, targets: Value, kind: IouKind = "ciou", { axis = -1 }: { readonly axis?: number } = {}): Value => {
  const [x1, y1, x2, y2] = corners(b, boxes, axis);
  const [X1, Y1, X2, Y2] = corners(b, targets, axis);
  const [w, h, W, H] = [b.sub(x2, x1), b.sub(y2, y1), b.sub(X2, X1), b.sub(Y2, Y1)];
  const overlap = (low: Value, high: Value, Low: Value, High: Value): Value => b.max(b.sub(b.min(high, High), b.max(low, Low)), 0);
  const intersection = b.mul(overlap(x1, x2, X1, X2), overlap(y1, y2, Y1, Y2));
  const union = b.add(b.sub(b.add(b.mul(w, h), b.mul(W, H)), intersection), epsilon);
  const iou = b.div(intersection, union);
  if (kind === "iou") return b.sub(1, iou);
  const hullWidth = b.sub(b.max(x2, X2), b.min(x1, X1));
  const hullHeight = b.sub(b.max(y2, Y2), b.min(y1, Y1));
  if (kind === "giou") {
    const hull = b.add(b.mul(hullWidth, hullHeight), epsilon);
    return b.add(b.sub(1, iou), b.div(b.sub(hull, union), hull));
  }
  const diagonal = b.add(sumOfSquares(b, hullWidth, hullHeight), epsilon);
  const offset = sumOfSquares(b, b.sub(b.add(x1, x2), b.add(X1, X2)), b.sub(b.add(y1, y2), b.add(Y1, Y2)));
  const distance = b.add(b.sub(1, iou), b.div(b.mul(offset, 0.25), diagonal));
  return kind === "diou" ? distance : b.add(distance, aspectPenalty(b, iou, [w, h], [W, H]));
};

/** alpha·v with v = 4/π²·(atan W/H − atan w/h)² and alpha = v/(1 − IoU + v) (Zheng 2020, eq. 8-11). */
const aspectPenalty = (b: Builder, iou: Value, [w, h]: readonly [Value, Value], [W, H]: readonly [Value, Value]): Value => {
  const angle = (width: Value, height: Value): Value => b.op("Atan", [b.div(width, b.add(height, epsilon))]);
  const difference = b.sub(angle(W, H), angle(w, h));
  const v = b.mul(b.mul(difference, difference), 4 / Math.PI ** 2);
  const alpha = b.div(v, b.add(b.sub(v, iou), 1 + epsilon));
  return b.mul(stopGradient(b, alpha), v);
};

/** cx, cy, w, h along `axis` -> x1, y1, x2, y2. */
export const cornersOfCentres = (b: Builder, boxes: Value, { axis = -1 }: { readonly axis?: number } = {}): Value => {
  const [centre, size] = b.split(boxes, [2, 2], axis) as [Value, Value];
  const half = b.mul(size, 0.5);
  return b.concat([b.sub(centre, half), b.add(centre, half)], axis);
};

const corners = (b: Builder, boxes: Value, axis: number) => b.split(boxes, [1, 1, 1, 1], axis) as unknown as [Value, Value, Value, Value];

const sumOfSquares = (b: Builder, x: Value, y: Value): Value => b.add(b.mul(x, x), b.mul(y, y));
