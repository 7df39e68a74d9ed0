import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Uniform random numbers that are a function of the seed words alone. */
export interface Dice {
  /** In [low, high). */
  between(low: number, high: number): number;
  /** An integer in 0..count-1. */
  index(count: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
}

/** Dice for e.g. (seed, image, variant): other words, independent throws. */
export function diceFor(...words: readonly number[]): Dice {
  const generator = xoroshiro128plus(words.reduce(mix, 0x9e3779b9));
  const unit = () => uniformFloat64(generator);
  return {
    between: (low, high) => low + (high - low) * unit(),
    index: (count) => Math.floor(unit() * count),
    chance: (probability) => unit() < probability,
  };
}

/** One round of MurmurHash3's 32-bit mixing, so that neighbouring words give unrelated generators. */
function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) + 0x9e3779b9 | 0;
}
