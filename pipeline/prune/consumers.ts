import type { Node, Value } from "../../graph/node.ts";
import { weightAxesOf } from "../../graph/ops/layers.ts";
import { isDepthwise } from "./conv-links.ts";
import { isWeight, sizeOf } from "./link.ts";
import { contraction } from "./matmul-links.ts";

/** Weight axes along which `node` sums over its input's channels. A depthwise convolution has none: channels pass through it. */
export const axisConsumers = (node: Node): { readonly value: Value; readonly axis: number }[] => {
  if (node.domain !== "") return [];
  switch (node.opType) {
    case "Conv": case "ConvTranspose":
      return isDepthwise(node) ? [] : [{ value: node.in(1), axis: weightAxesOf(node).input }];
    case "Gemm": case "MatMul": {
      const [kOfA, kOfB] = contraction(node);
      if (isWeight(node.in(1))) return [{ value: node.in(1), axis: kOfB }];
      return isWeight(node.in(0)) && !Number.isNaN(sizeOf(node.in(0), kOfA)) ? [{ value: node.in(0), axis: kOfA }] : [];
    }
    default:
      return [];
  }
};
