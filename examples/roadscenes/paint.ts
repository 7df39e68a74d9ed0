import type { Random } from "./random.ts";

export type Rgb = readonly [number, number, number];
export type Point = readonly [x: number, y: number];

/** One filled or stroked polygon in pixels. Only solid parts count for an object's box and hide what lies behind. */
export interface Part {
  readonly points: readonly Point[];
  readonly fill: string;
  readonly strokeWidth?: number;
  readonly opacity?: number;
  readonly solid: boolean;
}

/** Light and air of one picture: every colour goes through it, so that fog and night depend on the distance. */
export interface Atmosphere {
  readonly time: "day" | "dusk" | "overcast" | "night";
  /** Factors on red, green and blue of everything that does not shine. */
  readonly ambient: Rgb;
  /** Added light from the camera car's headlamps at distance 0. */
  readonly headlight: number;
  readonly fogColour: Rgb;
  /** Fog per metre: the share of fog at distance z is 1 - exp(-density z). */
  readonly fogDensity: number;
}

export const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  a[0] + (b[0] - a[0]) * share,
  a[1] + (b[1] - a[1]) * share,
  a[2] + (b[2] - a[2]) * share,
];

export const scaled = (colour: Rgb, factor: number): Rgb => [colour[0] * factor, colour[1] * factor, colour[2] * factor];

export const rgb = (colour: Rgb): string =>
  `#${colour.map((c) => Math.max(0, Math.min(255, Math.round(c))).toString(16).padStart(2, "0")).join("")}`;

/** The colour of a surface at `depth` metres under this light, as an SVG colour. */
export function lit(air: Atmosphere, colour: Rgb, depth: number, brightness = 1): string {
  const beam = air.headlight * Math.exp(-depth / 14);
  const surface: Rgb = [
    colour[0] * (air.ambient[0] + beam) * brightness,
    colour[1] * (air.ambient[1] + beam) * brightness,
    colour[2] * (air.ambient[2] + beam * 0.9) * brightness,
  ];
  return rgb(mix(surface, air.fogColour, 1 - Math.exp(-air.fogDensity * depth)));
}

/** The colour of a lamp: fog dims it, night does not. */
export const shining = (air: Atmosphere, colour: Rgb, depth: number): string =>
  rgb(mix(colour, air.fogColour, 0.6 * (1 - Math.exp(-air.fogDensity * depth))));

export function circle(centre: Point, radiusX: number, radiusY = radiusX, corners = 12): Point[] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [centre[0] + radiusX * Math.cos(angle), centre[1] + radiusY * Math.sin(angle)] as const;
  });
}

/** A thick line from a to b as a quadrilateral. */
export function limb(a: Point, b: Point, widthA: number, widthB = widthA): Point[] {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
  const nx = -(b[1] - a[1]) / length / 2;
  const ny = (b[0] - a[0]) / length / 2;
  return [
    [a[0] + nx * widthA, a[1] + ny * widthA],
    [b[0] + nx * widthB, b[1] + ny * widthB],
    [b[0] - nx * widthB, b[1] - ny * widthB],
    [a[0] - nx * widthA, a[1] - ny * widthA],
  ];
}

export const rectangle = (x0: number, y0: number, x1: number, y1: number): Point[] => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

export function partToSvg(part: Part): string {
  const points = part.points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  const opacity = part.opacity === undefined ? "" : ` opacity="${part.opacity.toFixed(2)}"`;
  const paint = part.strokeWidth === undefined
    ? `fill="${part.fill}"`
    : `fill="none" stroke="${part.fill}" stroke-width="${part.strokeWidth.toFixed(2)}"`;
  return `<polygon points="${points}" ${paint}${opacity}/>`;
}

/** A soft halo around a lamp; needs the gradients that `haloGradients` defines. */
export interface Halo {
  readonly centre: Point;
  readonly radius: number;
  readonly colour: "white" | "red" | "amber" | "green";
  readonly opacity: number;
}

export const haloGradients = Object.entries({ white: "#fff3d0", red: "#ff3020", amber: "#ffb030", green: "#30ffa0" })
  .map(([name, colour]) => `<radialGradient id="${name}"><stop offset="0" stop-color="${colour}"/><stop offset="1" stop-color="${colour}" stop-opacity="0"/></radialGradient>`)
  .join("");

export const haloToSvg = ({ centre, radius, colour, opacity }: Halo): string =>
  `<circle cx="${centre[0].toFixed(1)}" cy="${centre[1].toFixed(1)}" r="${radius.toFixed(1)}" fill="url(#${colour})" opacity="${opacity.toFixed(2)}"/>`;

/** Car paints as on a real street: mostly grey, black and white, some colours. */
export function carPaint(random: Random): Rgb {
  const paint = random.pick<Rgb>([
    [225, 225, 228], [205, 207, 210], [150, 153, 158], [98, 101, 106], [48, 50, 54], [28, 29, 32], [160, 24, 28], [120, 16, 24],
    [28, 62, 132], [52, 104, 168], [34, 78, 58], [196, 152, 40], [110, 82, 60], [206, 92, 30], [86, 120, 140], [188, 180, 158],
  ]);
  return scaled(paint, random.range(0.88, 1.1));
}

export const clothing = (random: Random): Rgb =>
  scaled(random.pick<Rgb>([
    [34, 36, 44], [60, 62, 70], [28, 42, 84], [70, 96, 140], [150, 30, 36], [196, 190, 178], [120, 104, 84], [50, 84, 60], [210, 170, 60],
    [200, 96, 110], [110, 70, 120], [226, 226, 226], [90, 60, 44], [240, 120, 40],
  ]), random.range(0.85, 1.1));

export const skin = (random: Random): Rgb => random.pick<Rgb>([[232, 190, 160], [214, 164, 128], [168, 118, 84], [112, 74, 52]]);
