/** Bounding box [x, y, width, height] of points x1, y1, x2, y2, …, however many. */
export const boundsOf = (points: readonly number[]): [number, number, number, number] => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < points.length; i += 2) {
    [left, right] = [Math.min(left, points[i]!), Math.max(right, points[i]!)];
    [top, bottom] = [Math.min(top, points[i + 1]!), Math.max(bottom, points[i + 1]!)];
  }
  return [left, top, right - left, bottom - top];
};
