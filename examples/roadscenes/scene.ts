import { height, width, type Camera } from "./camera.ts";
import { distractor, shelter, streetLamp, trafficLight, tree } from "./furniture.ts";
import { haloGradients, haloToSvg, partToSvg, scaled, type Atmosphere, type Rgb } from "./paint.ts";
import { cyclist, parkedBicycle, pedestrian } from "./people.ts";
import type { Random } from "./random.ts";
import type { Sensor } from "./sensor.ts";
import type { ClassName, Sprite } from "./sprite.ts";
import { buildings, drops, ground, rain, sky, type Street } from "./street.ts";
import { car, truck } from "./vehicles.ts";
import { visibleParts } from "./visibility.ts";

export interface Label {
  readonly className: ClassName;
  readonly box: readonly [x: number, y: number, width: number, height: number];
}

/** Conditions that pictures are grouped by. */
export const conditions = ["night", "rain", "fog"] as const;
export type Condition = (typeof conditions)[number];

export interface Scene {
  /** Light and weather, for accuracy by slice. */
  readonly conditions: readonly Condition[];
  readonly svg: string;
  readonly labels: readonly Label[];
  readonly sensor: Sensor;
}

/** A label needs this share of its object in view (a signal's lamps are its only mark), and this many pixels on the shorter side. */
const minVisibleShare: Readonly<Record<ClassName, number>> = { car: 0.4, truck: 0.4, pedestrian: 0.45, cyclist: 0.45, traffic_light: 0.65 };
const minSidePx = 8;

function atmosphere(random: Random): Atmosphere {
  const time = random.weighted({ day: 40, overcast: 22, dusk: 14, night: 24 });
  const ambient: Rgb = ({ day: [1, 1, 0.98], overcast: [0.82, 0.84, 0.86], dusk: [0.72, 0.56, 0.5], night: [0.31, 0.33, 0.39] } as const)[time];
  const foggy = random.chance(0.16);
  const fogColour: Rgb = ({ day: [206, 210, 212], overcast: [186, 190, 192], dusk: [176, 140, 124], night: [44, 46, 54] } as const)[time];
  return {
    time, fogColour,
    ambient: scaled(ambient, random.range(0.85, 1.15)),
    headlight: time === "night" ? random.range(0.35, 0.8) : 0,
    // Thick fog leaves nothing to recognise at night.
    fogDensity: (foggy ? random.range(0.02, 0.05) : random.range(0.001, 0.008)) * (time === "night" ? 0.5 : 1),
  };
}

interface World {
  readonly random: Random;
  readonly camera: Camera;
  readonly air: Atmosphere;
  readonly street: Street;
  readonly sprites: Sprite[];
  /** Ground discs already taken. */
  readonly taken: { x: number; z: number; radius: number }[];
}

function free(world: World, x: number, z: number, radius: number): boolean {
  if (world.taken.some((t) => Math.hypot(t.x - x, t.z - z) < t.radius + radius)) return false;
  world.taken.push({ x, z, radius });
  return true;
}

/** The farthest distance at which `sizeM` still has the pixels of a label. */
const reach = (camera: Camera, sizeM: number): number => (camera.focal * sizeM) / (minSidePx + 1);
/** Distances with more weight on near ones than a uniform draw over the ground. */
const distance = (random: Random, near: number, far: number): number => near * (far / near) ** random.range(0, 1);

function addVehicle(world: World, draw: typeof car, lengthM: number, widthM: number): void {
  const { random, camera, air, street } = world;
  const half = street.roadHalfM;
  const z = distance(random, lengthM / 2 + 3.5, Math.min(48, reach(camera, 1.4)));
  const place = random.weighted({ lane: 5, parked: 3, crossing: street.crossingZ === null ? 0 : 3, turning: 1 });
  const side = random.sign();
  const jitter = random.range(-0.06, 0.06);
  const away = side > 0 ? 0 : Math.PI;
  const pose = {
    lane: { x: side * random.range(1.2, Math.max(1.4, half - 1.6)), z, yaw: away + jitter },
    parked: { x: side * (half - widthM / 2 + random.range(-0.2, 0.5)), z, yaw: (random.chance(0.8) ? away : Math.PI - away) + jitter },
    crossing: { x: random.range(-9, 9), z: (street.crossingZ ?? 0) + side * 2.1, yaw: (side * Math.PI) / 2 + jitter },
    turning: { x: random.range(-half, half), z, yaw: random.range(0, 2 * Math.PI) },
  }[place];
  if (pose.z < lengthM / 2 + 2.5 || !free(world, pose.x, pose.z, lengthM * 0.42)) return;
  world.sprites.push(draw(random, camera, air, pose));
}

function addPedestrians(world: World): void {
  const { random, camera, air, street } = world;
  const far = reach(camera, 0.52);
  const z = distance(random, 4.5, far);
  const side = random.sign();
  const x = random.weighted({ pavement: 4, road: 2 }) === "pavement" ? side * (street.roadHalfM + random.range(0.4, street.pavementM - 0.3)) : random.range(-street.roadHalfM, street.roadHalfM);
  const company = random.chance(0.3) ? random.int(2, 3) : 1;
  for (let i = 0; i < company; i += 1) {
    const at = { x: x + i * random.range(0.5, 0.9), z: Math.min(far, z + random.range(-0.5, 0.5)) };
    if (free(world, at.x, at.z, 0.25)) world.sprites.push(pedestrian(random, camera, air, at.x, at.z));
  }
}

function addCyclist(world: World): void {
  const { random, camera, air, street } = world;
  const view = random.weighted({ side: 4, rear: 3, front: 2 });
  const z = distance(random, 5, reach(camera, view === "side" ? 0.85 : 0.62));
  const x = view === "side" ? random.range(-street.roadHalfM - 1, street.roadHalfM + 1) : random.sign() * (street.roadHalfM + random.range(-1.4, 0.6));
  if (free(world, x, z, 0.7)) world.sprites.push(cyclist(random, camera, air, x, z, view));
}

function addTrafficLights(world: World): void {
  const { random, camera, air, street } = world;
  const far = reach(camera, 0.56);
  const z = street.crossingZ === null ? distance(random, 6, far) : Math.max(6, Math.min(far, street.crossingZ - 5));
  for (const side of random.chance(0.4) ? [-1, 1] : [random.sign()]) {
    const overhead = random.chance(0.35);
    const x = overhead ? random.range(-street.roadHalfM * 0.6, street.roadHalfM * 0.6) : side * (street.roadHalfM + random.range(0.3, 0.7));
    if (free(world, x, z, 0.4)) world.sprites.push(...trafficLight(random, camera, air, x, z, overhead));
  }
}

function addFurniture(world: World): void {
  const { random, camera, air, street } = world;
  const kerb = (): number => random.sign() * (street.roadHalfM + random.range(0.5, street.pavementM));
  for (let i = random.int(0, 5); i > 0; i -= 1) {
    const [x, z] = [kerb(), distance(random, 5, 40)];
    if (free(world, x, z, 0.6)) world.sprites.push(tree(random, camera, air, x, z));
  }
  for (let i = random.int(2, 7); i > 0; i -= 1) {
    const [x, z] = [kerb(), distance(random, 5, 28)];
    if (!free(world, x, z, 0.5)) continue;
    world.sprites.push(random.chance(0.22) ? parkedBicycle(random, camera, air, x, z) : distractor(random, camera, air, x, z));
  }
  if (random.chance(0.5)) {
    const [x, first] = [random.sign() * (street.roadHalfM + 0.5), random.range(6, 14)];
    for (let z = first; z < 50; z += 14) world.sprites.push(streetLamp(camera, air, x, z));
  }
  if (random.chance(0.12)) world.sprites.push(shelter(camera, air, random.sign() * (street.roadHalfM + 1.4), random.range(9, 18)));
}

/** Takes away what is labelled but too hidden, cut off or small to be recognised, until all that is left is fair. */
function fairLabels(sprites: Sprite[]): { sprites: Sprite[]; labels: Label[] } {
  for (let kept = sprites; ;) {
    const visible = visibleParts(kept);
    const fair = kept.filter(({ className }, i) => {
      const seen = visible[i];
      return className === null || (seen !== undefined && seen.share >= minVisibleShare[className] && Math.min(seen.box[2], seen.box[3]) >= minSidePx);
    });
    if (fair.length < kept.length) { kept = fair; continue; }
    const labels = kept.flatMap(({ className }, i) => {
      const seen = visible[i];
      return className === null || !seen ? [] : [{ className, box: seen.box }];
    });
    return { sprites: kept, labels };
  }
}

function sensor(random: Random, air: Atmosphere): Sensor {
  const dark = air.time === "night";
  return {
    noise: random.range(1, dark ? 11 : 7),
    motionBlurPx: random.chance(0.2) ? random.int(2, 4) : 1,
    defocus: random.chance(0.25) ? random.range(0.4, 0.95) : 0,
    contrast: Math.max(random.chance(0.2) ? random.range(0.5, 0.8) : random.range(0.88, 1.15), dark || air.fogDensity > 0.02 ? 0.75 : 0),
    brightness: random.range(-14, 14),
    tint: [random.range(0.94, 1.06), 1, random.range(0.94, 1.06)],
    quality: random.int(70, 92),
  };
}

/** One random road scene, 320 × 192: its drawing, its labels and the camera's faults. Same random state, same scene. */
export function scene(random: Random): Scene {
  const air = atmosphere(random);
  const camera: Camera = {
    focal: random.range(230, 330), horizonY: random.range(66, 98), centreX: width / 2 + random.range(-40, 40), heightM: random.range(1.3, 2.4),
  };
  const raining = random.chance(0.2);
  const street: Street = {
    roadHalfM: random.range(3.2, 7.2), pavementM: random.range(2, 4), crossingZ: random.chance(0.4) ? random.range(14, 26) : null, wet: raining || random.chance(0.1),
  };
  const world: World = { random, camera, air, street, sprites: [], taken: [] };
  const wanted = random.int(3, 11);
  for (let i = 0; i < wanted; i += 1) {
    const kind = random.weighted({ car: 30, truck: 17, pedestrian: 22, cyclist: 19, traffic_light: 14 } satisfies Record<ClassName, number>);
    if (kind === "car") addVehicle(world, car, 4.5, 1.85);
    else if (kind === "truck") addVehicle(world, truck, 8, 2.4);
    else if (kind === "pedestrian") addPedestrians(world);
    else if (kind === "cyclist") addCyclist(world);
    else addTrafficLights(world);
  }
  addFurniture(world);
  const { sprites, labels } = fairLabels(world.sprites.sort((a, b) => b.depth - a.depth));
  const backdrop = sky(random, camera, air);
  const parts = [...backdrop.parts, ...ground(random, camera, air, street), ...buildings(random, camera, air, street)];
  const weather = raining ? [...rain(random, random.range(60, 220)), ...drops(random, random.int(0, 14))] : [];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${haloGradients}${backdrop.svg}${parts.map(partToSvg).join("")}`
    + sprites.map((sprite) => sprite.parts.map(partToSvg).join("") + sprite.halos.map(haloToSvg).join("")).join("")
    + `${weather.map(partToSvg).join("")}</svg>`;
  const found: Condition[] = [...(air.time === "night" ? ["night" as const] : []), ...(raining ? ["rain" as const] : []), ...(air.fogDensity > 0.009 ? ["fog" as const] : [])];
  return { svg, labels, conditions: found, sensor: sensor(random, air) };
}
