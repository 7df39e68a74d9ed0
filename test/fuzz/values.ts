import Long from "long";
import { below, pick, type Random } from "./random.ts";

const int64 = (text: string): Long => Long.fromString(text);

/** Integers at the edges of what ops, sizes and number types take. */
const edges: readonly (number | Long)[] = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  5,
  7,
  64,
  1000,
  -1000,
  65_536,
  2 ** 24,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 40,
  2 ** 53 - 1,
  1e9,
  int64("9223372036854775807"),
  int64("-9223372036854775808"),
  int64("9223372036854775806"),
  int64("9007199254740993"),
];

export const hostileInt = (random: Random): number | Long =>
  random() < 0.3 ? below(random, 12) - 3 : pick(random, edges);

export const hostileInts = (random: Random, length: number): (number | Long)[] =>
  Array.from({ length }, () => hostileInt(random));

export const hostileFloat = (random: Random): number =>
  pick(random, [0, -0, 1, -1, 0.5, NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, 1e10]);

export const hostileText = (random: Random): string =>
  pick(random, [
    "",
    "x",
    "NOTSET",
    "SAME_UPPER",
    "VALID",
    "nearest",
    "linear",
    "bogus",
    "not_larger",
    "ij,jk->ik",
    "ij->",
    "...->",
    "->->",
    "i".repeat(3000),
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "../../etc/passwd",
    "/dev/zero",
    "a\u0000b",
    "\u001b[31m",
    "line\nbreak",
    "名前",
    "\ud83d\ude00",
  ]);

/** Lengths of lists: mostly the same, else shorter, longer, empty. */
export const hostileLength = (random: Random, length: number): number =>
  pick(random, [length, length, 0, 1, Math.max(0, length - 1), length + 1, 2 * length, 70]);
