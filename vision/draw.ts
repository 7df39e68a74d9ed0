import { characterWidth, eachTextPixel, lineHeight } from "./font.ts";
import type { Box, Image8 } from "./types.ts";

type Rgb = readonly [number, number, number];

/** A box to draw: a detection with its score, or a labelled box without. */
export interface DrawnBox {
  readonly box: Box;
  readonly classIndex: number;
  readonly score?: number;
}

export interface DrawOptions {
  /** Names that `classIndex` indexes; a missing one is shown as its number. */
  readonly classes: readonly string[];
  /** Default true. */
  readonly labels?: boolean;
  /** Stroke width in pixels; default by the picture's size. */
  readonly strokePx?: number;
}

/** A colour that tells neighbouring class indices apart: hues a golden angle apart, of alternating lightness. */
export function classColour(classIndex: number): Rgb {
  const hue = (classIndex * 137.508 + 8) % 360;
  const lightness = classIndex % 2 === 0 ? 0.56 : 0.46;
  const reach = 0.85 * Math.min(lightness, 1 - lightness);
  const channel = (n: number): number => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** A copy of the picture with boxes and labels; strokes and text grow with the picture. Text needs no installed font. */
export function drawBoxes(image: Image8, boxes: readonly DrawnBox[], options: DrawOptions): Image8 {
  const copy: Image8 = { ...image, data: Uint8Array.from(image.data) };
  const stroke = options.strokePx ?? Math.max(1, Math.round(Math.min(image.width, image.height) / 240));
  // The surest come last, on top.
  for (const drawn of [...boxes].sort((a, b) => (a.score ?? 1) - (b.score ?? 1))) {
    const colour = classColour(drawn.classIndex);
    drawFrame(copy, drawn.box, stroke, colour);
    if (options.labels !== false) drawLabel(copy, drawn, labelText(drawn, options.classes), colour);
  }
  return copy;
}

const labelText = ({ classIndex, score }: DrawnBox, classes: readonly string[]): string =>
  `${classes[classIndex] ?? String(classIndex)}${score === undefined ? "" : ` ${score.toFixed(2).replace(/^0/, "")}`}`;

function drawFrame(image: Image8, [x, y, w, h]: Box, stroke: number, colour: Rgb): void {
  const [left, top, right, bottom] = [Math.round(x), Math.round(y), Math.round(x + w), Math.round(y + h)];
  fill(image, left, top, right, top + stroke, colour);
  fill(image, left, bottom - stroke, right, bottom, colour);
  fill(image, left, top, left + stroke, bottom, colour);
  fill(image, right - stroke, top, right, bottom, colour);
}

/** The label sits on the box's upper edge, or inside it where there is no room above. */
function drawLabel(image: Image8, { box: [x, y] }: DrawnBox, text: string, colour: Rgb): void {
  const scale = Math.max(1, Math.round(Math.min(image.width, image.height) / 400));
  const width = (text.length * characterWidth + 1) * scale;
  const left = Math.max(0, Math.min(Math.round(x), image.width - width));
  const top = Math.round(y) - lineHeight * scale >= 0 ? Math.round(y) - lineHeight * scale : Math.max(0, Math.round(y));
  fill(image, left, top, left + width, top + lineHeight * scale, colour);
  const ink: Rgb = colour[0] * 0.299 + colour[1] * 0.587 + colour[2] * 0.114 > 140 ? [0, 0, 0] : [255, 255, 255];
  eachTextPixel(text, (px, py) => fill(image, left + (px + 1) * scale, top + py * scale, left + (px + 2) * scale, top + (py + 1) * scale, ink));
}

/** Fills [left, right) × [top, bottom), clipped to the picture. */
function fill({ width, height, data }: Image8, left: number, top: number, right: number, bottom: number, [r, g, b]: Rgb): void {
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y += 1) {
    for (let x = Math.max(0, left); x < Math.min(width, right); x += 1) {
      const at = (y * width + x) * 3;
      data[at] = r;
      data[at + 1] = g;
      data[at + 2] = b;
    }
  }
}
