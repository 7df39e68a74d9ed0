import { height, width } from "./camera.ts";
import type { Part, Point } from "./paint.ts";
import type { Sprite } from "./sprite.ts";

/** What the camera sees of one sprite: the share that is neither hidden nor outside, and its box [x, y, w, h] in pixels. */
export interface Visible {
  readonly share: number;
  readonly box: readonly [number, number, number, number];
}

/** Calls `pixel` for each pixel of the canvas whose centre lies in the polygon (even-odd). */
function fillPolygon(points: readonly Point[], pixel: (index: number) => void): void {
  const ys = points.map(([, y]) => y);
  const first = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const last = Math.min(height - 1, Math.floor(Math.max(...ys) - 0.5));
  for (let row = first; row <= last; row += 1) {
    const y = row + 0.5;
    const crossings: number[] = [];
    points.forEach(([x0, y0], i) => {
      const [x1, y1] = points[(i + 1) % points.length] ?? [x0, y0];
      if ((y0 <= y) !== (y1 <= y)) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((crossings[i] ?? 0) - 0.5));
      const to = Math.min(width - 1, Math.floor((crossings[i + 1] ?? 0) - 0.5));
      for (let x = from; x <= to; x += 1) pixel(row * width + x);
    }
  }
}

function extent(parts: readonly Part[]): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { points, strokeWidth = 0 } of parts) {
    for (const [x, y] of points) {
      left = Math.min(left, x - strokeWidth / 2);
      right = Math.max(right, x + strokeWidth / 2);
      top = Math.min(top, y - strokeWidth / 2);
      bottom = Math.max(bottom, y + strokeWidth / 2);
    }
  }
  return [left, top, right, bottom];
}

/** The visible part of each sprite when they are painted in this order (far to near). */
export function visibleParts(sprites: readonly Sprite[]): Visible[] {
  const owner = new Int16Array(width * height);
  const silhouette = sprites.map(() => 0);
  sprites.forEach((sprite, i) => {
    const own = new Set<number>();
    for (const part of sprite.parts) if (part.solid) fillPolygon(part.points, (index) => own.add(index));
    for (const index of own) owner[index] = i + 1;
    silhouette[i] = own.size;
  });
  const seen = sprites.map(() => ({ count: 0, left: width, top: height, right: -1, bottom: -1 }));
  owner.forEach((id, index) => {
    const entry = seen[id - 1];
    if (!entry) return;
    const x = index % width;
    const y = (index - x) / width;
    entry.count += 1;
    entry.left = Math.min(entry.left, x);
    entry.right = Math.max(entry.right, x + 1);
    entry.top = Math.min(entry.top, y);
    entry.bottom = Math.max(entry.bottom, y + 1);
  });
  return sprites.map((sprite, i) => {
    const entry = seen[i];
    const [left, top, right, bottom] = extent(sprite.parts.filter(({ solid }) => solid));
    if (!entry || entry.count === 0) return { share: 0, box: [0, 0, 0, 0] as const };
    const clipped = [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)] as const;
    const inside = ((clipped[2] - clipped[0]) * (clipped[3] - clipped[1])) / ((right - left) * (bottom - top));
    // Where nothing hides an edge, the exact edge; else the last visible pixel.
    const edge = (exact: number, pixel: number): number => (Math.abs(exact - pixel) <= 1.5 ? exact : pixel);
    const [x0, y0, x1, y1] = [edge(clipped[0], entry.left), edge(clipped[1], entry.top), edge(clipped[2], entry.right), edge(clipped[3], entry.bottom)];
    return { share: (entry.count / Math.max(1, silhouette[i] ?? 1)) * inside, box: [x0, y0, x1 - x0, y1 - y0] as const };
  });
}
