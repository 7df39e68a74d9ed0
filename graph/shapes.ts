import { withinBudget } from "./budget.ts";
import type { Graph } from "./graph.ts";
import { subgraphsOf } from "./graph.ts";
import { invalidOp } from "./invalid-op.ts";
import type { Node, Shape, Value } from "./node.ts";
import { operandProblem, sizeProblem } from "./op-rules.ts";
import { refineDim } from "./shapes/dim.ts";
import { elementwiseRules } from "./shapes/elementwise.ts";
import { indexingRules } from "./shapes/indexing.ts";
import { layoutRules } from "./shapes/layout.ts";
import { matrixRules } from "./shapes/matrix.ts";
import { quantizedRules } from "./shapes/quantized.ts";
import { ShapeContext, type ShapeRule, type ValueType } from "./shapes/rule.ts";
import { spatialRules } from "./shapes/spatial.ts";
import { decidedBranch, partialValue, type Memo } from "./shapes/values.ts";

export { decidedBranch, partialValue, type Memo, type PartialValue } from "./shapes/values.ts";

/** The branch that a known condition chooses; else both must agree: a dimension that differs is unknown. */
const conditional: ShapeRule = (c) => {
  const { node } = c;
  const branch = decidedBranch(node, c.memo);
  if (branch) return branch.outputs.map(({ dtype, shape }) => ({ dtype, shape }));
  const branches = subgraphsOf(node);
  return node.outputs.map((_, index) => {
    const [a, b] = branches.map((branch) => branch.outputs[index]);
    const same = a?.shape && b?.shape && a.shape.length === b.shape.length && a.shape.every((dim, axis) => dim === b.shape![axis]);
    return { dtype: a?.dtype ?? b?.dtype, shape: same ? a.shape : undefined };
  });
};

/** dtype and shape of the outputs, by op of ai.onnx (and the com.microsoft ops that training and optimized graphs hold). */
export const shapeRules: Readonly<Record<string, ShapeRule>> = {
  ...elementwiseRules, ...spatialRules, ...layoutRules, ...indexingRules, ...matrixRules, If: conditional,
};

const alsoMicrosoft = ["QuickGelu", "BiasGelu", "FastGelu", "Gelu", "FusedMatMul", "QuantizeLinear", "DequantizeLinear"] as const;

/** As `shapeRules`, by op of com.microsoft. */
export const microsoftRules: Readonly<Record<string, ShapeRule>> = {
  ...Object.fromEntries(alsoMicrosoft.map((opType) => [opType, shapeRules[opType]!])), ...quantizedRules,
};

/** The row for `node`, or undefined: nothing is known about its outputs then. */
export const shapeRuleOf = ({ domain, opType }: Node): ShapeRule | undefined => {
  const rules = domain === "" || domain === "ai.onnx" ? shapeRules : domain === "com.microsoft" ? microsoftRules : {};
  return Object.hasOwn(rules, opType) ? rules[opType] : undefined;
};

/** Writes dtype and shape of the node's outputs, as far as its inputs tell; an op without a row leaves them unknown. */
export const inferNode = (node: Node, opset: number): void => infer(new ShapeContext(node, opset), write, "computed");

/**
 * Writes dtype and shape of every value that its inputs tell, in execution order, bodies of If/Loop/Scan included.
 * Without `overwrite` what the model states stays where nothing else is computed (a name becomes a number); with it all is derived anew from
 * the graph inputs, and what cannot be derived becomes unknown.
 */
export const inferShapes = (graph: Graph, options: InferOptions = {}): void => inferGraph(graph, graph.opset, options);

export interface InferOptions {
  /** Derive all anew (default false). */
  readonly overwrite?: boolean;
  /** Called with each node before and after its outputs are inferred, when all that it reads is. */
  readonly before?: (node: Node) => void;
  readonly after?: (node: Node) => void;
}

const inferGraph = (graph: Graph, opset: number, options: InferOptions, isBranch = false): void => {
  const { overwrite = false, before, after } = options;
  const memo: Memo = new Map();
  for (const node of graph.sorted()) {
    if (overwrite) for (const output of node.outputs) Object.assign(output, { dtype: shapeRuleOf(node) ? undefined : output.dtype, shape: undefined });
    for (const body of subgraphsOf(node)) inferGraph(body, opset, options, isBranch || node.opType === "If");
    before?.(node);
    infer(new ShapeContext(node, opset, memo), overwrite ? write : refine, isBranch ? "maybe never" : overwrite ? "assumed sizes" : "computed");
    after?.(node);
    for (const output of node.outputs) partialValue(output, memo); // in order, so that no chain is walked by recursion
  }
};

/**
 * A branch that never runs may hold what cannot be computed: there only the node's attributes must be right. So it is for sizes that a caller
 * assumes (a batch of 1 for a model that says "N" and means 2): what does not fit them is unknown.
 */
type Certainty = "computed" | "assumed sizes" | "maybe never";

const infer = (c: ShapeContext, assign: (value: Value, type: ValueType) => void, certainty: Certainty): void => {
  const { node } = c;
  const isCertain = certainty === "computed";
  const isBranch = certainty === "maybe never";
  const problem = operandProblem(isCertain ? c : c.attributesAlone());
  if (problem !== undefined) throw invalidOp(node, problem);
  if (!isCertain && operandProblem(c) !== undefined) return;
  const types = shapeRuleOf(node)?.(c) ?? [];
  const size = sizeProblem(node, types);
  if (size !== undefined && isCertain) throw invalidOp(node, size);
  if (size !== undefined) return;
  for (const [index, output] of node.outputs.entries()) {
    const type = types[index];
    if (!type) continue;
    if (!isBranch && type.shape) withinBudget(node, output.name, type.shape, type.dtype ?? output.dtype);
    assign(output, type);
  }
};

const write = (value: Value, { dtype, shape }: ValueType): void => {
  if (dtype) value.dtype = dtype;
  if (shape) value.shape = shape;
};

const refine = (value: Value, { dtype, shape }: ValueType): void => {
  value.dtype ??= dtype;
  value.shape = refineShape(value.shape, shape);
};

/** What is computed is true where the file says something else: its own words are often those of another size. */
const refineShape = (stated: Shape | undefined, found: Shape | undefined): Shape | undefined => {
  if (!stated || !found) return stated ?? found;
  if (stated.length !== found.length) return found;
  return stated.map((dim, axis) => (typeof found[axis] === "number" ? found[axis] : refineDim(dim, found[axis]!)));
};
