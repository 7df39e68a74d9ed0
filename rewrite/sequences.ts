import { Builder } from "../graph/builder.ts";
import { hasOp, type Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { inferShapes, partialValue } from "../graph/shapes.ts";
import { applyUntilStable, graphPass, rule, substitute, type Change, type Pass } from "./rule.ts";

/** Sequences of tensors that PyTorch's exporters write for split and cat, taken apart: SplitToSequence becomes Split, SequenceAt its output. */
export const removeSequences: Pass = graphPass("remove-sequences", (graph) => {
  if (!hasOp(graph, "SplitToSequence", "SequenceAt", "ConcatFromSequence")) return {};
  inferShapes(graph);
  const split = graph.sorted().flatMap((node) => splitSequence(graph, node));
  const { applied, refused } = applyUntilStable(graph, [pickRule, joinRule]);
  return { applied: [...split, ...applied], refused };
});

const numberAt = (value: Value | undefined): number | undefined => {
  const [element] = (value && partialValue(value)?.elements) ?? [];
  return typeof element === "number" ? element : undefined;
};

/** Sizes along the axis: given one by one, or one size for all but the last; without any, ones. */
const partSizes = (node: Node): readonly number[] | undefined => {
  const axis = node.int("axis", 0);
  const dim = node.in(0).shape?.at(axis);
  if (typeof dim !== "number") return undefined;
  const given = node.optionalIn(1);
  const known = given && partialValue(given);
  if (given && !known?.elements.every((element) => typeof element === "number")) return undefined;
  const sizes = (known?.elements ?? [1]) as readonly number[];
  if (known?.shape.length === 1) return sizes;
  const [size = 1] = sizes;
  return size > 0 && dim / size <= mostParts ? Array.from({ length: Math.ceil(dim / size) }, (_, index) => Math.min(size, dim - index * size)) : undefined;
};

const mostParts = 256;

/** One Split in the place of a SplitToSequence whose readers all take one part by a number that is known. */
const splitSequence = (graph: Graph, node: Node): Change[] => {
  const sizes = node.opType === "SplitToSequence" && (node.optionalIn(1) || node.int("keepdims", 1)) ? partSizes(node) : undefined;
  const { readers } = node.out();
  const parts = readers.map((reader) => (reader.opType === "SequenceAt" && graph.nodes.has(reader) ? numberAt(reader.optionalIn(1)) : undefined));
  if (!sizes || parts.length === 0 || parts.some((part) => part === undefined || sizes.at(part) === undefined)) return [];
  const b = new Builder(graph, "split");
  const axis = node.int("axis", 0);
  const outputs = graph.opset < 13
    ? b.ops("Split", [node.in(0)], sizes.length, { axis, split: sizes })
    : b.ops("Split", [node.in(0), b.int64s(sizes)], sizes.length, { axis });
  for (const [index, reader] of readers.entries()) {
    substitute(graph, reader.out(), outputs.at(parts[index]!)!);
    graph.removeNode(reader);
  }
  return [{ rule: "split-sequences", node: node.name, detail: `${sizes.length} parts` }];
};

/** An element of a sequence that is put together in the graph. */
const pickRule = rule<Value>({
  name: "sequence-at",
  match: (pick) => {
    const made = pick.opType === "SequenceAt" ? pick.in(0).producer : null;
    const index = numberAt(pick.optionalIn(1));
    return made?.opType === "SequenceConstruct" && index !== undefined ? (made.inputs.at(index) ?? undefined) : undefined;
  },
  replace: (_b, value) => [value],
});

const joinRule = rule<{ readonly join: Node; readonly parts: readonly Value[] }>({
  name: "concat-from-sequence",
  match: (join) => {
    const made = join.opType === "ConcatFromSequence" ? join.in(0).producer : null;
    return made?.opType === "SequenceConstruct" ? { join, parts: made.inputs.filter((value) => value !== null) } : undefined;
  },
  replace: (b, { join, parts }) => {
    const axis = join.int("axis", 0);
    const isNew = join.int("new_axis", 0) !== 0;
    return [b.op("Concat", isNew ? parts.map((part) => unsqueezed(b, part, axis)) : parts, { axis })];
  },
});

const unsqueezed = (b: Builder, value: Value, axis: number): Value =>
  b.graph.opset < 13 ? b.op("Unsqueeze", [value], { axes: [axis] }) : b.unsqueeze(value, [axis]);
