import type { Dim } from "../node.ts";
import type { ShapeContext } from "../shapes/rule.ts";
import { first, firstOf, intRange, oneOf, rank, shown, type OperandRule } from "./rule.ts";

/** Convolutions and pools: a window of `count` spatial axes, each number of it positive, each list as long as it must be. */
const windowProblem = (c: ShapeContext, count: number): string | undefined => {
  const list = (name: string, length: number, min: number): string | false | undefined => {
    const values = c.node.ints(name);
    if (!values) return undefined;
    if (values.length !== length) return `${name} has ${values.length} numbers where ${count} spatial axes need ${length}`;
    const bad = values.find((value) => value < min || value > largest);
    return bad !== undefined && `${name} holds ${bad} and must hold numbers from ${min} to ${largest}`;
  };
  return first([
    list("kernel_shape", count, 1), list("strides", count, 1), list("dilations", count, 1), list("pads", 2 * count, 0),
    list("output_padding", count, 0),
  ]);
};

/** The runtime holds sizes of windows in 32 bits. */
const largest = 2 ** 31 - 1;

const autoPad = oneOf("auto_pad", ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);

/** Any list of the window tells how many axes there are, where the rank of the input is not known. */
const spatialCount = (c: ShapeContext, weightSlot?: number): number | undefined => {
  const shape = c.shape(0) ?? (weightSlot === undefined ? undefined : c.shape(weightSlot));
  return shape ? shape.length - 2 : c.node.ints("kernel_shape")?.length;
};

const window = (weightSlot?: number): OperandRule => (c) => {
  const count = spatialCount(c, weightSlot);
  return count === undefined ? undefined : windowProblem(c, count);
};

const differ = (a: Dim | undefined, b: Dim | undefined): boolean => typeof a === "number" && typeof b === "number" && a !== b;

const kernelLikeWeights = (weightSlot: number): OperandRule => (c) => {
  const weights = c.shape(weightSlot)?.slice(2);
  const kernel = c.node.ints("kernel_shape");
  if (!weights || !kernel || (weights.length === kernel.length && !weights.some((dim, axis) => differ(dim, kernel[axis])))) return undefined;
  return `kernel_shape ${shown(kernel)} is not the spatial size ${shown(weights)} of its weights`;
};

const sameRank = (weightSlot: number): OperandRule => (c) => {
  const [x, w] = [c.shape(0), c.shape(weightSlot)];
  return x && w && x.length !== w.length ? `its input ${shown(x)} and its weights ${shown(w)} have different ranks` : undefined;
};

/** Weights [M, C/group, …]; the input has C channels. */
const channels = (weightSlot: number, biasSlot?: number): OperandRule => (c) => {
  const [x, w] = [c.shape(0), c.shape(weightSlot)];
  const [into, out, perGroup, group] = [x?.[1], w?.[0], w?.[1], c.node.int("group", 1)];
  const bias = biasSlot === undefined ? undefined : c.shape(biasSlot);
  return first([
    typeof perGroup === "number" && differ(into, perGroup * group) && `its input has ${into} channels and its weights take ${perGroup} x ${group} (group)`,
    typeof out === "number" && out % group !== 0 && `its ${out} output channels do not divide into ${group} groups`,
    bias && (bias.length !== 1 || differ(bias[0], out)) && `its bias has the shape ${shown(bias)} where its weights have ${out} output channels`,
  ]);
};

/** Weights [C, M/group, …]. */
const transposedChannels: OperandRule = (c) => {
  const [x, w, bias] = [c.shape(0), c.shape(1), c.shape(2)];
  const [into, group, perGroup] = [w?.[0], c.node.int("group", 1), w?.[1]];
  const forced = c.node.ints("output_shape");
  const count = x && x.length - 2;
  return first([
    differ(x?.[1], into) && `its input has ${x![1]} channels and its weights take ${into}`,
    typeof into === "number" && into % group !== 0 && `its ${into} input channels do not divide into ${group} groups`,
    bias && (bias.length !== 1 || (typeof perGroup === "number" && differ(bias[0], perGroup * group))) && `its bias has the shape ${shown(bias)}`,
    forced && count !== undefined && forced.length !== count && forced.length !== count + 2 && `output_shape has ${forced.length} numbers`,
    forced && forced.some((size) => size < 1) && `output_shape is ${shown(forced)} and must be positive`,
  ]);
};

const conv = (weightSlot: number, biasSlot?: number): OperandRule => firstOf(
  rank(0, 3, Infinity), sameRank(weightSlot), intRange("group", 1), autoPad, kernelLikeWeights(weightSlot), window(weightSlot),
  channels(weightSlot, biasSlot));

const pool: OperandRule = firstOf(rank(0, 3, Infinity), autoPad, window(), intRange("ceil_mode", 0, 1), intRange("storage_order", 0, 1),
  (c) => {
    const kernel = c.node.ints("kernel_shape");
    const pads = c.node.ints("pads");
    const at = kernel && pads?.findIndex((pad, index) => pad >= kernel[index % kernel.length]! * (c.node.ints("dilations")?.[index % kernel.length] ?? 1));
    return at !== undefined && at >= 0 ? `pads ${shown(pads!)} are not smaller than the kernel ${shown(kernel!)}` : undefined;
  });

const globalPool: OperandRule = rank(0, 2, Infinity);

export const windowRules: Readonly<Record<string, OperandRule>> = {
  Conv: conv(1, 2), ConvInteger: conv(1), QLinearConv: conv(3, 8),
  ConvTranspose: firstOf(rank(0, 3, Infinity), sameRank(1), intRange("group", 1), autoPad, kernelLikeWeights(1), window(1), transposedChannels),
  MaxPool: pool, AveragePool: pool, LpPool: pool, MaxUnpool: firstOf(rank(0, 3, Infinity), window()),
  GlobalAveragePool: globalPool, GlobalMaxPool: globalPool, GlobalLpPool: globalPool,
};
