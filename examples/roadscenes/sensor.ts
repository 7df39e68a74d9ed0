import sharp from "sharp";
import { height, width } from "./camera.ts";
import type { Random } from "./random.ts";

/** What the camera does to the light: blur, tone, noise, compression. */
export interface Sensor {
  /** Standard deviation of the noise in grey levels. */
  readonly noise: number;
  /** Length of the horizontal motion blur; 1 is none. */
  readonly motionBlurPx: number;
  /** Standard deviation of the defocus blur in pixels; 0 is none. */
  readonly defocus: number;
  readonly contrast: number;
  readonly brightness: number;
  readonly tint: readonly [number, number, number];
  /** JPEG quality. */
  readonly quality: number;
}

/** Renders the drawing and photographs it: JPEG bytes. */
export async function photograph(svg: string, sensor: Sensor, random: Random): Promise<Buffer> {
  const drawing = sharp(Buffer.from(svg)).removeAlpha();
  const pixels = await (sensor.defocus > 0 ? drawing.blur(sensor.defocus) : drawing).raw().toBuffer();
  expose(motionBlur(pixels, sensor.motionBlurPx), pixels, sensor, random);
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg({ quality: sensor.quality }).toBuffer();
}

function motionBlur(pixels: Uint8Array, length: number): Uint8Array {
  if (length <= 1) return pixels;
  const row = width * 3;
  return pixels.map((_, at) => {
    let sum = 0;
    const column = at % row;
    for (let i = 0; i < length; i += 1) sum += pixels[at - column + Math.min(row - 3 + (column % 3), column + i * 3)] ?? 0;
    return sum / length;
  });
}

/** Tone curve and noise; the noise is the sum of four bytes of a 32-bit generator, near enough to normal. */
function expose(from: Uint8Array, to: Uint8Array, { contrast, brightness, tint, noise }: Sensor, random: Random): void {
  let state = random.int(1, 0x7fffffff);
  const tone = tint.map((t) => Float32Array.from({ length: 256 }, (_, v) => ((v - 128) * contrast + 128 + brightness) * t));
  const scale = noise / 147.8; // the sum of four uniform bytes has this standard deviation
  for (let at = 0; at < to.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const sum = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510;
    const value = (tone[at % 3]?.[from[at] ?? 0] ?? 0) + sum * scale;
    to[at] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
  }
}
