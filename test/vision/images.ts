import type { Image8 } from "../../vision/types.ts";

/** The deterministic test picture of fixtures/opencv-resize/make.py. */
export function pattern(width: number, height: number): Image8 {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) data[i++] = (Math.imul(37 * x + 91 * y + 57 * c + 13 * x * y, 2654435761) >>> 7) & 255;
  return { width, height, channels: 3, data };
}

/** A picture of one colour. */
export function plain(width: number, height: number, colour: readonly [number, number, number]): Image8 {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3] ?? 0);
  return { width, height, channels: 3, data };
}
