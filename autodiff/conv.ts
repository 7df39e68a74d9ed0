import type { Builder } from "../graph/builder.ts";
import type { Value } from "../graph/node.ts";
import { convGeometry, convTransposeGeometry, type ConvGeometry } from "./conv-geometry.ts";
import { convInputGradient } from "./conv-input.ts";
import { convWeightGradient } from "./conv-weight.ts";
import type { GradientRule } from "./rule.ts";

/** Conv with any rank, groups, strides, dilations, pads and auto_pad. X [N, C, …], W [M, C/g, k…], B [M]. */
export const convGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null, null, null];
  const geometry = convGeometry(node);
  return [
    convInputGradient(b, dy, node.in(1), geometry),
    convWeightGradient(b, node.in(0), dy, geometry),
    node.optionalIn(2) ? channelSum(b, dy, geometry.kernel.length) : null,
  ];
};

/** ConvTranspose is the adjoint of a Conv, so its input gradient is that Conv. X [N, C, …], W [C, M/g, k…], B [M]. */
export const convTransposeGradient: GradientRule = (b, node, [dy]) => {
  if (!dy) return [null, null, null];
  const geometry = convTransposeGeometry(node);
  return [
    conv(b, dy, node.in(1), geometry),
    convWeightGradient(b, dy, node.in(0), geometry),
    node.optionalIn(2) ? channelSum(b, dy, geometry.kernel.length) : null,
  ];
};

const conv = (b: Builder, x: Value, weight: Value, { kernel, strides, dilations, padsBegin, padsEnd, group }: ConvGeometry): Value =>
  b.op("Conv", [x, weight], { kernel_shape: kernel, strides, dilations, pads: [...padsBegin, ...padsEnd], group });

/** Sum over batch and space: [N, C, …] -> [C]. */
export const channelSum = (b: Builder, x: Value, rank: number): Value =>
  b.sum(x, channelAxes(rank), false);

/** All axes of [N, C, …] but the channels. */
export const channelAxes = (rank: number): readonly number[] => [0, ...Array.from({ length: rank }, (_, axis) => axis + 2)];
