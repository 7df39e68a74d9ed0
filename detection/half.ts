import { floatToHalf, halfToFloat } from "../graph/float16.ts";

let table: Float32Array | undefined;

/** float16 bits -> float32 values, through a table of all 65536. */
export const widen = (halves: Uint16Array, into: Float32Array, offset = 0): void => {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
  for (let i = 0; i < halves.length; i++) into[offset + i] = table[halves[i]!]!;
};

/** float32 values -> float16 bits. */
export const narrow = (values: Float32Array): Uint16Array => Uint16Array.from(values, floatToHalf);
