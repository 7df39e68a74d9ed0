import type { Graph } from "../graph.ts";
import type { Dim, Node, Value } from "../node.ts";
import { arithmeticRules, isComputed, storedAs } from "./values/arithmetic.ts";
import { movementRules } from "./values/movement.ts";
import { mostElements, numbersOf, unknownIn, type PartialValue, type ValueRule } from "./values/partial.ts";
import { reductionRules } from "./values/reduction.ts";

export type { PartialValue } from "./values/partial.ts";

/** Values already looked at; share one only while the graph does not change. */
export type Memo = Map<Value, PartialValue | undefined>;

/** What the ops of shape arithmetic compute, by ai.onnx op. */
export const valueRules: Readonly<Record<string, ValueRule>> = { ...arithmeticRules, ...movementRules, ...reductionRules };

/** The elements of `value` as far as constants and shapes tell; undefined where they tell nothing. */
export const partialValue = (value: Value, memo: Memo = new Map()): PartialValue | undefined => {
  if (memo.has(value)) return memo.get(value);
  if (isOpaque(value)) return undefined;
  const pending = [value];
  while (pending.length > 0) {
    try {
      look(pending.at(-1)!, memo, 0);
      pending.pop();
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      pending.push(error.value);
    }
  }
  return memo.get(value);
};

/** Whether the op that makes it tells nothing of its elements. */
const isOpaque = ({ tensor, producer }: Value): boolean =>
  !tensor && (!producer || (producer.opType !== "Constant" && producer.opType !== "If" && !Object.hasOwn(valueRules, producer.opType)));

/** A chain of computations is walked in pieces of this length, so that none is too long for the stack. */
const deepest = 200;

/** Stops a walk: `value` must be known first. */
class TooDeep extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super("a chain of values is long");
    this.value = value;
  }
}

const look = (value: Value, memo: Memo, depth: number): PartialValue | undefined => {
  if (memo.has(value)) return memo.get(value);
  if (depth > deepest) throw new TooDeep(value);
  memo.set(value, undefined);
  try {
    const found = evaluate(value, memo, depth + 1);
    memo.set(value, found);
    return found;
  } catch (error) {
    memo.delete(value);
    throw error;
  }
};

const evaluate = (value: Value, memo: Memo, depth: number): PartialValue | undefined => {
  const tensor = value.constant;
  if (tensor) {
    if (tensor.size > mostElements || tensor.dtype === "string" || tensor.dtype.startsWith("complex")) return undefined;
    return { shape: tensor.shape, elements: tensor.toNumbers() };
  }
  const node = value.producer;
  if (!node || node.domain !== "") return undefined;
  if (node.opType === "If") return ofBranch(value, memo, depth);
  const rule = Object.hasOwn(valueRules, node.opType) ? valueRules[node.opType] : undefined;
  const output = node.outputs.indexOf(value);
  const result = rule?.(node, (slot) => {
    const input = node.optionalIn(slot);
    return input && look(input, memo, depth);
  }, output);
  if (!result || result.elements.length > mostElements) return undefined;
  return { shape: result.shape, elements: result.elements.map((element, index) => stored(element, value, () => unknownIn(node, index, output))) };
};

/** An element as the runtime would hold it, unknown where we cannot be sure of every bit. */
const stored = (element: Dim, { dtype, producer }: Value, unknown: () => Dim): Dim => {
  if (typeof element !== "number") return element;
  const rounded = !/^float/.test(dtype ?? "") && isComputed(producer!.opType) && Number.isInteger(element) && !Number.isSafeInteger(element);
  return rounded ? unknown() : (storedAs(element, dtype) ?? unknown());
};

/** The output of the branch that a known condition chooses. */
const ofBranch = (value: Value, memo: Memo, depth: number): PartialValue | undefined => {
  const node = value.producer!;
  const branch = branchFor(node, numbersOf(look(node.in(0), memo, depth))?.[0]);
  const output = branch?.outputs[node.outputs.indexOf(value)];
  return output && look(output, memo, depth);
};

/** The branch of an If that runs, where its condition is known. */
export const decidedBranch = (node: Node, memo: Memo = new Map()): Graph | undefined =>
  branchFor(node, numbersOf(partialValue(node.in(0), memo))?.[0]);

const branchFor = (node: Node, holds: number | undefined): Graph | undefined => {
  const branch = holds === undefined ? undefined : node.attributes.get(holds ? "then_branch" : "else_branch");
  return branch?.type === "graph" ? branch.value : undefined;
};
