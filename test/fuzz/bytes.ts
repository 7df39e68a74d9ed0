import { below, pick, type Random } from "./random.ts";

/** Bytes at the edges of what lengths and sizes take, little endian. */
const numbers: readonly (readonly number[])[] = [
  [0],
  [255],
  [127],
  [128],
  [0, 0],
  [255, 255],
  [255, 127],
  [0, 0, 0, 0],
  [255, 255, 255, 255],
  [255, 255, 255, 127],
  [0, 0, 0, 128],
];

type Edit = (bytes: Uint8Array, random: Random) => Uint8Array;

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** [from, to) of a piece: short mostly. */
const piece = (bytes: Uint8Array, random: Random): readonly [number, number] => {
  const from = below(random, bytes.length + 1);
  return [from, Math.min(bytes.length, from + 1 + below(random, pick(random, [4, 16, 64, 1024])))];
};

const over: (make: (old: number, random: Random) => number) => Edit = (make) => (bytes, random) => {
  const copy = Uint8Array.from(bytes);
  for (let n = pick(random, [1, 1, 2, 8]); n > 0 && copy.length > 0; n--) {
    const at = below(random, pick(random, [copy.length, copy.length, Math.min(copy.length, 64)]));
    copy[at] = make(copy[at]!, random);
  }
  return copy;
};

const edits: readonly Edit[] = [
  over((old, random) => old ^ (1 << below(random, 8))),
  over((_, random) => below(random, 256)),
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
  (bytes, random) => {
    const [from, to] = piece(bytes, random);
    return joined(bytes.subarray(0, from), bytes.subarray(to));
  },
  (bytes, random) => {
    const [from, to] = piece(bytes, random);
    return joined(bytes.subarray(0, to), bytes.subarray(from));
  },
  (bytes, random) => {
    const [[from, to], at] = [piece(bytes, random), below(random, bytes.length + 1)];
    return joined(bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at));
  },
  (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const number = pick(random, numbers);
    if (copy.length >= number.length) copy.set(number, below(random, copy.length - number.length + 1));
    return copy;
  },
  (bytes, random) => {
    const extra = Uint8Array.from({ length: 1 + below(random, 32) }, () => below(random, 256));
    return joined(bytes, extra);
  },
];

/** One to three changes of bytes: flips, cuts, pieces removed, repeated and moved, numbers at the edges. */
export const mutateBytes = (bytes: Uint8Array, random: Random): Uint8Array => {
  let changed = bytes;
  for (let n = pick(random, [1, 1, 2, 3]); n > 0; n--) changed = pick(random, edits)(changed, random);
  return changed;
};
