import Long from "long";

/** int64 as protobufjs gives it: a number, or a Long. */
export type Int64 = number | { toString(): string };

/** The int64 that a JavaScript number stands for; INT64_MAX as a double is 2^63, one too many, and stands for INT64_MAX. */
export const toInt64 = (value: number): number | Long => {
  if (Number.isSafeInteger(value)) return value;
  if (value >= 2 ** 63) return Long.MAX_VALUE;
  return value <= -(2 ** 63) ? Long.MIN_VALUE : Long.fromString(BigInt(value).toString());
};

/** The number that `toInt64` turns back into `value`; undefined where there is none (beyond 2^53 only some are). */
export const fromInt64 = (value: Int64): number | undefined => {
  const number = Number(value);
  return toInt64(number).toString() === value.toString() ? number : undefined;
};
