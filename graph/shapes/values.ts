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
  memo.set(value, undefined);
  const found = evaluate(value, memo);
  memo.set(value, found);
  return found;
};

const evaluate = (value: Value, memo: Memo): PartialValue | undefined => {
  const tensor = value.constant;
  if (tensor) {
    if (tensor.size > mostElements || tensor.dtype === "string" || tensor.dtype.startsWith("complex")) return undefined;
    return { shape: tensor.shape, elements: tensor.toNumbers() };
  }
  const node = value.producer;
  if (!node || node.domain !== "") return undefined;
  if (node.opType === "If") return ofBranch(value, memo);
  const rule = Object.hasOwn(valueRules, node.opType) ? valueRules[node.opType] : undefined;
  const output = node.outputs.indexOf(value);
  const result = rule?.(node, (slot) => {
    const input = node.optionalIn(slot);
    return input && partialValue(input, memo);
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
const ofBranch = (value: Value, memo: Memo): PartialValue | undefined => {
  const node = value.producer!;
  const output = decidedBranch(node, memo)?.outputs[node.outputs.indexOf(value)];
  return output && partialValue(output, memo);
};

/** The branch of an If that runs, where its condition is known. */
export const decidedBranch = (node: Node, memo: Memo = new Map()): Graph | undefined => {
  const holds = numbersOf(partialValue(node.in(0), memo))?.[0];
  const branch = holds === undefined ? undefined : node.attributes.get(holds ? "then_branch" : "else_branch");
  return branch?.type === "graph" ? branch.value : undefined;
};
