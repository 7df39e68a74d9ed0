import type { Node, Value } from "../../graph/node.ts";
import { weightAxesOf } from "../../graph/ops/layers.ts";
import { blocked, isWeight, link, rankOf, sizeOf, type AxisRule, type Link } from "./link.ts";

/** Axis of A and B that Gemm or MatMul sums over. */
export const contraction = (node: Node): readonly [number, number] =>
  [node.opType === "Gemm" && node.int("transA", 0) ? 0 : rankOf(node.in(0)) - 1, weightAxesOf(node).input];

const contracted = (node: Node, to: Value, axis: number): readonly Link[] | ReturnType<typeof blocked> =>
  isWeight(node.in(0)) || isWeight(node.in(1)) ? [link(to, axis)] : blocked("it sums products of two activations over that axis");

/** y = A·B + C with A [M,K], B [K,N] (either transposed), C broadcast to y [M,N]. */
export const gemmLinks: AxisRule = (node, port) => {
  const [kOfA, kOfB] = contraction(node);
  const [a, b, c, y] = [node.in(0), node.in(1), node.optionalIn(2), node.out()];
  if (port.side === "in" && port.index === 0 && port.axis === kOfA) return contracted(node, b, kOfB);
  if (port.side === "in" && port.index === 1 && port.axis === kOfB) return contracted(node, a, kOfA);
  const column = port.side === "in" && port.index === 1 ? true : port.side === "in" && port.index === 0 ? false
    : port.axis === rankOf(port.side === "out" ? y : c!) - 1;
  const cAxis = c ? rankOf(c) - (column ? 1 : 2) : -1;
  return [
    ...(column ? [link(b, 1 - kOfB)] : [link(a, 1 - kOfA)]),
    ...(c && cAxis >= 0 && sizeOf(c, cAxis) !== 1 ? [link(c, cAxis)] : []),
    link(y, column ? 1 : 0),
  ];
};

/** A […,M,K] · B […,K,N] with broadcast batch axes. */
export const matMulLinks: AxisRule = (node, port) => {
  const [a, b, y] = [node.in(0), node.in(1), node.out()];
  const [rankA, rankB, rank] = [rankOf(a), rankOf(b), rankOf(y)];
  if (!(rankA >= 2 && rankB >= 2)) return blocked("MatMul with a vector, or of unknown rank");
  const [kOfA, kOfB] = contraction(node);
  const fromEnd = (port.side === "out" ? rank : port.index === 0 ? rankA : rankB) - port.axis;
  if (port.side === "in" && port.index === 0 && port.axis === kOfA) return contracted(node, b, kOfB);
  if (port.side === "in" && port.index === 1 && port.axis === kOfB) return contracted(node, a, kOfA);
  if (fromEnd === 1) return [link(b, rankB - 1), link(y, rank - 1)];
  if (fromEnd === 2) return [link(a, rankA - 2), link(y, rank - 2)];
  const operands = [a, b].filter((value) => rankOf(value) >= fromEnd && sizeOf(value, rankOf(value) - fromEnd) !== 1);
  return [...operands, y].map((value) => link(value, rankOf(value) - fromEnd));
};
