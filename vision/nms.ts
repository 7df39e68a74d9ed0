import type { Candidates } from "./decode.ts";

export interface NmsOptions {
  /** A box is dropped when it overlaps a better one of its class by more than this IoU. */
  readonly iouThreshold: number;
  /** Default 300. */
  readonly maxDetections?: number;
}

/** Candidate indices by falling score; equal scores keep their order. */
export function byScore({ count, scores }: Pick<Candidates, "count" | "scores">): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  return order.sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Greedy class-wise non-maximum suppression: the indices of the kept candidates, best first. */
export function nonMaximumSuppression(candidates: Candidates, { iouThreshold, maxDetections = 300 }: NmsOptions): number[] {
  const { boxes, classes } = candidates;
  const kept: number[] = [];
  const keptOfClass = new Map<number, number[]>();
  for (const i of byScore(candidates)) {
    if (kept.length >= maxDetections) break;
    const rivals = keptOfClass.get(classes[i]!) ?? [];
    if (rivals.some((rival) => overlap(boxes, i * 4, rival * 4) > iouThreshold)) continue;
    rivals.push(i);
    keptOfClass.set(classes[i]!, rivals);
    kept.push(i);
  }
  return kept;
}

/** IoU of the boxes [x, y, w, h] at offsets a and b. */
function overlap(boxes: Float32Array, a: number, b: number): number {
  const [ax, ay, bx, by] = [boxes[a]!, boxes[a + 1]!, boxes[b]!, boxes[b + 1]!];
  const [aw, ah, bw, bh] = [boxes[a + 2]!, boxes[a + 3]!, boxes[b + 2]!, boxes[b + 3]!];
  const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / (aw * ah + bw * bh - w * h);
}
