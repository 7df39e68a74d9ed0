import { Builder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { Dim, Node, Shape, Value } from "../graph/node.ts";
import { inferNode, inferShapes, partialValue } from "../graph/shapes.ts";
import { multiplyDims } from "../graph/shapes/dim.ts";
import { Tensor } from "../graph/tensor.ts";
import { removeDead } from "../graph/dead.ts";
import { batchIsFixed, noBatchAxis } from "./errors.ts";
import { graphPass, type Change, type PassResult } from "./rule.ts";

/**
 * Frees a model from the batch size 1 that exporters bake in: the leading dimension of every input becomes `symbol` and so does that of
 * everything computed per picture. Reshape, Resize, Expand and Concat that hold the 1 are rewritten; picture i of a batch then gives what it gave
 * alone. Throws UserError BATCH_IS_FIXED naming the first node that would mix pictures or that hides its shape.
 */
export const freeBatch = (input: Graph, symbol = "N"): PassResult =>
  graphPass("free-batch", (graph) => ({ applied: new BatchFreer(graph, symbol).run() }))(input);

class BatchFreer {
  readonly #graph: Graph;
  readonly #b: Builder;
  readonly #symbol: string;
  readonly #applied: Change[] = [];
  /** Shapes at batch 1. */
  readonly #single = new Map<Value, Shape>();
  /** Values computed from the contents of the inputs (not merely from their shapes). */
  readonly #perPicture = new Set<Value>();
  #image: Value | undefined;

  constructor(graph: Graph, symbol: string) {
    this.#graph = graph;
    this.#symbol = symbol;
    this.#b = new Builder(graph, "batch");
  }

  run(): readonly Change[] {
    const batched = this.#graph.inputs.filter((input) => !input.tensor && input.shape && input.shape.length > 1 && (input.shape[0] === 1 || typeof input.shape[0] === "string"));
    if (batched.length === 0) throw noBatchAxis();
    this.#image = batched[0]!;
    setLeading(batched, 1);
    inferShapes(this.#graph, { overwrite: true });
    for (const value of this.#graph.values) if (value.shape) this.#single.set(value, value.shape);
    setLeading(batched, this.#symbol);
    for (const value of batched) this.#perPicture.add(value);
    for (const node of this.#graph.sorted()) this.#visit(node);
    removeDead(this.#graph);
    inferShapes(this.#graph, { overwrite: true });
    return this.#applied;
  }

  #visit(node: Node): void {
    const reads = node.inputs.some((value) => value && this.#perPicture.has(value));
    if (!reads || node.opType === "Shape" || node.opType === "Size") {
      inferNode(node, this.#graph.opset);
      return;
    }
    this.#mend(node);
    inferNode(node, this.#graph.opset);
    for (const output of node.outputs) {
      this.#perPicture.add(output);
      this.#check(node, output);
    }
  }

  /** Rewrites what the node holds of the batch size. */
  #mend(node: Node): void {
    if (node.opType === "Reshape") this.#mendReshape(node);
    if (node.opType === "Resize" && node.optionalIn(3)) this.#mendSizes(node, 3);
    if (node.opType === "Expand") this.#mendSizes(node, 1);
    if (node.opType === "Concat") this.#mendConcat(node);
    if (mixesAxis.has(node.opType)) this.#refuseMixing(node);
  }

  /** [1, …] becomes [0, …] (copy the batch) where the batch leads the data, else [-1, …] with every other size written out. */
  #mendReshape(node: Node): void {
    const target = partialValue(node.in(1))?.elements;
    const single = this.#single.get(node.out());
    const data = node.in(0).shape;
    if (!target || !single || !data) throw batchIsFixed(node, "computes its shape at run time");
    if (!target.every((dim) => typeof dim === "number")) return; // computed from a Shape: it follows the batch, and the check below decides
    if (!carries(data[0], this.#symbol)) throw batchIsFixed(node, `reshapes a tensor [${data.join(",")}] whose leading dimension is not the batch`);
    if (target[0] === 0 || (target[0] === -1 && single[0] === 1 && data[0] === this.#symbol)) return;
    const rest = single.slice(1);
    if (!rest.every((dim) => typeof dim === "number")) throw batchIsFixed(node, "reshapes to sizes that are not static");
    const leads = data[0] === this.#symbol && single[0] === 1;
    this.#setInput(node, 1, leads ? [0, ...(target.slice(1))] : [-1, ...rest], leads ? "[1,…] -> [0,…]" : "leading size -> -1");
  }

  /** A shape input [1, …] becomes Concat(batch size, …). */
  #mendSizes(node: Node, slot: number): void {
    const sizes = partialValue(node.in(slot))?.elements;
    if (!sizes || sizes[0] !== 1 || node.opType === "Expand" || !sizes.every((size) => typeof size === "number")) return; // Expand broadcasts a 1 by itself
    node.replaceInput(slot, this.#batchThen(sizes.slice(1)));
    this.#note(node, "batch size taken from the input");
  }

  /** Constants [1, …] beside batched data are expanded to the batch. */
  #mendConcat(node: Node): void {
    const axis = node.int("axis", 1);
    if (!node.inputs.some((value) => value?.shape?.[0] === this.#symbol) || axis === 0) return;
    for (const [slot, value] of node.inputs.entries()) {
      const shape = value?.staticShape;
      if (!value || this.#perPicture.has(value) || shape?.[0] !== 1) continue;
      node.replaceInput(slot, this.#b.op("Expand", [value, this.#batchThen(shape.slice(1))]));
      this.#note(node, `"${value.name}" expanded to the batch`);
    }
  }

  #refuseMixing(node: Node): void {
    const shape = node.optionalIn(0)?.shape;
    const axis = shape?.findIndex((dim) => carries(dim, this.#symbol)) ?? -1;
    const fallback = node.opType === "CumSum" ? 0 : this.#graph.opset < 13 && node.opType !== "TopK" ? 1 : -1;
    const own = node.int("axis", fallback);
    if (shape && axis === (own < 0 ? own + shape.length : own)) throw batchIsFixed(node, "works along the batch axis");
  }

  /** Per picture, a batched value is the single one: one dimension carries the batch, the others are as they were. */
  #check(node: Node, value: Value): void {
    const before = this.#single.get(value);
    const now = value.shape;
    if (value.uses.size === 0 && !this.#graph.isOutput(value)) return;
    if (!before || !now) throw batchIsFixed(node, "has an output of unknown shape");
    const changed = now.flatMap((dim, axis) => (dim === before[axis] ? [] : [axis]));
    const at = changed[0];
    const sound = now.length === before.length && changed.length === 1 && at !== undefined && now[at] === multiplyDims(this.#symbol, before[at]!, "?");
    if (!sound) throw batchIsFixed(node, `turns a batch into [${now.join(",")}] where one picture gives [${before.join(",")}]`);
  }

  #batchThen(sizes: readonly (number | string)[]): Value {
    const batch = this.#b.slice(this.#b.op("Shape", [this.#image!]), [0], [1], [0]);
    return this.#b.concat([batch, this.#b.int64s(sizes as readonly number[])], 0);
  }

  #setInput(node: Node, slot: number, numbers: readonly number[], detail: string): void {
    node.replaceInput(slot, this.#graph.addInitializer(this.#graph.freshName(`${node.name}/shape`), Tensor.int64([numbers.length], numbers)));
    this.#note(node, detail);
  }

  #note(node: Node, detail: string): void {
    this.#applied.push({ rule: "free-batch", node: node.name, detail: `${node.opType}: ${detail}` });
  }
}

/** Ops that combine the elements along their `axis`. */
const mixesAxis: ReadonlySet<string> = new Set(["Softmax", "LogSoftmax", "Hardmax", "TopK", "CumSum", "LpNormalization"]);

const carries = (dim: Dim | undefined, symbol: string): boolean => typeof dim === "string" && dim.split(/\W+/).includes(symbol);

const setLeading = (values: readonly Value[], dim: Dim): void => {
  for (const value of values) value.shape = [dim, ...value.shape!.slice(1)];
};
