import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { stridesOf, type Tensor } from "../../graph/tensor.ts";
import type { AxisRef } from "./closure.ts";
import type { Group, Structure } from "./groups.ts";

export type Criterion = "l1" | "l2" | "bn-scale" | "taylor";

/** dL/dw by weight, e.g. averaged over batches; the caller has the data. */
export type Gradients = (graph: Graph) => Promise<ReadonlyMap<Value, Float32Array>> | ReadonlyMap<Value, Float32Array>;

/**
 * A score for every unit of every group, in order; a low score means little harm. Slices of all weights of the group add up:
 * l1 Σ|w|, l2 √Σw², bn-scale Σ|γ|, taylor Σ|w·dL/dw| (Molchanov et al., 2019). Divided by the group's mean, so that groups compare
 * (as in Torch-Pruning). Throws UserError NO_GRADIENTS, NO_BATCH_NORM.
 */
export const scoreGroups = async (structure: Structure, criterion: Criterion, gradients?: Gradients): Promise<Map<Group, number[]>> => {
  const measure = await measureOf(structure.graph, criterion, gradients);
  const sums = new Map<AxisRef, Float64Array>();
  for (const at of structure.closure.axes) {
    const perElement = measure(at);
    if (perElement) sums.set(at, sumSlices(at.value.constant!, at.axis, perElement));
  }
  if (sums.size === 0 && criterion === "bn-scale") throw noBatchNorm(structure.graph);
  return new Map(structure.groups.map((group) => [group, relative(group.units.map(({ atoms }) => {
    let score = 0;
    for (const [at, indexes] of atoms) for (const index of indexes) score += sums.get(at)?.[index] ?? 0;
    return criterion === "l2" ? Math.sqrt(score) : score;
  }))]));
};

type Measure = (at: AxisRef) => ((index: number) => number) | undefined;

const measureOf = async (graph: Graph, criterion: Criterion, gradients: Gradients | undefined): Promise<Measure> => {
  if (criterion === "bn-scale") return batchNormScale;
  if (criterion !== "taylor") return onWeights((w) => (criterion === "l1" ? (i) => Math.abs(w[i]!) : (i) => w[i]! ** 2));
  if (!gradients) throw noGradients();
  const found = await gradients(graph);
  if (found.size === 0) throw noGradients();
  return onWeights((w, value) => {
    const g = found.get(value);
    return g && ((i) => Math.abs(w[i]! * g[i]!));
  });
};

/** Matrices and kernels; biases and other vectors say little about a channel. */
const onWeights = (measure: (w: Float32Array, value: Value) => ((index: number) => number) | undefined): Measure => ({ value }) => {
  const { constant } = value;
  const isLayerWeight = [...value.uses].some(({ node, slot }) => slot < 2 && weightReaders.has(node.opType));
  return isLayerWeight && constant?.dtype === "float32" && constant.shape.length >= 2 ? measure(constant.floats, value) : undefined;
};

/** Layers, and what stands between a weight and its layer. */
const weightReaders: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul", "Transpose", "Reshape", "Cast", "Identity"]);

const batchNormScale: Measure = ({ value }) => {
  const { constant } = value;
  const isScale = [...value.uses].some(({ node, slot }) => node.opType === "BatchNormalization" && slot === 1);
  return isScale && constant?.dtype === "float32" ? (i) => Math.abs(constant.floats[i]!) : undefined;
};

const sumSlices = ({ shape, size }: Tensor, axis: number, perElement: (index: number) => number): Float64Array => {
  const sums = new Float64Array(shape[axis]!);
  const stride = stridesOf(shape)[axis]!;
  for (let index = 0; index < size; index++) sums[Math.floor(index / stride) % sums.length]! += perElement(index);
  return sums;
};

const relative = (scores: readonly number[]): number[] => {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return mean > 0 ? scores.map((score) => score / mean) : scores.map(() => 1);
};

const noGradients = () => new UserError("NO_GRADIENTS", "The Taylor criterion needs gradients, and there is no data to compute them from.",
  "give training data (prune: --data <dataset>), or choose --criterion l2.");

const noBatchNorm = ({ name }: Graph) => new UserError("NO_BATCH_NORM", `The bn-scale criterion found no BatchNormalization in "${name}": exporters fold it into the convolutions.`,
  "choose --criterion l2 or taylor.");
