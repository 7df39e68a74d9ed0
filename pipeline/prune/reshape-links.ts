import type { Dim, Node, Shape, Value } from "../../graph/node.ts";
import { blocked, gather, link, normalAxis, rankOf, sizeOf, spread, type AxisRule, type Reached } from "./link.ts";

/** Axes of the input and of the output of a Reshape that hold the same elements. */
export interface ReshapeBlock {
  readonly ins: readonly number[];
  readonly outs: readonly number[];
}

/** Finest blocks of row-major axes that a Reshape maps onto each other; symbolic dimensions match by name, from both ends. */
export const alignReshape = (input: Shape, output: Shape): ReshapeBlock[] => {
  const blocks: ReshapeBlock[] = [];
  const tail: ReshapeBlock[] = [];
  let [i, j, inEnd, outEnd] = [0, 0, input.length, output.length];
  for (; i < inEnd && j < outEnd && input[i] === output[j]; i++, j++) blocks.push({ ins: [i], outs: [j] });
  for (; inEnd > i && outEnd > j && input[inEnd - 1] === output[outEnd - 1]; inEnd--, outEnd--) tail.unshift({ ins: [inEnd - 1], outs: [outEnd - 1] });
  return [...blocks, ...alignProducts(input, output, range(i, inEnd), range(j, outEnd)), ...tail];
};

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);

const alignProducts = (input: Shape, output: Shape, ins: readonly number[], outs: readonly number[]): ReshapeBlock[] => {
  const wide = (shape: Shape) => (axis: number) => shape[axis] !== 1;
  const [left, right] = [ins.filter(wide(input)), outs.filter(wide(output))];
  if (left.length === 0 || right.length === 0) return [];
  const known = (dim: Dim | undefined): dim is number => typeof dim === "number";
  if (!left.every((axis) => known(input[axis])) || !right.every((axis) => known(output[axis]))) return [{ ins: left, outs: right }];
  const blocks: ReshapeBlock[] = [];
  let block: { ins: number[]; outs: number[] } = { ins: [], outs: [] };
  let [inProduct, outProduct] = [1, 1];
  while (left.length > 0 || right.length > 0) {
    const takeInput = right.length === 0 || (left.length > 0 && inProduct <= outProduct);
    const axis = (takeInput ? left : right).shift()!;
    if (takeInput) { block.ins.push(axis); inProduct *= input[axis] as number; } else { block.outs.push(axis); outProduct *= output[axis] as number; }
    if (inProduct !== outProduct) continue;
    blocks.push(block);
    [block, inProduct, outProduct] = [{ ins: [], outs: [] }, 1, 1];
  }
  return blocks;
};

const product = (value: Value, axes: readonly number[]): number => axes.reduce((n, axis) => n * sizeOf(value, axis), 1);

/** Reshape and Flatten: equal axes, one axis split into factors, or factors merged; a split follows its largest factor. */
export const reshapeLinks: AxisRule = (node, port, reached) => {
  const [x, y] = [node.in(0), node.out()];
  if (port.side === "in" && port.index === 1) return [];
  if (!x.shape || !y.shape) return blocked("the shape before or after it is unknown");
  const found = alignReshape(x.shape, y.shape).find(({ ins, outs }) => (port.side === "in" ? ins : outs).includes(port.axis));
  if (!found) return blocked("the axis is not traceable through it");
  const [here, there] = port.side === "in" ? [found.ins, found.outs] : [found.outs, found.ins];
  const [from, to] = port.side === "in" ? [x, y] : [y, x];
  if ([...here.map((axis) => sizeOf(from, axis)), ...there.map((axis) => sizeOf(to, axis))].some(Number.isNaN)) return blocked("a size before or after it is unknown");
  if (here.length > 1 && there.length > 1) return blocked("the axis is not traceable through it");
  const target = there.length === 1 ? there[0]! : chooseFactor(to, there, reached, port.side === "out");
  const unwritable = (port.side === "in" ? [target] : [port.axis]).some((axis) => node.opType === "Reshape" && !canResize(node, 1, axis));
  if (unwritable) return blocked("its target shape is computed at run time");
  const inside = (value: Value, axes: readonly number[], axis: number) => product(value, axes.slice(axes.indexOf(axis) + 1));
  if (there.length > 1) return [link(to, target, gather(sizeOf(to, target), inside(to, there, target)))];
  const outer = product(from, here.slice(0, here.indexOf(port.axis)));
  return [link(to, target, spread(outer, sizeOf(from, port.axis), inside(from, here, port.axis)))];
};

const chooseFactor = (value: Value, axes: readonly number[], reached: Reached, isInput: boolean): number =>
  axes.find((axis) => reached(value, axis)) ??
  (isInput && axes.includes(1) ? 1 : axes.reduce((best, axis) => (sizeOf(value, axis) >= sizeOf(value, best) ? axis : best)));

/** Whether entry `axis` of a shape-like input is a constant that pruning can rewrite. */
export const canResize = (node: Node, slot: number, axis: number): boolean => {
  const operand = node.optionalIn(slot);
  if (!operand) return false;
  if (operand.constant) return true;
  return pieceAt(operand, axis)?.piece.constant !== undefined;
};

/** The input of a Concat of shape pieces that holds entry `axis`. */
export const pieceAt = (operand: Value, axis: number): { readonly concat: Node; readonly slot: number; readonly piece: Value; readonly entry: number } | undefined => {
  const concat = operand.producer;
  if (concat?.opType !== "Concat") return undefined;
  let before = 0;
  for (const [slot, piece] of concat.inputs.entries()) {
    const length = piece ? sizeOf(piece, 0) : NaN;
    if (!piece || Number.isNaN(length)) return undefined;
    if (axis < before + length) return { concat, slot, piece, entry: axis - before };
    before += length;
  }
  return undefined;
};

/** perm: output axis k reads input axis perm[k]. */
export const transposeLinks: AxisRule = (node, port) => {
  const rank = rankOf(node.in(0));
  const perm = node.ints("perm") ?? range(0, rank).reverse();
  return port.side === "in" ? [link(node.out(), perm.indexOf(port.axis))] : [link(node.in(0), perm[port.axis]!)];
};

/** Squeeze and Unsqueeze keep the order of the other axes. */
export const squeezeLinks: AxisRule = (node, port) => {
  if (port.side === "in" && port.index > 0) return [];
  const [x, y] = [node.in(0), node.out()];
  const [long, short] = node.opType === "Unsqueeze" ? [y, x] : [x, y];
  if (!long.shape) return blocked("its shape is unknown");
  const given = node.ints("axes") ?? node.optionalIn(1)?.constant?.toNumbers();
  if (!given && node.optionalIn(1)) return blocked("its axes are computed at run time");
  const dropped = new Set(given?.map((axis) => normalAxis(axis, rankOf(long))) ?? range(0, rankOf(long)).filter((axis) => long.shape![axis] === 1));
  const kept = range(0, rankOf(long)).filter((axis) => !dropped.has(axis));
  const here = port.side === "in" ? x : y;
  const axis = here === long ? kept.indexOf(port.axis) : kept[port.axis]!;
  return axis < 0 ? blocked("it removes or adds that axis") : [link(here === long ? short : long, axis)];
};
