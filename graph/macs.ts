import { UserError } from "./error.ts";
import type { Graph } from "./graph.ts";
import { keepingTypes } from "./keeping-types.ts";
import { labelOf } from "./invalid-op.ts";
import type { Node, Value } from "./node.ts";
import { learnedSlots, weightBehind } from "./ops/layers.ts";
import { inferShapes } from "./shapes.ts";
import { elementCount } from "./tensor.ts";

export interface NodeCost {
  readonly name: string;
  readonly opType: string;
  /** Multiply-accumulate operations for one picture. */
  readonly macs: number;
  /** Learned numbers that the node reads and no earlier node did. */
  readonly parameters: number;
}

export interface ModelCost {
  readonly macs: number;
  readonly parameters: number;
  /** Nodes with a cost, in execution order. */
  readonly perNode: readonly NodeCost[];
}

const shapeNotStatic = (value: Value, node: Node): UserError =>
  new UserError("SHAPE_NOT_STATIC", `Cannot count the MACs of ${labelOf(node)}: the shape [${value.shape?.join(",") ?? "unknown"}] of "${value.name}" is not static.`,
    "give sizes for the symbolic dimensions of the model's inputs (--size WxH for a picture).");

/**
 * Multiply-accumulates of Conv, ConvTranspose, Gemm and MatMul (their quantized forms too) for a batch of 1, and the number of learned parameters.
 * A symbolic leading dimension of an input counts as 1; `dims` gives other symbolic dimensions a size. Throws UserError SHAPE_NOT_STATIC.
 */
export const countMacs = (graph: Graph, dims: Readonly<Record<string, number>> = {}): ModelCost => {
  const perNode = keepingTypes(graph, () => costsOf(graph, dims));
  const sum = (pick: (cost: NodeCost) => number): number => perNode.reduce((total, cost) => total + pick(cost), 0);
  return { macs: sum((cost) => cost.macs), parameters: sum((cost) => cost.parameters), perNode };
};

/** Leaves the shapes of a batch of 1 in the graph. */
const costsOf = (graph: Graph, dims: Readonly<Record<string, number>>): readonly NodeCost[] => {
  for (const input of graph.inputs) {
    input.shape = input.shape?.map((dim, axis) => (typeof dim === "number" ? dim : (Object.hasOwn(dims, dim) ? dims[dim]! : axis === 0 ? 1 : dim)));
  }
  inferShapes(graph, { overwrite: true });
  const seen = new Set<Value>();
  return graph.sorted().map((node): NodeCost => ({
    name: node.name, opType: node.opType, parameters: newParameters(node, seen),
    macs: Object.hasOwn(macRules, node.opType) ? macRules[node.opType]!(node) : 0,
  })).filter(({ macs, parameters }) => macs > 0 || parameters > 0);
};

const staticShape = (value: Value, node: Node): readonly number[] => {
  const shape = value.staticShape;
  if (!shape) throw shapeNotStatic(value, node);
  return shape;
};

/** Output elements times the weights that each one sees. */
const conv = (weightSlot: number) => (node: Node): number =>
  elementCount(staticShape(node.out(), node)) * elementCount(staticShape(node.in(weightSlot), node).slice(1));

/** Input elements times the weights that each one feeds. */
const convTranspose = (node: Node): number => elementCount(staticShape(node.in(0), node)) * elementCount(staticShape(node.in(1), node).slice(1));

const matmul = (node: Node): number => elementCount(staticShape(node.out(), node)) * staticShape(node.in(0), node).at(-1)!;

const gemm = (node: Node): number => {
  const a = staticShape(node.in(0), node);
  return elementCount(staticShape(node.out(), node)) * (node.int("transA", 0) ? a[0]! : a[1]!);
};

const macRules: Readonly<Record<string, (node: Node) => number>> = {
  Conv: conv(1), ConvInteger: conv(1), QLinearConv: conv(3), ConvTranspose: convTranspose,
  MatMul: matmul, MatMulInteger: matmul, QLinearMatMul: matmul, Gemm: gemm,
};

const newParameters = (node: Node, seen: Set<Value>): number => {
  return learnedSlots(node).reduce((sum, slot) => {
    const source = node.optionalIn(slot) && weightBehind(node.in(slot));
    if (!source || seen.has(source) || source.dtype === "int64" || source.dtype === "bool") return sum;
    seen.add(source);
    return sum + source.constant!.size;
  }, 0);
};
