import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { carriesWeight, isLayerOp } from "../../graph/ops/layers.ts";
import { stridesOf, type Tensor } from "../../graph/tensor.ts";
import type { AxisRef } from "./closure.ts";
import type { Group, Structure } from "./groups.ts";

export type Criterion = "l1" | "l2" | "bn-scale" | "taylor";

/** Calls `visit` with dL/dw by weight, once for each batch; the caller has the data. */
export type Gradients = (graph: Graph, visit: (gradients: ReadonlyMap<Value, Float32Array>) => void) => Promise<void> | void;

/**
 * A score for every unit of every group, in order; a low score means little harm. Slices of all weights of the group add up:
 * l1 Σ|w|, l2 √Σw², bn-scale Σ|γ|, each divided by the group's mean, so that groups compare (as in Torch-Pruning);
 * taylor: the mean over batches of (Σ w·dL/dw)² (Molchanov 2019, eq. 8; the empirical Fisher information of Theis 2018), an estimate of the loss
 * that comparing groups needs as it is. Throws UserError NO_GRADIENTS, NO_BATCH_NORM.
 */
export const scoreGroups = async (structure: Structure, criterion: Criterion, gradients?: Gradients): Promise<Map<Group, number[]>> => {
  const sums = criterion === "taylor" ? await taylorSums(structure, gradients) : magnitudeSums(structure, criterion);
  return new Map(structure.groups.map((group) => {
    const scores = group.units.map(({ atoms }) => {
      let score = 0;
      for (const [at, indexes] of atoms) for (const index of indexes) score += sums.get(at)?.[index] ?? 0;
      return criterion === "l2" ? Math.sqrt(score) : score;
    });
    return [group, criterion === "taylor" ? scores : relative(scores)];
  }));
};

/** By axis, a sum for each of its channels. */
type Sums = ReadonlyMap<AxisRef, Float64Array>;

type Measure = (at: AxisRef) => ((index: number) => number) | undefined;

const magnitudeSums = (structure: Structure, criterion: Exclude<Criterion, "taylor">): Sums => {
  const measure = criterion === "bn-scale" ? batchNormScale : onWeights((w) => (criterion === "l1" ? (i) => Math.abs(w[i]!) : (i) => w[i]! ** 2));
  const sums = new Map<AxisRef, Float64Array>();
  for (const at of structure.closure.axes) {
    const perElement = measure(at);
    if (perElement) sums.set(at, sumSlices(at.value.constant!, at.axis, perElement));
  }
  if (sums.size === 0 && criterion === "bn-scale") throw noBatchNorm(structure.graph);
  return sums;
};

/** Signed within a slice of one weight: there w·dL/dw is what the loss changes by, to first order, when the whole channel goes. */
const taylorSums = async ({ graph, closure }: Structure, gradients: Gradients | undefined): Promise<Sums> => {
  if (!gradients) throw noGradients();
  const sums = new Map<AxisRef, Float64Array>();
  let batches = 0;
  await gradients(graph, (found) => {
    batches++;
    const measure = onWeights((w, value) => {
      const g = found.get(value);
      return g && ((i) => w[i]! * g[i]!);
    });
    for (const at of closure.axes) {
      const perElement = measure(at);
      if (!perElement) continue;
      const total = sums.get(at) ?? new Float64Array(at.size);
      for (const [channel, sum] of sumSlices(at.value.constant!, at.axis, perElement).entries()) total[channel]! += sum ** 2;
      sums.set(at, total);
    }
  });
  if (sums.size === 0) throw noGradients();
  return new Map([...sums].map(([at, total]) => [at, total.map((sum) => sum / batches)]));
};

/** Matrices and kernels; biases and other vectors say little about a channel. */
const onWeights = (measure: (w: Float32Array, value: Value) => ((index: number) => number) | undefined): Measure => ({ value }) => {
  const { constant } = value;
  const isLayerWeight = [...value.uses].some(({ node, slot }) => slot < 2 && (isLayerOp(node) || carriesWeight(node)));
  return isLayerWeight && constant?.dtype === "float32" && constant.shape.length >= 2 ? measure(constant.floats, value) : undefined;
};

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
