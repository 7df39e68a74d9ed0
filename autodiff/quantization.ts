import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import type { DataType } from "../graph/tensor.ts";
import { indicator, type FusedRule } from "./rule.ts";

const ranges: Partial<Record<DataType, readonly [number, number]>> = {
  int8: [-128, 127], uint8: [0, 255], int16: [-32768, 32767], uint16: [0, 65535],
};

/**
 * Straight-through estimator for y = DequantizeLinear(QuantizeLinear(x)) (Bengio 2013; Jacob 2018): dx = dy where x rounds into the integer range, else 0.
 * d(scale) = dy · (y − x·inside) / scale: Learned Step Size Quantization (Esser 2020, eq. 3) without its gradient scale.
 * Per tensor, or per `axis`; block-wise scales are not a pattern.
 */
export const fakeQuantizeGradient: FusedRule = (b, node, [dy]) => {
  const quantize = node.inputs[0]?.producer;
  if (!dy || quantize?.opType !== "QuantizeLinear") return undefined;
  const x = quantize.in(0);
  const scale = node.in(1);
  const zeroPoint = node.optionalIn(2);
  const [low, high] = ranges[zeroPoint?.dtype ?? node.in(0).dtype ?? "uint8"] ?? [0, 255];
  const channels = scale.shape?.[0];
  const rank = x.shape?.length;
  const perAxis = scale.shape?.length === 1 && channels !== 1;
  if (perAxis && rank === undefined) return undefined;
  const axis = perAxis ? (node.int("axis", 1) + rank!) % rank! : 0;
  const align = (value: Value): Value => (perAxis ? b.op("Reshape", [value, b.int64s([-1, ...new Array<number>(rank! - axis - 1).fill(1)])]) : b.op("Reshape", [value, b.int64s([])]));
  const step = align(scale);
  const zero = zeroPoint ? align(b.cast(zeroPoint, scale.dtype ?? "float32")) : b.scalar(0, scale.dtype ?? "float32");
  const bounds = [low - 0.5, high + 0.5].map((bound) => b.mul(b.sub(bound, zero), step));
  const clipped = perAxis ? b.max(b.min(x, bounds[1]!), bounds[0]!) : b.op("Clip", [x, ...bounds]);
  const inside = indicator(b, b.equal(clipped, x), x);
  const dStep = b.mul(dy, b.div(b.sub(node.out(), b.mul(x, inside)), step));
  return [[x, b.mul(dy, inside)], [scale, perAxis ? sumToAxis(b, dStep, axis, rank!) : dStep]];
};

/** Sums over every axis but `axis`. */
const sumToAxis = (b: Builder, value: Value, axis: number, rank: number): Value => {
  const others = Array.from({ length: rank }, (_, index) => index).filter((index) => index !== axis);
  return others.length > 0 ? b.sum(value, others, false) : value;
};
