import type { Builder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { weightAxesOf } from "../graph/ops/layers.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";
import { rewritePass, rule, type Rule } from "./rule.ts";

interface Match {
  /** Conv, ConvTranspose or Gemm before the normalization. */
  readonly linear: Node;
  readonly norm: Node;
}

const isConstant = (value: Value | undefined): boolean => value === undefined || value.constant?.dtype === "float32";

/** y = γ·(x·w + b − μ)/√(σ² + ε) + β is the same layer with w·γ/√(σ² + ε) and (b − μ)·γ/√(σ² + ε) + β. */
export const foldBatchNormRule: Rule = rule<Match>({
  name: "fold-batchnorm",
  match: (norm) => {
    const linear = norm.opType === "BatchNormalization" ? norm.in(0).producer : null;
    return linear && ["Conv", "ConvTranspose", "Gemm"].includes(linear.opType) && linear.domain === "" ? { linear, norm } : undefined;
  },
  refuse: ({ linear, norm }, graph) => refusal(linear, norm, graph),
  replace: (b, { linear, norm }) => [foldedLayer(b, linear, norm)],
});

const refusal = (linear: Node, norm: Node, graph: Graph): string | undefined => {
  const others = linear.out().readers.filter((reader) => reader !== norm);
  if (others.length > 0 || graph.isOutput(linear.out())) return `"${linear.out().name}" is also read by ${others[0] ? `"${others[0].name}"` : "the model's outputs"}`;
  if (norm.int("training_mode", 0) !== 0 || norm.outputs.slice(1).some((output) => output.uses.size > 0)) return "it normalizes by the statistics of the batch";
  if (linear.in(1).uses.size > 1) return `weight "${linear.in(1).name}" is shared`;
  const values = [linear.in(1), linear.optionalIn(2), ...[1, 2, 3, 4].map((slot) => norm.in(slot))];
  const variable = values.find((value) => !isConstant(value));
  if (variable) return `"${variable.name}" is not a float32 constant`;
  const channels = norm.in(1).constant!.size;
  const bias = linear.optionalIn(2)?.constant;
  if (linear.opType === "Gemm" && bias && bias.size !== channels && bias.size !== 1) return `bias "${linear.in(2).name}" is not one per channel`;
  return undefined;
};

const foldedLayer = (b: Builder, linear: Node, norm: Node): Value => {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((slot) => norm.in(slot).constant!.floats) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const epsilon = norm.float("epsilon", 1e-5);
  const factor = Float64Array.from(gamma, (g, channel) => g / Math.sqrt(variance[channel]! + epsilon));
  const bias = linear.optionalIn(2)?.constant?.floats;
  const scale = linear.opType === "Gemm" ? linear.float("beta", 1) : 1;
  const folded = Float32Array.from(factor, (f, channel) => ((bias ? scale * bias[bias.length === 1 ? 0 : channel]! : 0) - mean[channel]!) * f + beta[channel]!);
  const attributes = { ...Object.fromEntries(linear.attributes), ...(linear.opType === "Gemm" ? { beta: 1 } : {}) };
  const weight = b.graph.addInitializer(`${linear.in(1).name}`, scaledWeight(linear, factor));
  const name = linear.optionalIn(2)?.name ?? `${linear.in(1).name}/bias`;
  return b.op(linear.opType, [linear.in(0), weight, b.graph.addInitializer(name, Tensor.float32([factor.length], folded))], attributes);
};

const scaledWeight = (linear: Node, factor: Float64Array): Tensor => {
  const weight = linear.in(1).constant!;
  const axis = weightAxesOf(linear).output;
  const inner = elementCount(weight.shape.slice(axis + 1));
  const perGroup = weight.shape[axis]!;
  const group = linear.opType === "ConvTranspose" ? linear.int("group", 1) : 1;
  const inputsPerGroup = weight.shape[0]! / group;
  const channelOf = (flat: number): number => {
    const within = Math.floor(flat / inner) % perGroup;
    return group === 1 ? within : Math.floor(flat / (inner * perGroup * inputsPerGroup)) * perGroup + within;
  };
  return Tensor.float32(weight.shape, weight.floats.map((w, flat) => w * factor[channelOf(flat)]!));
};

/** Folds inference BatchNormalization into the Conv, ConvTranspose or Gemm before it; refuses shared weights and other readers, by name. */
export const foldBatchNorm = rewritePass("fold-batchnorm", [foldBatchNormRule]);
