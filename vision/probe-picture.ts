import { diceFor } from "./random.ts";
import type { Image8 } from "./types.ts";

type Colour = readonly [number, number, number];

/**
 * A photo-like street scene of any size, drawn by a fixed formula: sky, road, house fronts, cars, people, soft
 * shadows and sensor noise.
 * It ships as code; a trial run of a detector looks at it. The same size gives the same pixels.
 */
export const probePicture = (width: number, height: number): Image8 => {
  const picture: Image8 = { width, height, channels: 3, data: new Uint8Array(width * height * 3) };
  const dice = diceFor(20, 26);
  const horizon = 0.45;
  fill(
    picture,
    (x, y) =>
      y < horizon
        ? [150 + 60 * y, 180 + 70 * y, 235 - 20 * y]
        : [105 - 30 * y + 4 * Math.sin(40 * x), 104 - 28 * y, 103 - 26 * y],
    [0, 0, 1, 1],
  );
  for (let house = 0; house < 7; house++)
    drawHouse(picture, house / 7 + dice.between(0, 0.03), dice.between(0.08, 0.2), horizon, [
      dice.between(110, 190),
      dice.between(95, 160),
      dice.between(80, 140),
    ]);
  fill(
    picture,
    (x, y) => (Math.abs(((8 * x + 3 * y) % 1) - 0.5) < 0.18 ? [215, 214, 205] : [88, 88, 90]),
    [0.47, 0.6, 0.53, 1],
  );
  for (const [x, y, size] of [
    [0.12, 0.6, 0.16],
    [0.36, 0.52, 0.07],
    [0.72, 0.66, 0.24],
    [0.58, 0.51, 0.05],
  ] as const)
    drawCar(picture, x, y, size, [dice.between(20, 220), dice.between(20, 120), dice.between(20, 200)]);
  for (const [x, y, size] of [
    [0.3, 0.58, 0.2],
    [0.88, 0.55, 0.3],
    [0.55, 0.6, 0.16],
    [0.06, 0.55, 0.24],
  ] as const)
    drawPerson(picture, x, y, size, [dice.between(30, 200), dice.between(30, 160), dice.between(40, 220)]);
  addNoise(picture);
  return picture;
};

/** Paints a part of the picture, coordinates in 0..1. */
const fill = (
  { width, height, data }: Image8,
  paint: (x: number, y: number) => Colour | null,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
): void => {
  for (let row = Math.max(0, Math.floor(y1 * height)); row < Math.min(height, y2 * height); row++) {
    for (let column = Math.max(0, Math.floor(x1 * width)); column < Math.min(width, x2 * width); column++) {
      const colour = paint((column + 0.5) / width, (row + 0.5) / height);
      if (colour) data.set(colour, 3 * (row * width + column));
    }
  }
};

const drawHouse = (picture: Image8, x: number, w: number, horizon: number, colour: Colour): void => {
  const top = horizon - 0.12 - 1.1 * w;
  fill(
    picture,
    (px, py) => {
      const [u, v] = [((px - x) / w) * 4, (py - top) * 18];
      const isWindow = u % 1 > 0.3 && u % 1 < 0.75 && v % 1 > 0.25 && v % 1 < 0.8;
      return isWindow ? [52, 62, 78] : (colour.map((c) => c * (1 - 0.25 * ((px - x) / w))) as unknown as Colour);
    },
    [x, top, x + w, horizon + 0.02],
  );
};

const ellipse = (
  picture: Image8,
  [cx, cy, rx, ry]: readonly [number, number, number, number],
  shade: (u: number, v: number) => Colour,
): void =>
  fill(
    picture,
    (x, y) => {
      const [u, v] = [(x - cx) / rx, (y - cy) / ry];
      return u * u + v * v <= 1 ? shade(u, v) : null;
    },
    [cx - rx, cy - ry, cx + rx, cy + ry],
  );

const lit = ([r, g, b]: Colour, u: number, v: number): Colour => {
  const light = 1 - 0.25 * u - 0.35 * v;
  return [Math.min(255, r * light), Math.min(255, g * light), Math.min(255, b * light)];
};

const drawCar = (picture: Image8, x: number, y: number, size: number, colour: Colour): void => {
  ellipse(picture, [x, y + 0.3 * size, 0.62 * size, 0.1 * size], () => [42, 42, 44]);
  ellipse(picture, [x, y, 0.36 * size, 0.28 * size], (u, v) =>
    v < 0.1 && Math.abs(u) < 0.85 && Math.abs(u) > 0.06 ? [48, 58, 72] : lit(colour, u, v),
  );
  fill(picture, (px, py) => lit(colour, (px - x) / size, (2 * (py - y)) / size), [
    x - 0.55 * size,
    y,
    x + 0.55 * size,
    y + 0.25 * size,
  ]);
  for (const side of [-0.33, 0.33])
    ellipse(picture, [x + side * size, y + 0.25 * size, 0.1 * size, 0.1 * size], (u, v) =>
      u * u + v * v > 0.4 ? [22, 22, 24] : [150, 150, 155],
    );
  fill(picture, () => [240, 232, 190], [x - 0.54 * size, y + 0.06 * size, x - 0.46 * size, y + 0.12 * size]);
  fill(picture, () => [190, 30, 28], [x + 0.46 * size, y + 0.06 * size, x + 0.54 * size, y + 0.12 * size]);
};

const drawPerson = (picture: Image8, x: number, y: number, size: number, colour: Colour): void => {
  ellipse(picture, [x, y + 0.5 * size, 0.16 * size, 0.035 * size], () => [46, 46, 48]);
  for (const side of [-1, 1])
    ellipse(picture, [x + side * 0.06 * size, y + 0.28 * size, 0.055 * size, 0.24 * size], (u, v) =>
      lit([46, 52, 78], u, v),
    );
  for (const side of [-1, 1])
    ellipse(picture, [x + side * 0.13 * size, y - 0.06 * size, 0.035 * size, 0.18 * size], (u, v) => lit(colour, u, v));
  ellipse(picture, [x, y - 0.04 * size, 0.12 * size, 0.22 * size], (u, v) => lit(colour, u, v));
  ellipse(picture, [x, y - 0.35 * size, 0.065 * size, 0.09 * size], (u, v) =>
    v < -0.35 ? [58, 40, 30] : lit([205, 160, 130], u, v),
  );
};

/** Small differences from pixel to pixel, as a sensor has them. */
const addNoise = ({ data }: Image8): void => {
  for (let i = 0; i < data.length; i++) {
    const hash = Math.imul(i ^ (i >>> 7), 0x85ebca6b) >>> 24;
    data[i] = Math.max(0, Math.min(255, data[i]! + (hash % 11) - 5));
  }
};
