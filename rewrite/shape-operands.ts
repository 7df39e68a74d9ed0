import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import type { Graph } from "../graph/graph.ts";
import type { Dim, Value } from "../graph/node.ts";
import { inferShapes, partialValue, type Memo } from "../graph/shapes.ts";
import { graphPass, type Change, type Pass } from "./rule.ts";

/** Inputs that name the sizes of an output. */
const operandSlots: Readonly<Record<string, number>> = { Reshape: 1, Expand: 1, Resize: 3, ConstantOfShape: 0 };

/**
 * Sizes that are known but for open dimensions of the model's inputs (a batch axis) become Concat(known sizes, size of the input): a Resize to
 * [Shape(x)[0:2], 40, 40] does not read the number of channels at run time any more.
 */
export const plainShapeOperands: Pass = graphPass("plain-shape-operands", (graph) => {
  inferShapes(graph);
  const memo: Memo = new Map();
  const b = new Builder(graph, "sizes");
  const applied: Change[] = [];
  for (const node of graph.sorted()) {
    const slot = Object.hasOwn(operandSlots, node.opType) && node.domain === "" ? operandSlots[node.opType]! : -1;
    const operand = node.optionalIn(slot);
    const known = operand && !operand.constant ? partialValue(operand, memo) : undefined;
    if (!operand || known?.shape.length !== 1 || operand.dtype !== "int64") continue;
    const pieces = piecesOf(b, graph, known.elements);
    if (!pieces) continue;
    node.replaceInput(slot, b.concat(pieces, 0));
    applied.push({ rule: "plain-shape-operands", node: node.name, detail: `${node.opType}: [${known.elements.join(",")}]` });
  }
  removeDead(graph);
  return { applied };
});

/** Undefined where an element is no number and no dimension of an input, or where all of them are numbers (folding makes those constants). */
const piecesOf = (b: Builder, graph: Graph, elements: readonly Dim[]): Value[] | undefined => {
  const pieces: Value[] = [];
  let run: number[] = [];
  const endRun = (): void => { if (run.length > 0) pieces.push(b.int64s(run)); run = []; };
  for (const element of elements) {
    if (typeof element === "number") { run.push(element); continue; }
    const size = sizeOfInput(b, graph, element);
    if (!size) return undefined;
    endRun();
    pieces.push(size);
  }
  if (pieces.length === 0) return undefined;
  endRun();
  return pieces;
};

const sizeOfInput = (b: Builder, graph: Graph, symbol: string): Value | undefined => {
  const input = graph.inputs.find(({ shape }) => shape?.includes(symbol));
  if (!input) return undefined;
  const axis = input.shape!.indexOf(symbol);
  return b.op("Gather", [b.op("Shape", [input]), b.int64s([axis])], { axis: 0 });
};
