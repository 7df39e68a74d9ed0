/** Bins on each side of zero; memory of a histogram is 2 · 4096 counts, however many values it has seen. */
export const binsPerSide = 4096;

/**
 * Streaming histogram with bins symmetric about zero. The range [-reach, reach] is a power of two and doubles by merging pairs of bins,
 * so the counts do not depend on the order of the values: a stream gives the same histogram as all values at once.
 */
export class Histogram {
  /** counts[binsPerSide + i] counts values in [i, i + 1) · binWidth, i = -binsPerSide … binsPerSide - 1. */
  readonly counts = new Float64Array(2 * binsPerSide);
  min = Infinity;
  max = -Infinity;
  total = 0;
  /** NaN and infinite values seen; they are not counted. */
  nonFinite = 0;
  #reach = 0;

  get reach(): number {
    return this.#reach;
  }

  get binWidth(): number {
    return this.#reach / binsPerSide;
  }

  add(values: Float32Array): void {
    let min = this.min;
    let max = this.max;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < min && value !== -Infinity) min = value;
      if (value > max && value !== Infinity) max = value;
    }
    if (min > max) { this.nonFinite += values.length; return; } // nothing finite yet
    this.min = min;
    this.max = max;
    this.#grow(Math.max(-min, max));
    const scale = binsPerSide / this.#reach;
    const { counts } = this;
    let counted = 0;
    for (let i = 0; i < values.length; i++) {
      const bin = Math.floor(values[i]! * scale) + binsPerSide;
      if (!(bin >= 0 && bin <= 2 * binsPerSide)) continue;
      counts[bin === 2 * binsPerSide ? bin - 1 : bin]!++;
      counted++;
    }
    this.total += counted;
    this.nonFinite += values.length - counted;
  }

  #grow(absMax: number): void {
    if (this.#reach === 0) this.#reach = absMax === 0 ? 2 ** -20 : 2 ** Math.ceil(Math.log2(absMax));
    while (this.#reach < absMax) {
      const { counts } = this;
      const merged = new Float64Array(2 * binsPerSide);
      for (let bin = 0; bin < 2 * binsPerSide; bin++) merged[(bin + binsPerSide) >> 1]! += counts[bin]!;
      counts.set(merged);
      this.#reach *= 2;
    }
  }

  /** Counts of |x| in [i, i + 1) · binWidth. */
  magnitudes(): Float64Array {
    return Float64Array.from({ length: binsPerSide }, (_, i) => this.counts[binsPerSide + i]! + this.counts[binsPerSide - 1 - i]!);
  }
}
