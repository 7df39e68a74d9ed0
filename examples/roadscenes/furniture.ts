import { pixelsPerMetre, placed, project, type Camera } from "./camera.ts";
import { carPaint, circle, limb, lit, rectangle, scaled, shining, type Atmosphere, type Halo, type Part, type Point, type Rgb } from "./paint.ts";
import { lampHalo } from "./street.ts";
import type { Random } from "./random.ts";
import type { Sprite } from "./sprite.ts";

/** Flat shapes at one distance, in metres right of and above the ground point. */
function flat(camera: Camera, air: Atmosphere, x: number, z: number): { parts: Part[]; scale: number; map: (p: Point) => Point; add: (colour: Rgb, points: readonly Point[], brightness?: number) => void; shine: (colour: Rgb, points: readonly Point[]) => void } {
  const foot = project(camera, x, 0, z);
  const scale = pixelsPerMetre(camera, z);
  const map = ([px, py]: Point): Point => [foot[0] + px * scale, foot[1] - py * scale];
  const parts: Part[] = [];
  return {
    parts, scale, map,
    add: (colour, points, brightness = 1) => void parts.push({ points: points.map(map), fill: lit(air, colour, z, brightness), solid: true }),
    shine: (colour, points) => void parts.push({ points: points.map(map), fill: shining(air, colour, z), solid: true }),
  };
}

const steel: Rgb = [112, 114, 116];
const lampColours = { red: [255, 44, 34], amber: [255, 176, 40], green: [50, 240, 150] } as const satisfies Record<string, Rgb>;

/** A signal head on a pole beside the road or on an arm above it: only the head is labelled; the post is a sprite of its own just behind. */
export function trafficLight(random: Random, camera: Camera, air: Atmosphere, x: number, z: number, overhead: boolean): Sprite[] {
  const bottom = overhead ? random.range(3.6, 4.6) : random.range(2.1, 2.9);
  const post = flat(camera, air, x, z + 0.05);
  if (overhead) {
    const away = Math.sign(x || 1) * random.range(2.5, 5);
    post.add(steel, limb([0, bottom + 1.3], [away, bottom + 1.5], 0.14, 0.18));
    post.add(steel, limb([away, bottom + 1.5], [away, 0], 0.18, 0.22));
  } else post.add(steel, limb([0, bottom], [0, 0], 0.13, 0.16));

  const to = flat(camera, air, x, z);
  const lamps = random.chance(0.15) ? (["red", "green"] as const) : (["red", "amber", "green"] as const);
  const on = random.pick(lamps);
  const side = 0.56;
  const tall = side * (lamps.length * 0.88 + 0.1);
  const housing = random.pick<Rgb>([[26, 28, 28], [34, 36, 36], [30, 44, 36], [150, 120, 30]]);
  if (random.chance(0.3)) to.add([230, 230, 226], rectangle(-side * 0.62, bottom - 0.06, side * 0.62, bottom + tall + 0.06));
  to.add(housing, rectangle(-side / 2, bottom, side / 2, bottom + tall));
  const halos: Halo[] = [];
  lamps.toReversed().forEach((name, i) => {
    const centre: Point = [0, bottom + side * (0.49 + 0.88 * i)];
    const disc = circle(centre, side * 0.34);
    if (name === on) to.shine(lampColours[name], disc);
    else to.add(scaled(lampColours[name], 0.22), disc);
    if (name === on) halos.push({ centre: to.map(centre), radius: (air.time === "night" ? 0.9 : 0.5) * to.scale, colour: name, opacity: air.time === "night" ? 0.7 : 0.35 });
  });
  return [{ className: null, depth: z + 0.05, parts: post.parts, halos: [] }, { className: "traffic_light", depth: z, parts: to.parts, halos }];
}

export function tree(random: Random, camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const to = flat(camera, air, x, z);
  const crown = random.range(1.1, 2);
  const top = random.range(3, 5.5);
  const leaf = random.pick<Rgb>([[64, 96, 48], [84, 110, 52], [52, 78, 50], [140, 104, 50]]);
  to.add([84, 66, 50], limb([0, 0], [0, top], 0.34, 0.2));
  for (let i = 0; i < 6; i += 1) to.add(scaled(leaf, random.range(0.7, 1.15)), circle([random.range(-0.7, 0.7) * crown, top + random.range(-0.5, 1) * crown], crown * random.range(0.5, 0.85), crown * random.range(0.45, 0.75)));
  return { className: null, depth: z, parts: to.parts, halos: [] };
}

type Draw = (random: Random, to: ReturnType<typeof flat>, air: Atmosphere) => void;

/** Things that look a little like what is labelled, and are not. */
const distractors: Readonly<Record<string, Draw>> = {
  sign(random, to) {
    to.add(steel, limb([0, 0], [0, 2.3], 0.08));
    const [edge, inner] = random.pick<readonly [Rgb, Rgb]>([[[200, 30, 30], [240, 240, 240]], [[30, 70, 160], [60, 110, 200]], [[220, 180, 40], [60, 60, 60]], [[200, 30, 30], [200, 30, 30]]]);
    const corners = random.pick([3, 4, 8, 14]);
    to.add(edge, circle([0, 2.5], 0.42, 0.42, corners));
    to.add(inner, circle([0, 2.5], 0.28, 0.28, corners));
  },
  /** Three discs on a light board: a shop sign, not a signal. */
  discBoard(random, to) {
    to.add([190, 190, 186], rectangle(-0.5, 2, 0.5, 3.3));
    for (let i = 0; i < 3; i += 1) to.add(carPaint(random), circle([random.range(-0.2, 0.2), 2.3 + 0.38 * i], 0.16));
    to.add(steel, limb([0, 0], [0, 2], 0.1));
  },
  box(random, to) {
    const [w, h] = [random.range(0.5, 1.8), random.range(0.6, 1.6)];
    const colour = carPaint(random);
    to.add(colour, rectangle(-w / 2, 0, w / 2, h));
    to.add(scaled(colour, 0.7), rectangle(-w / 2, h * 0.8, w / 2, h));
    if (random.chance(0.5)) to.add([210, 208, 200], rectangle(-w * 0.3, h * 0.3, w * 0.2, h * 0.6));
  },
  container(random, to) {
    const colour = carPaint(random);
    const [w, h] = [random.range(2, 3), random.range(1.8, 2.6)];
    to.add(colour, rectangle(-w / 2, 0, w / 2, h));
    for (let x = -w / 2 + 0.2; x < w / 2; x += 0.35) to.add(scaled(colour, 0.75), rectangle(x, 0.1, x + 0.1, h - 0.1));
  },
  billboard(random, to) {
    const w = random.range(2, 3.6);
    to.add(steel, limb([0, 0], [0, 2.4], 0.3));
    to.add([226, 224, 216], rectangle(-w / 2, 2.2, w / 2, 4.2));
    for (let i = 0; i < 4; i += 1) to.add(carPaint(random), circle([random.range(-0.35, 0.35) * w, random.range(2.5, 3.9)], random.range(0.1, 0.5), random.range(0.1, 0.4), random.pick([4, 6, 12])));
  },
  cone(_random, to) {
    to.add([226, 96, 30], [[-0.25, 0], [0.25, 0], [0.06, 0.75], [-0.06, 0.75]]);
    to.add([236, 236, 236], [[-0.16, 0.3], [0.16, 0.3], [0.11, 0.5], [-0.11, 0.5]]);
  },
  bollard(random, to) {
    to.add(random.pick<Rgb>([[60, 62, 66], [190, 40, 36], [120, 100, 80]]), limb([0, 0], [0, random.range(0.8, 1.7)], 0.26, 0.2));
  },
  /** A bush or a covered stand of about a person's size. */
  bush(random, to) {
    const h = random.range(0.8, 1.7);
    const leaf = random.pick<Rgb>([[60, 92, 50], [92, 92, 60], [110, 84, 60]]);
    for (let i = 0; i < 4; i += 1) to.add(scaled(leaf, random.range(0.75, 1.15)), circle([random.range(-0.2, 0.2), h * random.range(0.25, 0.75)], random.range(0.25, 0.45), h * random.range(0.25, 0.4)));
  },
};

export function distractor(random: Random, camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const to = flat(camera, air, x, z);
  const draw = distractors[random.pick(Object.keys(distractors))];
  draw?.(random, to, air);
  return { className: null, depth: z, parts: to.parts, halos: [] };
}

export function streetLamp(camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const to = flat(camera, air, x, z);
  const reach = -Math.sign(x) * 1.2;
  const on = air.time === "night" || air.time === "dusk";
  to.add(steel, limb([0, 0], [0, 6], 0.16, 0.1));
  to.add(steel, limb([0, 6], [reach, 6.15], 0.1));
  const lamp = circle([reach, 6.1], 0.3, 0.12);
  if (on) to.shine([255, 236, 190], lamp);
  else to.add([180, 180, 176], lamp);
  return { className: null, depth: z, parts: to.parts, halos: on ? [lampHalo(camera, x + reach, z)] : [] };
}

/** A bus shelter's glass and roof, which half hide who waits behind it. */
export function shelter(camera: Camera, air: Atmosphere, x: number, z: number): Sprite {
  const place = placed(camera, { x, z, yaw: 0 });
  const parts: Part[] = [];
  const quad = (points: readonly Point[], colour: Rgb): void => void parts.push({ points, fill: lit(air, colour, z), solid: true });
  quad([place(-1.6, 2.5, -0.8), place(1.6, 2.5, -0.8), place(1.6, 2.5, 0.8), place(-1.6, 2.5, 0.8)], [90, 94, 98]);
  quad([place(-1.6, 2.5, -0.8), place(-1.6, 2.5, 0.8), place(-1.6, 2.3, 0.8), place(-1.6, 2.3, -0.8)], [60, 64, 68]);
  for (const w of [-0.8, 0.76]) quad([place(-1.6, 2.3, w), place(-1.6, 2.3, w + 0.06), place(-1.6, 0, w + 0.06), place(-1.6, 0, w)], [70, 74, 78]);
  quad([place(-1.6, 0.75, -0.8), place(-1.6, 0.75, 0.8), place(-1.6, 0.25, 0.8), place(-1.6, 0.25, -0.8)], [150, 160, 164]);
  return { className: null, depth: z - 1.6, parts, halos: [] };
}
