import { UserError } from "./error.ts";
import { labelOf } from "./invalid-op.ts";
import { readValues, subgraphsOf, type Graph } from "./graph.ts";
import type { Node, Shape, Value } from "./node.ts";
import { bytesPerElement, type DataType } from "./tensor.ts";

const gib = 2 ** 30;

/** Memory that the tensors of a model may need, in bytes. */
let budgetBytes = 4 * gib;

/** Sets the budget of this process (default 4 GiB) for the models that are loaded from now on. */
export const setMemoryBudget = (bytes: number): void => { budgetBytes = bytes; };

export const memoryBudget = (): number => budgetBytes;

/** Throws UserError MEMORY_BUDGET where `bytes` is more than the budget; `what` needs them. */
export const checkBudget = (what: string, bytes: number): void => {
  if (bytes > budgetBytes) {
    throw new UserError("MEMORY_BUDGET", `${what} needs ${figure(bytes)} of memory; ${figure(budgetBytes)} are allowed.`,
      "use a smaller input size or batch, or raise the limit: --max-memory <GiB> (setMemoryBudget in a program).");
  }
};

/** As `checkBudget`, for one output of a node; symbolic dimensions count as 1. */
export const withinBudget = (node: Node, name: string, shape: Shape, dtype: DataType | undefined): void =>
  checkBudget(`${labelOf(node)}: its output "${name}" [${shape.join(", ")}]`, sizeBytes(shape, dtype));

/** A shape's bytes, symbolic dimensions as 1, strings and unknown types as 1 byte an element. */
export const sizeBytes = (shape: Shape, dtype: DataType | undefined): number =>
  shape.reduce<number>((size, dim) => size * (typeof dim === "number" ? dim : 1), dtype ? bytesPerElement(dtype) || 1 : 1);

const figure = (bytes: number): string => (bytes >= 2 ** 60 ? `${(bytes / gib).toExponential(1)} GiB` : `${Number((bytes / gib).toPrecision(3))} GiB`);

/** Throws UserError MEMORY_BUDGET where a run needs more memory than allowed, by the shapes that are known. */
export const checkRunMemory = (graph: Graph): void => checkBudget(`A run of the model (weights and inner values together)`, runBytes(graph, new Set()));

/** Most bytes alive at one time of a run in execution order: weights, inputs, and what later nodes read; symbolic dimensions count as 1. */
const runBytes = (graph: Graph, counted: Set<Value>): number => {
  const order = graph.sorted();
  const lastReader = new Map<Value, Node>();
  for (const node of order) for (const value of readValues(node)) lastReader.set(value, node);
  const bytesOf = ({ shape, dtype }: Value): number => (shape ? sizeBytes(shape, dtype) : 0);
  const kept = new Set([...graph.outputs, ...graph.inputs]);
  let alive = graph.inputs.reduce((sum, input) => sum + bytesOf(input), 0);
  for (const value of [...lastReader.keys(), ...graph.outputs]) {
    if (value.producer || !value.tensor || counted.has(value)) continue;
    counted.add(value);
    alive += bytesOf(value);
  }
  let most = alive;
  for (const node of order) {
    const inner = subgraphsOf(node).reduce((largest, body) => Math.max(largest, runBytes(body, counted)), 0);
    for (const output of node.outputs) alive += bytesOf(output);
    most = Math.max(most, alive + inner);
    const read = readValues(node);
    for (const value of read.length > 1 ? new Set(read) : read) {
      if (lastReader.get(value) === node && value.producer && graph.nodes.has(value.producer) && !kept.has(value)) alive -= bytesOf(value);
    }
    for (const output of node.outputs) if (!lastReader.has(output) && !kept.has(output)) alive -= bytesOf(output);
  }
  return most;
};
