import Long from "long";
import { toInt64 } from "../graph/tensor.ts";

/** int64 as protobufjs gives it: a number, or a Long. */
export type Int64 = number | { toString(): string };

/** An int64 as protobufjs writes it; a number beyond the range is clamped. */
export const writtenInt64 = (value: number | bigint): number | Long =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : Long.fromString(toInt64(value).toString());

export const exactInt64 = (value: Int64): bigint => BigInt(value.toString());
