/** How colours change: hue turned by a part of the circle, saturation and value multiplied. */
export interface HsvShift {
  /** -0.5..0.5 of a full turn. */
  readonly hue: number;
  readonly saturation: number;
  readonly value: number;
}

/** Applies the shift to 8-bit RGB pixels, in place (HSV as in Smith 1978; hexcone, in units of sixths of a turn). */
export function shiftHsv(pixels: Uint8Array, { hue, saturation, value }: HsvShift): void {
  const turn = ((hue * 6) % 6) + 6;
  const brightness = Uint8Array.from({ length: 256 }, (_, v) => Math.min(255, Math.round(v * value)));
  for (let i = 0; i < pixels.length; i += 3) {
    const r = pixels[i]!;
    const g = pixels[i + 1]!;
    const b = pixels[i + 2]!;
    const max = r > g ? (r > b ? r : b) : g > b ? g : b;
    const min = r < g ? (r < b ? r : b) : g < b ? g : b;
    const chroma = max - min;
    const v = brightness[max]!;
    if (chroma === 0) {
      pixels[i] = pixels[i + 1] = pixels[i + 2] = v;
      continue;
    }
    const sixth = (max === r ? (g - b) / chroma : max === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4) + turn;
    const h = sixth >= 12 ? sixth - 12 : sixth >= 6 ? sixth - 6 : sixth;
    const s = Math.min(1, (chroma / max) * saturation);
    const sector = h | 0;
    const f = h - sector;
    const p = (v * (1 - s) + 0.5) | 0;
    const m = (v * (1 - s * (sector & 1 ? f : 1 - f)) + 0.5) | 0; // falls in odd sectors, rises in even ones
    const rising = sector < 1 || sector >= 5 ? v : sector === 1 || sector === 4 ? m : p;
    pixels[i] = rising;
    pixels[i + 1] = sector === 1 || sector === 2 ? v : sector === 0 || sector === 3 ? m : p;
    pixels[i + 2] = sector === 3 || sector === 4 ? v : sector === 2 || sector === 5 ? m : p;
  }
}
