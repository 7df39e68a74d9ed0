import type { Builder } from "../../graph/builder.ts";
import { Builder as GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Node, Value } from "../../graph/node.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { withBatch, type TrainingProblem } from "../../training/problem.ts";

export interface NetOptions {
  readonly size: number;
  readonly width: number;
  readonly depth: number;
  readonly batch: number;
  readonly activation: "relu" | "silu";
  /** "none" trains convolutions with bias, as exported (folded) detectors have them. */
  readonly norm: "batch" | "none";
}

/** A YOLOv8-class detector up to the last convolutions of its head; the loss is the sum of their mean squares. */
export const benchmarkProblem = (options: NetOptions): TrainingProblem => {
  const { size, width, depth, activation, batch } = options;
  const graph = yoloStudent({ classes: ["a", "b", "c", "d", "e"], size: [size, size], width, depth, activation });
  const b = new GraphBuilder(graph, "benchmark");
  const outputs = headOutputs(graph);
  const loss = outputs.map((value) => b.mean(b.mul(value, value), undefined, false)).reduce((sum, next) => b.add(sum, next));
  graph.outputs.splice(0, graph.outputs.length, loss);
  dropDead(graph);
  if (options.norm === "none") for (const node of [...graph.nodes]) if (node.opType === "BatchNormalization") toBias(b, node);
  const parameters = graph.initializers.filter((value) => value.tensor?.dtype === "float32" && /weight$|bias$/.test(value.name));
  return withBatch({ graph, loss, metrics: new Map(), parameters }, batch);
};

/** Conv + BatchNormalization -> Conv with the norm's shift as bias. */
const toBias = (b: Builder, norm: Node): void => {
  const conv = norm.in(0).producer!;
  conv.replaceInput(2, norm.in(2));
  b.graph.replaceAllUses(norm.out(), conv.out());
  b.graph.removeNode(norm);
};

/** Bare 1×1 convolutions: those whose output no activation or norm reads. */
export const headOutputs = (graph: Graph): Value[] =>
  graph.sorted().filter((node) => node.opType === "Conv" && node.optionalIn(2)).map((node) => node.out());

const dropDead = (graph: Graph): void => {
  for (const node of graph.sorted().reverse())
    if (node.outputs.every((output) => output.uses.size === 0 && !graph.outputs.includes(output))) graph.removeNode(node);
};

/** One layer of the list that the PyTorch peer builds its net from. */
export interface Layer {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Shapes of the layer's own parameters. */
  readonly parameters: readonly (readonly number[])[];
}

/** The net as a list of layers; Sigmoid and Mul of a SiLU are one layer, so the peer uses its fused one. */
export const layerList = (problem: TrainingProblem): { layers: readonly Layer[]; outputs: readonly string[] } => {
  const outputs = problem.graph.sorted().filter((node) => node.opType === "Conv" && node.out().readers.every((reader) => reader.opType === "Mul" && reader.in(0) === reader.in(1)));
  const needed = new Set<Node>();
  const visit = (node: Node | null | undefined): void => {
    if (!node || needed.has(node)) return;
    needed.add(node);
    for (const input of node.inputs) visit(input?.producer);
  };
  outputs.forEach(visit);
  const isSilu = (node: Node): boolean => node.opType === "Mul" && node.in(1).producer?.opType === "Sigmoid";
  const gates = new Set([...needed].filter(isSilu).map((node) => node.in(1).producer!));
  const layers = problem.graph.sorted().filter((node) => needed.has(node) && !gates.has(node)).map((node): Layer => ({
    op: isSilu(node) ? "SiLU" : node.opType,
    inputs: (isSilu(node) ? [node.in(0)] : node.inputs).filter((value): value is Value => value !== null && !value.constant).map((value) => value.name),
    outputs: node.outputs.map((value) => value.name),
    attributes: {
      ...Object.fromEntries([...node.attributes].map(([name, { value }]) => [name, value])),
      ...(node.opType === "Split" && { split: node.in(1).constant!.toNumbers() }),
      ...(node.opType === "Conv" && { bias: node.optionalIn(2) !== undefined }),
    },
    parameters: node.inputs.flatMap((value) => (value?.tensor?.dtype === "float32" ? [value.tensor.shape] : [])),
  }));
  return { layers, outputs: outputs.map((node) => node.out().name) };
};
