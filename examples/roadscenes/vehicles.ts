import { patch, pixelsPerMetre, placed, signedArea, within, type Camera, type Placed, type Pose } from "./camera.ts";
import { carPaint, circle, lit, scaled, shining, type Atmosphere, type Halo, type Part, type Point, type Rgb } from "./paint.ts";
import type { Random } from "./random.ts";
import type { Sprite } from "./sprite.ts";

/** A side outline (forward, up) swept across the width; clockwise seen from the right side. */
interface Prism {
  readonly outline: readonly Point[];
  /** Half width at the outline's corner i. */
  readonly halfWidth: (i: number) => number;
}

interface Face {
  /** "right", "left" or the index of the outline edge. */
  readonly at: "right" | "left" | number;
  readonly points: Point[];
}

/** Visible faces: flanks as the outline; edge i as the quad left and right at corner i, then right and left at corner i + 1. */
function faces(place: Placed, { outline, halfWidth }: Prism): Face[] {
  const right = outline.map(([u, v], i) => place(u, v, halfWidth(i)));
  const left = outline.map(([u, v], i) => place(u, v, -halfWidth(i)));
  const visible: Face[] = [];
  outline.forEach((_, i) => {
    const next = (i + 1) % outline.length;
    const [a, b, c, d] = [left[i], right[i], right[next], left[next]];
    if (a && b && c && d && signedArea([a, b, c, d]) < 0) visible.push({ at: i, points: [a, b, c, d] });
  });
  if (signedArea(right) > 0) visible.push({ at: "right", points: right });
  if (signedArea(left) < 0) visible.push({ at: "left", points: left.toReversed() });
  return visible;
}

interface Painter {
  readonly parts: Part[];
  readonly halos: Halo[];
  readonly air: Atmosphere;
  readonly depth: number;
  paint(points: readonly Point[], colour: Rgb, brightness?: number): void;
  lamp(points: readonly Point[], colour: Rgb, halo: Halo["colour"], reach: number): void;
}

function painter(air: Atmosphere, depth: number, scale: number): Painter {
  const parts: Part[] = [];
  const halos: Halo[] = [];
  const lampsOn = air.time === "night" || air.time === "dusk" || air.fogDensity > 0.012;
  return {
    parts, halos, air, depth,
    paint: (points, colour, brightness = 1) => void parts.push({ points, fill: lit(air, colour, depth, brightness), solid: true }),
    lamp(points, colour, halo, reach) {
      parts.push({ points, fill: lampsOn ? shining(air, colour, depth) : lit(air, scaled(colour, 0.85), depth), solid: true });
      if (lampsOn) halos.push({ centre: within(points, 0.5, 0.5), radius: reach * scale, colour: halo, opacity: air.time === "night" ? 0.75 : 0.35 });
    },
  };
}

const glass: Rgb = [44, 54, 66];
const rubber: Rgb = [24, 24, 26];
const flank = (pose: Pose, side: "right" | "left"): number => 0.82 + 0.12 * Math.sin(pose.yaw + (side === "right" ? 0.6 : -0.6));

function shadow(place: Placed, air: Atmosphere, length: number, width: number): Part {
  const [l, w] = [length / 2 + 0.15, width / 2 + 0.15];
  const points = [place(-l, 0.01, -w), place(-l, 0.01, w), place(l, 0.01, w), place(l, 0.01, -w)];
  return { points, fill: "#08080a", opacity: air.time === "night" ? 0.5 : 0.55, solid: false };
}

function wheels(place: Placed, to: Painter, positions: readonly number[], radius: number, halfWidth: number): void {
  for (const side of [-1, 1]) {
    const outer = halfWidth * side;
    const inner = (halfWidth - 0.25) * side;
    for (const u of positions) {
      // Treads seen from the front or rear, then the disc where its side is visible.
      for (const sign of [-1, 1]) to.paint([place(u + radius * sign * 0.9, radius * 1.3, inner), place(u + radius * sign * 0.9, radius * 1.3, outer), place(u + radius * sign * 0.7, 0, outer), place(u + radius * sign * 0.7, 0, inner)], rubber);
    }
  }
}

function discs(place: Placed, to: Painter, positions: readonly number[], radius: number, halfWidth: number, rim: Rgb): void {
  for (const side of [1, -1]) {
    const disc = (u: number, r: number): Point[] => circle([u, radius], r).map(([a, v]) => place(a, v, side * (halfWidth + 0.02)));
    if (signedArea(disc(0, radius)) * side > 0) continue;
    for (const u of positions) {
      to.paint(disc(u, radius), rubber);
      to.paint(disc(u, radius * 0.58), rim);
    }
  }
}

interface CarShape {
  readonly length: number;
  readonly width: number;
  readonly height: number;
  readonly belt: number;
  /** Cabin corners along the length, as shares of it from the rear: rear foot, rear roof, front roof, front foot. */
  readonly cabin: readonly [number, number, number, number];
}

const carShapes: Readonly<Record<"sedan" | "hatchback" | "suv" | "van", CarShape>> = {
  sedan: { length: 4.6, width: 1.82, height: 1.45, belt: 0.92, cabin: [0.1, 0.27, 0.55, 0.75] },
  hatchback: { length: 4.0, width: 1.76, height: 1.5, belt: 0.95, cabin: [0.01, 0.1, 0.56, 0.76] },
  suv: { length: 4.6, width: 1.92, height: 1.75, belt: 1.1, cabin: [0.01, 0.08, 0.58, 0.75] },
  van: { length: 4.9, width: 1.95, height: 1.95, belt: 1.1, cabin: [0.0, 0.03, 0.68, 0.88] },
};

export function car(random: Random, camera: Camera, air: Atmosphere, pose: Pose): Sprite {
  const shape = carShapes[random.weighted({ sedan: 4, hatchback: 4, suv: 3, van: 1 })];
  const { length: l, width: w, belt } = shape;
  const place = placed(camera, pose);
  const to = painter(air, pose.z, pixelsPerMetre(camera, pose.z));
  const paint = carPaint(random);
  const axles = [-0.31 * l, 0.31 * l];
  to.parts.push(shadow(place, air, l, w));
  wheels(place, to, axles, 0.32, w / 2);

  // Corners clockwise from the rear bottom: rear, boot edge, bonnet edge, front.
  const body: Prism = {
    outline: [[-l / 2 + 0.1, 0.22], [-l / 2, 0.5], [-l / 2 + 0.06, belt], [l / 2 - 0.35, belt - 0.1], [l / 2, 0.65], [l / 2 - 0.08, 0.22]],
    halfWidth: () => w / 2,
  };
  for (const face of faces(place, body)) {
    if (typeof face.at === "string") to.paint(face.points, paint, flank(pose, face.at));
    else to.paint(face.points, paint, [0.72, 0.86, 1.08, 1.04, 0.86, 0.4][face.at] ?? 1);
    if (face.at === 1) rearLamps(face.points, to, random);
    if (face.at === 4 || face.at === 3) frontLamps(face, to);
  }
  discs(place, to, axles, 0.32, w / 2, scaled([150, 152, 156], random.range(0.4, 1.1)));

  const at = (share: number): number => -l / 2 + share * l;
  const [rearFoot, rearRoof, frontRoof, frontFoot] = shape.cabin;
  const cabin: Prism = {
    outline: [[at(rearFoot), belt - 0.03], [at(rearRoof), shape.height], [at(frontRoof), shape.height], [at(frontFoot), belt - 0.08]],
    halfWidth: (i) => (i === 1 || i === 2 ? w * 0.39 : w * 0.48),
  };
  for (const face of faces(place, cabin)) paintCabinFace(face, to, paint, flank(pose, "right"));
  return { className: "car", depth: pose.z, parts: to.parts, halos: to.halos };
}

function paintCabinFace(face: Face, to: Painter, paint: Rgb, brightness: number): void {
  to.paint(face.points, paint, face.at === 1 ? 1.12 : brightness);
  if (face.at === 0 || face.at === 2) to.paint(patch(face.points, 0.07, 0.1, 0.93, 0.9), glass, face.at === 2 ? 1.25 : 1);
  if (typeof face.at !== "string") return;
  // The flank's corners are rear foot, rear roof, front roof, front foot (reversed on the left): two panes and a pillar.
  const [a, b, c, d] = face.points;
  if (!a || !b || !c || !d) return;
  const quad = [b, c, d, a];
  to.paint(patch(quad, 0.06, 0.16, 0.46, 0.86), glass);
  to.paint(patch(quad, 0.53, 0.16, 0.94, 0.86), glass);
}

/** The edge face's corners run left, right at its lower end, then right, left at its upper end. */
function rearLamps(face: readonly Point[], to: Painter, random: Random): void {
  const braking = random.chance(0.4) ? 1 : 0.7;
  const high = random.range(0.5, 0.7);
  for (const [s0, s1] of [[0.02, 0.2], [0.8, 0.98]] as const)
    to.lamp(patch(face, s0, high, s1, high + 0.3), [255 * braking, 26, 20], "red", 0.55);
  to.paint(patch(face, 0.36, 0.25, 0.64, 0.55), [214, 212, 190]);
}

function frontLamps(face: Face, to: Painter): void {
  if (face.at !== 4) return;
  // Edge 4 runs from the bonnet edge down to the bumper.
  for (const [s0, s1] of [[0.03, 0.22], [0.78, 0.97]] as const) to.lamp(patch(face.points, s0, 0.05, s1, 0.42), [255, 250, 225], "white", 0.8);
  to.paint(patch(face.points, 0.28, 0.1, 0.72, 0.45), [30, 31, 34]);
  to.paint(patch(face.points, 0.38, 0.58, 0.62, 0.82), [214, 212, 190]);
}

const box = (u0: number, u1: number, v0: number, v1: number, halfWidth: number): Prism => ({
  outline: [[u0, v0], [u0, v1], [u1, v1], [u1, v0]],
  halfWidth: () => halfWidth,
});

/** A lorry: a cab in front of a box, a tarpaulin with stripes, or a low open load. */
export function truck(random: Random, camera: Camera, air: Atmosphere, pose: Pose): Sprite {
  const kind = random.weighted({ box: 4, tarpaulin: 3, tipper: 2 });
  const loadLength = random.range(3.8, 6.5);
  const loadHeight = kind === "tipper" ? random.range(1.9, 2.3) : random.range(2.9, 3.6);
  const w = random.range(2.3, 2.5);
  const length = loadLength + 2.2;
  const place = placed(camera, pose);
  const to = painter(air, pose.z, pixelsPerMetre(camera, pose.z));
  const cabPaint = carPaint(random);
  const loadPaint = random.chance(0.5) ? scaled([228, 228, 224], random.range(0.8, 1.05)) : carPaint(random);
  const rear = -length / 2;
  const gap = rear + loadLength;
  const front = length / 2;
  const axles = [rear + 0.9, ...(loadLength > 5 ? [rear + 2] : []), front - 1];
  to.parts.push(shadow(place, air, length, w));
  for (const face of faces(place, box(rear + 0.1, front - 0.2, 0.45, 0.95, w * 0.42))) to.paint(face.points, [40, 40, 44]);
  wheels(place, to, axles, 0.48, w / 2);

  const cab: Prism = {
    outline: [[gap + 0.2, 0.45], [gap + 0.2, 2.6], [front - 0.45, 2.65], [front - 0.02, 1.45], [front, 0.4]],
    halfWidth: () => w * 0.48,
  };
  const drawCab = (): void => { for (const face of faces(place, cab)) paintCab(face, to, cabPaint, pose); };
  const drawLoad = (): void => { for (const face of faces(place, box(rear, gap, 0.85, loadHeight, w / 2))) paintLoad(face, to, loadPaint, kind, pose, random); };
  // The part that looks at the camera hides the other.
  if (Math.cos(pose.yaw) > 0) { drawCab(); drawLoad(); } else { drawLoad(); drawCab(); }
  discs(place, to, axles, 0.48, w / 2, [120, 122, 126]);
  return { className: "truck", depth: pose.z, parts: to.parts, halos: to.halos };
}

function paintCab(face: Face, to: Painter, paint: Rgb, pose: Pose): void {
  const brightness = typeof face.at === "string" ? flank(pose, face.at) : [0.8, 1.1, 0.95, 0.88, 0.4][face.at] ?? 1;
  to.paint(face.points, paint, brightness);
  if (face.at === 2) to.paint(patch(face.points, 0.06, 0.12, 0.94, 0.95), glass, 1.2);
  if (face.at === 3) {
    to.paint(patch(face.points, 0.2, 0.12, 0.8, 0.55), [34, 35, 38]);
    for (const [s0, s1] of [[0.03, 0.2], [0.8, 0.97]] as const) to.lamp(patch(face.points, s0, 0.6, s1, 0.8), [255, 250, 225], "white", 0.9);
  }
  if (typeof face.at !== "string") return;
  const ordered = face.at === "right" ? face.points : face.points.toReversed();
  const [a, b, c, d] = ordered;
  if (a && b && c && d) to.paint(patch([b, c, d, a], 0.3, 0.12, 0.95, 0.5), glass);
}

function paintLoad(face: Face, to: Painter, paint: Rgb, kind: string, pose: Pose, random: Random): void {
  const brightness = typeof face.at === "string" ? flank(pose, face.at) : [0.86, 1.1, 0.8, 0.4][face.at] ?? 1;
  to.paint(face.points, paint, brightness);
  if (face.at === 0) {
    // Rear doors: corners run from the floor up.
    to.paint(patch(face.points, 0.485, 0.05, 0.515, 0.97), scaled(paint, 0.55));
    to.paint(patch(face.points, 0, 0, 1, 0.07), [60, 60, 62]);
    for (const [s0, s1] of [[0.02, 0.16], [0.84, 0.98]] as const) to.lamp(patch(face.points, s0, 0.01, s1, 0.1), [235, 26, 20], "red", 0.5);
    if (random.chance(0.3)) for (let s = 0.1; s < 0.9; s += 0.2) to.paint(patch(face.points, s, 0.1, s + 0.1, 0.18), [210, 60, 40]);
  }
  if (typeof face.at !== "string") return;
  const [a, b, c, d] = face.points;
  if (!a || !b || !c || !d) return;
  const quad = [b, c, d, a];
  if (kind === "tarpaulin" || kind === "tipper") for (let s = 0.08; s < 0.98; s += 0.15) to.paint(patch(quad, s, 0.02, s + 0.02, 0.98), scaled(paint, 0.6));
  else if (random.chance(0.6)) to.paint(patch(quad, 0.15, 0.3, random.range(0.5, 0.85), 0.55), carPaint(random));
}
