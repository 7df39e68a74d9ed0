import { pixelsPerMetre, project, type Camera } from "./camera.ts";
import { circle, clothing, limb, lit, scaled, shining, skin, type Atmosphere, type Halo, type Part, type Point, type Rgb } from "./paint.ts";
import type { Random } from "./random.ts";
import type { Sprite } from "./sprite.ts";

/** A flat figure that faces the camera: metres right of and above its ground point → pixels. */
interface Figure {
  readonly parts: Part[];
  readonly scale: number;
  add(colour: Rgb, points: readonly Point[], brightness?: number): void;
  ring(colour: Rgb, centre: Point, radius: number, widthM: number): void;
}

function figure(camera: Camera, air: Atmosphere, x: number, z: number, squeeze: number, shadowWidthM: number): Figure {
  const foot = project(camera, x, 0, z);
  const scale = pixelsPerMetre(camera, z);
  const map = ([px, py]: Point): Point => [foot[0] + px * scale * squeeze, foot[1] - py * scale];
  const parts: Part[] = [{ points: circle(foot, shadowWidthM * scale, shadowWidthM * scale * 0.2), fill: "#08080a", opacity: 0.4, solid: false }];
  return {
    parts, scale,
    add: (colour, points, brightness = 1) => void parts.push({ points: points.map(map), fill: lit(air, colour, z, brightness), solid: true }),
    ring: (colour, centre, radius, widthM) => void parts.push({ points: circle(centre, radius, radius, 16).map(map), fill: lit(air, colour, z), strokeWidth: Math.max(0.6, widthM * scale), solid: true }),
  };
}

interface Person { readonly top: Rgb; readonly legs: Rgb; readonly skin: Rgb; readonly hair: Rgb }

const person = (random: Random): Person => ({
  top: clothing(random), legs: clothing(random), skin: skin(random), hair: random.pick<Rgb>([[36, 28, 24], [80, 56, 36], [170, 130, 76], [140, 140, 140]]),
});

function head(to: Figure, at: Point, who: Person, radius: number, fromBehind: boolean): void {
  to.add(who.hair, circle([at[0], at[1] + radius * 0.15], radius));
  if (!fromBehind) to.add(who.skin, circle([at[0], at[1] - radius * 0.15], radius * 0.82));
}

/** Someone on foot: standing or walking, seen from the front, the side or behind. */
export function pedestrian(random: Random, camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const h = random.chance(0.15) ? random.range(1.1, 1.35) : random.range(1.58, 1.92);
  const who = person(random);
  const side = random.chance(0.5);
  const facing = random.sign();
  const stride = (side ? random.range(0.08, 0.34) : random.range(0.06, 0.14)) * facing;
  const broad = (side ? 0.26 : 0.42) * random.range(0.9, 1.2) * h / 1.75;
  const to = figure(camera, air, x, z, 1, 0.3);
  const hip = h * 0.5;
  const shoulder = h * 0.81;
  const swing = stride * random.range(0.6, 1.2);
  to.add(scaled(who.legs, 0.75), limb([-stride * 0.2, hip], [-stride, 0.04], 0.19, 0.12));
  to.add(scaled(who.top, 0.75), limb([side ? 0 : -broad * 0.5, shoulder], [side ? swing : -broad * 0.62, h * 0.47], 0.12, 0.09));
  to.add(who.legs, limb([stride * 0.2, hip], [stride, 0.04], 0.2, 0.12));
  for (const foot of [-stride, stride]) to.add([30, 28, 28], limb([foot - 0.05, 0.04], [foot + (side ? 0.14 * facing : 0.05), 0.03], 0.09));
  const hem = random.chance(0.25) ? h * 0.3 : h * 0.46;
  to.add(who.top, [[-broad * 0.46, shoulder + 0.03], [broad * 0.46, shoulder + 0.03], [broad * 0.52, hem], [-broad * 0.52, hem]]);
  if (random.chance(0.3)) to.add(clothing(random), side ? [[-facing * broad * 0.4, shoulder], [-facing * (broad * 0.4 + 0.2), shoulder - 0.05], [-facing * (broad * 0.4 + 0.18), h * 0.55], [-facing * broad * 0.4, h * 0.52]] : [[-broad * 0.35, shoulder], [broad * 0.35, shoulder], [broad * 0.33, h * 0.55], [-broad * 0.33, h * 0.55]]);
  to.add(scaled(who.top, 0.88), limb([side ? 0 : broad * 0.5, shoulder], [side ? -swing : broad * 0.62, h * 0.47], 0.12, 0.09));
  to.add(who.skin, circle([side ? -swing : broad * 0.62, h * 0.45], 0.055, 0.055, 8));
  head(to, [side ? 0.03 * facing : 0, h * 0.915], who, h * 0.072, random.chance(0.35));
  if (air.time !== "night" && random.chance(0.08)) to.add(clothing(random), [[-0.5, h * 1.0], [-0.3, h * 1.14], [0, h * 1.2], [0.3, h * 1.14], [0.5, h * 1.0]]);
  return { className: "pedestrian", depth: z, parts: to.parts, halos: [] };
}

function bicycle(to: Figure, frame: Rgb, facing: 1 | -1): void {
  const r = 0.34;
  for (const x of [-0.52, 0.52]) to.ring([28, 28, 30], [x, r], r, 0.06);
  const lines: [Point, Point][] = [
    [[-0.52, r], [-0.08, r]], [[-0.08, r], [0.38, 0.82]], [[-0.2, 0.86], [0.38, 0.82]], [[-0.2, 0.86], [-0.08, r]], [[-0.52, r], [-0.2, 0.86]], [[0.52, r], [0.36, 1.0]],
  ];
  for (const [a, b] of lines) to.add(frame, limb([a[0] * facing, a[1]], [b[0] * facing, b[1]], 0.055));
  to.add([30, 30, 32], limb([0.28 * facing, 1.02], [0.46 * facing, 1.0], 0.06));
  to.add([30, 30, 32], limb([-0.32 * facing, 0.92], [-0.1 * facing, 0.92], 0.08));
}

function riderFromSide(to: Figure, who: Person, helmet: Rgb | null, random: Random, facing: 1 | -1): void {
  const f = facing;
  const pedal = random.range(0, 2 * Math.PI);
  const foot: Point = [(-0.08 + 0.17 * Math.cos(pedal)) * f, 0.34 + 0.17 * Math.sin(pedal)];
  const other: Point = [(-0.08 - 0.17 * Math.cos(pedal)) * f, 0.34 - 0.17 * Math.sin(pedal)];
  const hip: Point = [-0.2 * f, 0.95];
  const knee = (at: Point): Point => [(hip[0] + at[0]) / 2 + 0.2 * f, (hip[1] + at[1]) / 2 + 0.1];
  for (const [at, shade] of [[other, 0.7], [foot, 1]] as const) {
    to.add(scaled(who.legs, shade), limb(hip, knee(at), 0.18, 0.14));
    to.add(scaled(who.legs, shade), limb(knee(at), at, 0.13, 0.09));
  }
  const lean = random.range(0.08, 0.32);
  const shoulder: Point = [lean * f, 1.42];
  to.add(who.top, limb(hip, shoulder, 0.3, 0.32));
  to.add(scaled(who.top, 0.85), limb(shoulder, [0.38 * f, 1.03], 0.12, 0.08));
  const headAt: Point = [(lean + 0.1) * f, 1.6];
  head(to, headAt, who, 0.12, false);
  if (helmet) to.add(helmet, [[headAt[0] - 0.15, headAt[1] + 0.03], [headAt[0] - 0.1, headAt[1] + 0.15], [headAt[0] + 0.1, headAt[1] + 0.15], [headAt[0] + 0.15, headAt[1] + 0.03]]);
}

function riderFromAhead(to: Figure, who: Person, helmet: Rgb | null, random: Random, fromBehind: boolean): void {
  const up = random.range(-0.15, 0.15);
  to.add([26, 26, 28], circle([0, 0.34], 0.055, 0.34));
  for (const side of [-1, 1]) {
    to.add(scaled(who.legs, side === 1 ? 1 : 0.8), limb([0.1 * side, 0.98], [0.17 * side, 0.64 + up * side], 0.18, 0.14));
    to.add(scaled(who.legs, side === 1 ? 1 : 0.8), limb([0.17 * side, 0.66 + up * side], [0.13 * side, 0.26 + up * side], 0.13, 0.09));
  }
  to.add([30, 30, 32], limb([-0.33, 1.02], [0.33, 1.02], 0.06));
  to.add(who.top, [[-0.22, 1.45], [0.22, 1.45], [0.17, 0.92], [-0.17, 0.92]]);
  for (const side of [-1, 1]) to.add(scaled(who.top, 0.85), limb([0.2 * side, 1.4], [0.31 * side, 1.04], 0.12, 0.09));
  head(to, [0, 1.6], who, 0.12, fromBehind);
  if (helmet) to.add(helmet, [[-0.15, 1.62], [-0.1, 1.75], [0.1, 1.75], [0.15, 1.62]]);
}

/** A bicycle with its rider; the box holds both. */
export function cyclist(random: Random, camera: Camera, air: Atmosphere, x: number, z: number, view: "side" | "front" | "rear"): Sprite {
  const who = person(random);
  const facing = random.sign();
  const helmet = random.chance(0.55) ? clothing(random) : null;
  const to = figure(camera, air, x, z, view === "side" ? random.range(0.65, 1) : 1, view === "side" ? 0.8 : 0.3);
  if (view === "side") {
    bicycle(to, clothing(random), facing);
    riderFromSide(to, who, helmet, random, facing);
  } else riderFromAhead(to, who, helmet, random, view === "rear");
  const halos: Halo[] = [];
  if (air.time === "night" && view !== "side") {
    const lamp = project(camera, x, view === "rear" ? 0.75 : 0.95, z);
    to.parts.push({ points: circle(lamp, 0.06 * to.scale), fill: shining(air, view === "rear" ? [255, 30, 20] : [255, 250, 230], z), solid: true });
    halos.push({ centre: lamp, radius: 0.35 * to.scale, colour: view === "rear" ? "red" : "white", opacity: 0.7 });
  }
  return { className: "cyclist", depth: z, parts: to.parts, halos };
}

/** A bicycle without a rider: looks like half a cyclist and is not labelled. */
export function parkedBicycle(random: Random, camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const to = figure(camera, air, x, z, random.range(0.5, 1), 0.7);
  bicycle(to, clothing(random), random.sign());
  return { className: null, depth: z, parts: to.parts, halos: [] };
}
