import { height, patch, pixelsPerMetre, project, width, type Camera } from "./camera.ts";
import { carPaint, circle, limb, lit, mix, rectangle, rgb, scaled, shining, type Atmosphere, type Halo, type Part, type Point, type Rgb } from "./paint.ts";
import type { Random } from "./random.ts";

export interface Street {
  readonly roadHalfM: number;
  readonly pavementM: number;
  /** Distance of the crossing street's middle, or null. */
  readonly crossingZ: number | null;
  readonly wet: boolean;
}

const farM = 160;
const crossingHalfM = 4.5;

const behind = (points: readonly Point[], fill: string, opacity?: number): Part =>
  ({ points, fill, solid: false, ...(opacity === undefined ? {} : { opacity }) });

const skies: Readonly<Record<Atmosphere["time"], readonly [Rgb, Rgb]>> = {
  day: [[96, 148, 210], [200, 218, 232]],
  dusk: [[70, 76, 120], [232, 160, 110]],
  overcast: [[168, 174, 180], [206, 208, 208]],
  night: [[8, 10, 20], [34, 34, 46]],
};

export function sky(random: Random, camera: Camera, air: Atmosphere): { svg: string; parts: Part[] } {
  const [top, bottom] = skies[air.time];
  const fog = 1 - Math.exp(-air.fogDensity * 70);
  const svg = `<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${rgb(mix(top, air.fogColour, fog * 0.8))}"/>`
    + `<stop offset="1" stop-color="${rgb(mix(bottom, air.fogColour, fog))}"/></linearGradient><rect width="${width}" height="${Math.ceil(camera.horizonY) + 1}" fill="url(#sky)"/>`;
  const parts: Part[] = [];
  if (air.time !== "night") for (let i = random.int(0, 4); i > 0; i -= 1) {
    const at: Point = [random.range(0, width), random.range(0, camera.horizonY * 0.7)];
    for (let blob = 0; blob < 3; blob += 1) parts.push(behind(circle([at[0] + random.range(-18, 18), at[1] + random.range(-4, 4)], random.range(12, 34), random.range(4, 9)), rgb(mix(bottom, [245, 245, 245], 0.6)), 0.45));
  }
  // A far skyline of roofs and woods.
  for (let x = -10; x < width; x += random.range(8, 30)) {
    const roof = camera.horizonY - random.range(3, 26);
    parts.push(behind(rectangle(x, roof, x + random.range(12, 34), camera.horizonY + 1), lit(air, random.pick<Rgb>([[110, 112, 118], [96, 92, 96], [70, 90, 66], [130, 122, 112]]), 90)));
  }
  return { svg, parts };
}

export function ground(random: Random, camera: Camera, air: Atmosphere, street: Street): Part[] {
  const parts: Part[] = [];
  const strip = (x0: number, x1: number, z0: number, z1: number, colour: Rgb, opacity?: number): void => {
    // Cut in depth, so that fog and headlamps fade along the strip.
    for (let near = z0; near < z1;) {
      const far = Math.min(z1, near * 1.22 + 0.4);
      parts.push(behind([project(camera, x0, 0, far), project(camera, x1, 0, far), project(camera, x1, 0, near), project(camera, x0, 0, near)], lit(air, colour, (near + far) / 2), opacity));
      near = far;
    }
  };
  const base = random.range(70, 112);
  const asphalt: Rgb = street.wet ? [base * 0.62, base * 0.66, base * 0.74] : [base, base, base * 1.02];
  const verge = random.pick<Rgb>([[150, 146, 140], [128, 124, 120], [92, 116, 70], [120, 110, 92]]);
  parts.push(behind(rectangle(0, camera.horizonY, width, height), lit(air, verge, 45)));
  strip(-60, 60, 1.3, farM, verge);
  strip(-street.roadHalfM, street.roadHalfM, 1.3, farM, asphalt);
  for (const side of [-1, 1]) strip(side * street.roadHalfM, side * (street.roadHalfM + 0.25), 1.3, 70, [176, 174, 170]);
  if (street.crossingZ !== null) {
    strip(-60, 60, street.crossingZ - crossingHalfM, street.crossingZ + crossingHalfM, asphalt);
    const z = street.crossingZ - crossingHalfM - 2;
    if (z > 3) for (let x = -street.roadHalfM + 0.4; x < street.roadHalfM - 0.5; x += 1) strip(x, x + 0.5, z - 1.4, z + 1.4, [216, 216, 212]);
  }
  for (let z = random.range(2, 6); z < 70; z += 6) strip(-0.07, 0.07, z, z + 3, [222, 222, 214]);
  if (random.chance(0.5)) for (const side of [-1, 1]) strip(side * (street.roadHalfM - 0.35), side * (street.roadHalfM - 0.25), 1.3, 70, [214, 208, 190]);
  for (let i = random.int(0, 7); i > 0; i -= 1) {
    const [x, z, w] = [random.range(-street.roadHalfM, street.roadHalfM - 1), random.range(4, 30), random.range(0.4, 2.5)];
    strip(x, x + w, z, z + random.range(0.4, 3), scaled(asphalt, random.range(0.72, 1.2)), 0.7);
  }
  return parts;
}

/** Facades along both sides, far to near, with windows, shop fronts and lit rooms at night. */
export function buildings(random: Random, camera: Camera, air: Atmosphere, street: Street): Part[] {
  const rows: { near: number; parts: Part[] }[] = [];
  for (const side of [-1, 1]) {
    const x = side * (street.roadHalfM + street.pavementM + random.range(0, 2));
    for (let near = random.range(2.5, 7); near < 75;) {
      const far = near + random.range(6, 16);
      const gap = street.crossingZ !== null && far > street.crossingZ - 6 && near < street.crossingZ + 6;
      if (!gap && random.chance(0.85)) rows.push({ near, parts: building(random, camera, air, x, near, far, random.range(5, 17)) });
      near = far + (random.chance(0.3) ? random.range(2, 8) : 0);
    }
  }
  return rows.sort((a, b) => b.near - a.near).flatMap(({ parts }) => parts);
}

function building(random: Random, camera: Camera, air: Atmosphere, x: number, near: number, far: number, roof: number): Part[] {
  const side = Math.sign(x);
  const colour = random.pick<Rgb>([[172, 150, 128], [150, 98, 78], [190, 184, 172], [126, 128, 134], [206, 190, 158], [108, 104, 102], [164, 170, 176]]);
  const facade = [project(camera, x, roof, near), project(camera, x, roof, far), project(camera, x, 0, far), project(camera, x, 0, near)];
  const outer = x + side * 14;
  const gable = [project(camera, x, roof, near), project(camera, outer, roof, near), project(camera, outer, 0, near), project(camera, x, 0, near)];
  const parts = [behind(gable, lit(air, colour, near, 0.72)), behind(facade, lit(air, colour, (near + far) / 2, side > 0 ? 0.95 : 0.84))];
  if (near > 55) return parts;
  const floors = Math.min(4, Math.max(1, Math.floor(roof / 3)));
  const columns = Math.min(5, Math.max(2, Math.round((far - near) / 3)));
  for (let floor = 0; floor < floors; floor += 1) {
    for (let column = 0; column < columns; column += 1) {
      const lamp = air.time === "night" || air.time === "dusk" ? random.chance(0.35) : false;
      const s = (column + 0.25) / columns;
      const t = (floor + 0.2) / floors;
      const fill = lamp ? shining(air, scaled([240, 205, 130], random.range(0.6, 1)), near) : lit(air, scaled([70, 82, 98], random.range(0.7, 1.4)), near);
      parts.push(behind(patch(facade, s, t, s + 0.5 / columns, t + 0.6 / floors), fill));
    }
  }
  if (random.chance(0.35)) {
    const sign = scaled(carPaint(random), 1.1);
    const t = 1 - 3 / roof;
    parts.push(behind(patch(facade, 0.1, t - 0.06, 0.9, t), air.time === "night" ? shining(air, sign, near) : lit(air, sign, near)));
  }
  return parts;
}

export function rain(random: Random, amount: number): Part[] {
  const slant = random.range(-0.35, 0.35);
  return Array.from({ length: Math.round(amount) }, () => {
    const [x, y, length] = [random.range(-20, width + 20), random.range(-10, height), random.range(5, 20)];
    return behind(limb([x, y], [x + slant * length, y + length], random.range(0.4, 1)), "#d4dbe2", random.range(0.12, 0.4));
  });
}

/** Water drops on the windscreen: small blurred discs. */
export const drops = (random: Random, count: number): Part[] => Array.from({ length: count }, () =>
  behind(circle([random.range(0, width), random.range(0, height)], random.range(1.5, 5), random.range(1.5, 6)), random.pick(["#aab4bc", "#60686e", "#cfd6da"]), random.range(0.15, 0.38)));

/** Street lamps' pools of light on the ground at night. */
export function lampHalo(camera: Camera, x: number, z: number): Halo {
  return { centre: project(camera, x, 6, z), radius: 1.6 * pixelsPerMetre(camera, z), colour: "white", opacity: 0.8 };
}
