import type { Builder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { layoutOf, typed, type Layout } from "./flat.ts";

/** The BatchNormalization nodes of a problem whose running statistics are learned: constant mean and variance, trained scale or shift. */
export const trainedNorms = (graph: Graph, parameters: ReadonlySet<Value>): Node[] =>
  graph.sorted().filter((node) =>
    node.opType === "BatchNormalization" && node.domain === "" && node.in(3).tensor !== undefined && node.in(4).tensor !== undefined
    && (parameters.has(node.in(1)) || parameters.has(node.in(2))));

/** The vector [S] of running means and variances; norms that share statistics share the slot. */
export const statisticsLayout = (norms: readonly Node[]): Layout => layoutOf([...new Set(norms.flatMap((norm) => [norm.in(3), norm.in(4)]))]);

/**
 * Puts norms into training mode. With momentum 0 their second and third output are the mean and variance of the batch itself.
 * Returns, by the node that it replaces, those two: [C] each, the variance with Bessel's correction as PyTorch keeps it.
 * Its old mean and variance must be values of its own, not constants and not read elsewhere: ONNX Runtime shares equal constants of up to
 * 8 elements between nodes and writes the new statistics in place of the old ones, so all norms of 8 channels would get those of the last.
 */
export const trainNorm = (b: Builder, norm: Node): { readonly mean: Value; readonly variance: Value } => {
  const { graph } = b;
  const [x, scale, shift, mean, variance] = norm.inputs;
  const trained = graph.addNode({
    opType: "BatchNormalization", name: norm.name, inputs: [x!, scale!, shift!, mean!, variance!],
    outputs: [norm.out().name, graph.freshName("train/mean"), graph.freshName("train/variance")],
    attributes: { epsilon: norm.float("epsilon", 1e-5), momentum: 0, training_mode: 1 },
  });
  trained.out().dtype = norm.out().dtype;
  trained.out().shape = norm.out().shape;
  for (const index of [1, 2]) typed(trained.out(index), mean!.staticShape!);
  graph.replaceAllUses(norm.out(), trained.out());
  graph.removeNode(norm);
  return { mean: trained.out(1), variance: b.mul(trained.out(2), besselFactor(b, x!, mean!.staticShape![0]!)) };
};

/** n/(n - 1) for the n elements per channel of `x` [N, C, ...]; 1 when n is 1. */
const besselFactor = (b: Builder, x: Value, channels: number): Value => {
  if (x.staticShape) {
    const count = x.staticShape.reduce((product, dim) => product * dim, 1) / channels;
    return b.scalar(count / Math.max(1, count - 1));
  }
  const count = b.div(b.cast(b.op("Size", [x]), "float32"), channels);
  return b.div(count, b.max(b.sub(count, 1), 1));
};

/** One value per slot from the batch statistics of `norms`; statistics that several norms share are averaged. */
export const batchStatistics = (b: Builder, layout: Layout, measured: ReadonlyMap<Value, readonly Value[]>): readonly Value[] =>
  layout.slots.map(({ value, shape }) => {
    const values = measured.get(value) ?? [];
    const sum = values.reduce((total, next) => typed(b.add(total, next), shape));
    return values.length === 1 ? sum : typed(b.div(sum, values.length), shape);
  });
