import type { Point } from "./paint.ts";

export const width = 320;
export const height = 192;

/** A pinhole camera above the road that looks along +z; x is to the right and y up, in metres. */
export interface Camera {
  readonly focal: number;
  readonly horizonY: number;
  readonly centreX: number;
  readonly heightM: number;
}

const nearM = 1.2;

export function project(camera: Camera, x: number, y: number, z: number): Point {
  const scale = camera.focal / Math.max(z, nearM);
  return [camera.centreX + x * scale, camera.horizonY + (camera.heightM - y) * scale];
}

/** Pixels per metre at the distance z. */
export const pixelsPerMetre = (camera: Camera, z: number): number => camera.focal / Math.max(z, nearM);

/** Where a solid stands: its ground centre and the direction in which it looks (0 = away from the camera). */
export interface Pose {
  readonly x: number;
  readonly z: number;
  readonly yaw: number;
}

/** Local metres (forward u, up v, right w) of a posed solid → pixels. */
export type Placed = (u: number, v: number, w: number) => Point;

export function placed(camera: Camera, pose: Pose): Placed {
  const sin = Math.sin(pose.yaw);
  const cos = Math.cos(pose.yaw);
  return (u, v, w) => project(camera, pose.x + u * sin + w * cos, v, pose.z + u * cos - w * sin);
}

/** Twice the signed area in pixels; positive when the corners run clockwise on the screen. */
export function signedArea(points: readonly Point[]): number {
  let area = 0;
  points.forEach(([x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length] ?? [x, y];
    area += x * nextY - nextX * y;
  });
  return area;
}

/** The point at (s, t) in [0,1]² of a quadrilateral, bilinear between its corners (0,0), (1,0), (1,1), (0,1). */
export function within(quad: readonly Point[], s: number, t: number): Point {
  const [a, b, c, d] = quad;
  if (!a || !b || !c || !d) throw new Error("bug: a quadrilateral has four corners");
  const blend = (i: 0 | 1): number => (a[i] * (1 - s) + b[i] * s) * (1 - t) + (d[i] * (1 - s) + c[i] * s) * t;
  return [blend(0), blend(1)];
}

/** A patch [s0, s1] × [t0, t1] of a quadrilateral. */
export const patch = (quad: readonly Point[], s0: number, t0: number, s1: number, t1: number): Point[] => [
  within(quad, s0, t0), within(quad, s1, t0), within(quad, s1, t1), within(quad, s0, t1),
];
