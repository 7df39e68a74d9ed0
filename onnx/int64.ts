import protobuf from "protobufjs/minimal.js";
import { toInt64 } from "../graph/tensor.ts";

/** int64 as protobufjs gives it: a number, or a Long. */
export type Int64 = number | { toString(): string };

/** protobufjs's own class of 64-bit integers; the type is long's. */
const longFrom = (text: string): Long => (protobuf.util as unknown as { readonly Long: { fromString(text: string): Long } }).Long.fromString(text);

/** An int64 as protobufjs writes it; a number beyond the range is clamped. */
export const writtenInt64 = (value: number | bigint): number | Long =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : longFrom(toInt64(value).toString());

export const exactInt64 = (value: Int64): bigint => BigInt(value.toString());
