import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { Tensor, withElements } from "../../graph/tensor.ts";
import { isDepthwise } from "./conv-links.ts";
import { normalAxis, rankOf, sizeOf } from "./link.ts";
import { pieceAt } from "./reshape-links.ts";
import { resizeEntry, sliceBounds } from "./shape-links.ts";

/** Indexes that stay, by value and axis; an axis that is not named keeps all. */
export type KeptAxes = Map<Value, Map<number, readonly number[]>>;

/** Adjusts what a node says about sizes; runs while the values still have their old shapes. */
type Resizer = (graph: Graph, node: Node, kept: KeptAxes) => void;

const keptSize = (kept: KeptAxes, value: Value, axis: number): number => kept.get(value)?.get(axis)?.length ?? sizeOf(value, axis);

const replaceConstant = (graph: Graph, node: Node, slot: number, tensor: Tensor): void => {
  const name = graph.freshName(`${node.inputs[slot]?.name ?? node.name}/pruned`);
  node.replaceInput(slot, graph.addInitializer(name, tensor));
};

/** Writes entry `axis` of a shape-like input; a shape that is put together by Concat gets a Concat of its own. */
const writeEntry = (graph: Graph, node: Node, slot: number, axis: number, size: number): void => {
  const operand = node.in(slot);
  const constant = operand.constant;
  if (constant) {
    if (constant.toNumbers()[axis] !== -1) replaceConstant(graph, node, slot, withElements(constant, [[axis, size]]));
    return;
  }
  const found = pieceAt(operand, axis);
  if (!found) throw new Error(`bug: entry ${axis} of "${operand.name}" cannot be rewritten`);
  const { concat, slot: at, piece, entry } = found;
  const own = graph.addNode({
    opType: "Concat", name: graph.freshName(`${concat.name}/pruned`), inputs: concat.inputs,
    outputs: [graph.freshName(`${operand.name}/pruned`)], attributes: concat.attributes,
  });
  own.out().shape = operand.shape;
  own.out().dtype = operand.dtype;
  const sizes = piece.constant!;
  if (sizes.toNumbers()[entry] !== -1) replaceConstant(graph, own, at, withElements(sizes, [[entry, size]]));
  node.replaceInput(slot, own.out());
};

/** Entries of input `slot` that name a size of the output. */
const outputSizes = (slot: number, entryOf = (_node: Node, axis: number): number => axis): Resizer => (graph, node, kept) => {
  if (!node.optionalIn(slot)) return;
  for (const [axis, indexes] of kept.get(node.out()) ?? []) if (entryOf(node, axis) >= 0) writeEntry(graph, node, slot, entryOf(node, axis), indexes.length);
};

/** Channels per group stay equal in a grouped convolution; a depthwise one has as many groups as channels. */
const groupsOfDepthwise: Resizer = (_graph, node, kept) => {
  if (isDepthwise(node)) node.attributes.set("group", { type: "int", value: keptSize(kept, node.in(0), 1) });
};

const splitSizes: Resizer = (graph, node, kept) => {
  const axis = normalAxis(node.int("axis", 0), rankOf(node.in(0)));
  if (!node.outputs.some((output) => kept.get(output)?.has(axis))) return;
  const sizes = node.outputs.map((output) => keptSize(kept, output, axis));
  node.attributes.delete("num_outputs");
  replaceConstant(graph, node, 1, Tensor.int64([sizes.length], sizes));
};

/** The bounds move with the indexes that are left before them. */
const sliceBoundsOf: Resizer = (graph, node, kept) => {
  for (const [axis, indexes] of kept.get(node.in(0)) ?? []) {
    const bounds = sliceBounds(node, axis);
    if (!bounds || bounds === "computed") continue;
    for (const [slot, bound] of [[1, bounds.start], [2, bounds.end]] as const) {
      const constant = node.in(slot).constant!;
      const before = indexes.filter((index) => index < bound).length;
      replaceConstant(graph, node, slot, withElements(constant, [[bounds.entry, before]]));
    }
  }
};

/** ai.onnx ops that name sizes or indexes of axes outside their weights. */
export const layerResizers: Readonly<Record<string, Resizer | undefined>> = {
  Conv: groupsOfDepthwise,
  ConvTranspose: groupsOfDepthwise,
  Expand: outputSizes(1),
  Reshape: outputSizes(1),
  Resize: outputSizes(3, resizeEntry),
  Slice: sliceBoundsOf,
  Split: splitSizes,
};
