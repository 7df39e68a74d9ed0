import { constantTensor } from "../constant.ts";
import type { Dim, Shape } from "../node.ts";
import { fromFront, type ShapeContext } from "../shapes/rule.ts";
import { axisOf, axesOf, broadcasts } from "./layout.ts";
import { axisProblem, first, firstOf, intRange, oneOf, rank, shown, type OperandRule } from "./rule.ts";

/** Codes of onnx.proto's TensorProto.DataType that name a type; those that a graph cannot hold stay unknown. */
const lastElementType = 26;

/** An int attribute that names an element type. */
const elementType = (name: string): OperandRule => (c) => {
  if (!c.node.attributes.has(name)) return undefined;
  const code = c.node.int(name, 1);
  return code >= 1 && code <= lastElementType ? undefined : `${name} is ${code}, which names no element type (1 to ${lastElementType})`;
};

const differ = (a: Dim | undefined, b: Dim | undefined): boolean => typeof a === "number" && typeof b === "number" && a !== b;

const matmul = (slotA: number, slotB: number, { swapA = "", swapB = "" } = {}): OperandRule => (c) => {
  const [a, b] = [c.shape(slotA), c.shape(slotB)];
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) return "it multiplies a scalar";
  const isSwapped = (name: string, shape: Shape): boolean => name !== "" && shape.length > 1 && c.node.int(name, 0) !== 0;
  const left = isSwapped(swapA, a) ? a.at(-2) : a.at(-1);
  const right = b.length === 1 || isSwapped(swapB, b) ? b.at(-1) : b.at(-2);
  return differ(left, right) ? `${shown(a)} and ${shown(b)} cannot be multiplied: ${left} is not ${right}` : undefined;
};

/** Input 2 broadcasts to the product of inputs 0 and 1, which does not grow. */
const gemmBias: OperandRule = (c) => {
  const [a, b, bias] = [c.shape(0), c.shape(1), c.shape(2)];
  if (a?.length !== 2 || b?.length !== 2 || !bias) return undefined;
  const product = [a[c.node.int("transA", 0) === 0 ? 0 : 1]!, b[c.node.int("transB", 0) === 0 ? 1 : 0]!];
  const isLarger = bias.length > 2 || bias.some((dim, axis) => dim !== 1 && differ(dim, product[axis + 2 - bias.length]));
  return isLarger ? `input 2 ${shown(bias)} does not broadcast to its product ${shown(product)}` : undefined;
};

const gemm: OperandRule = firstOf(rank(0, 2), rank(1, 2), matmul(0, 1, { swapA: "transA", swapB: "transB" }), gemmBias);

/** Inputs `slots` hold one number each. */
const scalars = (slots: readonly number[]): OperandRule => (c) => {
  const bad = slots.find((slot) => { const shape = c.shape(slot); return shape && (shape.length > 1 || differ(shape[0], 1)); });
  return bad === undefined ? undefined : `input ${bad} has the shape ${shown(c.shape(bad)!)} and must be one number`;
};

const rangeNames = ["start", "limit", "delta"];
const range: OperandRule = firstOf(scalars([0, 1, 2]), (c) => {
  const values = [0, 1, 2].map((slot) => c.values(slot)?.[0]);
  const bad = values.findIndex((value) => typeof value === "number" && !Number.isFinite(value));
  if (bad >= 0) return `its ${rangeNames[bad]} is no finite number`;
  return values[2] === 0 ? "its delta is 0" : undefined;
});

/** Inputs `slots` are lists with one number for each channel (axis 1) of input 0. */
const perChannel = (slots: readonly number[]): OperandRule => (c) => {
  const size = c.shape(0)?.[1];
  const bad = slots.find((slot) => { const shape = c.shape(slot); return shape && (shape.length !== 1 || differ(shape[0], size)); });
  return bad === undefined ? undefined : `input ${bad} has the shape ${shown(c.shape(bad)!)} and the data have ${String(size ?? "?")} channels`;
};

const modes = ["nearest", "linear", "cubic"];
/** Scales or sizes of some axes: as many as axes, all positive. */
const positive = (c: ShapeContext, slot: number, name: string, count: number | undefined): string | undefined => {
  const values = c.values(slot);
  if (!values?.length) return undefined;
  return first([
    count !== undefined && values.length !== count && `${name} has ${values.length} numbers for ${count} axes`,
    values.some((value) => typeof value === "number" && !(value > 0 && value < Infinity)) && `${name} ${shown(values)} must be positive`,
  ]);
};

const resize: OperandRule = firstOf(
  oneOf("mode", modes), oneOf("keep_aspect_ratio_policy", ["stretch", "not_larger", "not_smaller"]),
  oneOf("nearest_mode", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"]),
  oneOf("coordinate_transformation_mode", ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
    "tf_crop_and_resize", "tf_half_pixel_for_nn"]),
  (c) => {
    const x = c.shape(0);
    const axes = c.node.ints("axes");
    const count = axes?.length ?? x?.length;
    const isEmpty = (slot: number): boolean => !c.has(slot) || c.shape(slot)?.[0] === 0;
    return first([
      x && axes && axesOf(-1)(c),
      c.opset >= 11 && isEmpty(2) && isEmpty(3) && "it has neither scales nor sizes",
      c.opset >= 13 && !isEmpty(2) && !isEmpty(3) && "it has scales and sizes",
      positive(c, c.opset < 11 ? 1 : 2, "scales", count), c.opset >= 11 && positive(c, 3, "sizes", count),
    ]);
  });

const upsample: OperandRule = firstOf(oneOf("mode", ["nearest", "linear"]), (c) => {
  const x = c.shape(0);
  const scales = c.node.floats("scales");
  return scales
    ? first([x && scales.length !== x.length && `scales has ${scales.length} numbers for ${x.length} axes`, scales.some((scale) => !(scale > 0)) && `scales ${shown(scales)} must be positive`])
    : positive(c, 1, "scales", x?.length);
});

const topK: OperandRule = firstOf(axisOf(-1), (c) => {
  const x = c.shape(0);
  const k = c.node.attributes.has("k") ? c.node.int("k", 1) : c.values(1)?.[0];
  const size = x?.at(fromFront(c.node.int("axis", -1), x.length));
  return typeof k === "number" && (k < 0 || (typeof size === "number" && k > size)) ? `k is ${k} and the axis has ${String(size ?? "?")}` : undefined;
});

/** One letter an axis; each operand's letters fit its rank, each output letter is among them. */
const einsum: OperandRule = (c) => {
  const equation = c.node.string("equation", "").replaceAll(" ", "");
  const [left = "", right, more] = equation.split("->");
  const operands = left.split(",");
  const isWord = (text: string): boolean => /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(text);
  if (more !== undefined || !operands.every(isWord) || (right !== undefined && !isWord(right))) return `its equation "${equation.slice(0, 60)}" cannot be read`;
  if (operands.length !== c.node.inputs.length) return `its equation has ${operands.length} operands and it has ${c.node.inputs.length} inputs`;
  const sizes = new Map<string, number>();
  for (const [slot, letters] of operands.entries()) {
    const shape = c.shape(slot);
    if (!shape || letters.includes("...")) continue;
    if (letters.length !== shape.length) return `its equation gives operand ${slot} ${letters.length} axes and it has ${shape.length}`;
    for (const [axis, letter] of [...letters].entries()) {
      const [dim, known] = [shape[axis]!, sizes.get(letter)];
      if (typeof dim !== "number" || dim === 1) continue;
      if (known !== undefined && known !== dim) return `letter ${letter} of its equation stands for ${known} and ${dim}`;
      sizes.set(letter, dim);
    }
  }
  const letters = (right ?? "").replaceAll(".", "");
  const stray = [...letters].find((letter) => !left.includes(letter));
  if (stray) return `letter ${stray} of its equation's result is in no operand`;
  return new Set(letters).size < letters.length ? "its equation's result has a letter twice" : undefined;
};

const constant: OperandRule = (c) => {
  const count = c.node.attributes.size;
  if (count !== 1) return `it has ${count} attributes that say its value and must have 1`;
  return constantTensor(c.node.attributes) ? undefined : "its value cannot be read";
};

const gather: OperandRule = firstOf(rank(0, 1, Infinity), axisOf(0), (c) => {
  const x = c.shape(0);
  const size = x?.[fromFront(c.node.int("axis", 0), x.length)];
  const bad = typeof size === "number" ? c.values(1)?.find((index) => typeof index === "number" && (index < -size || index >= size)) : undefined;
  return bad === undefined ? undefined : `index ${bad} is not on an axis of ${size}`;
});

const gatherND: OperandRule = firstOf(rank(0, 1, Infinity), rank(1, 1, Infinity), intRange("batch_dims", 0), (c) => {
  const [x, depth] = [c.shape(0), c.shape(1)?.at(-1)];
  const total = typeof depth === "number" ? depth + c.node.int("batch_dims", 0) : 0;
  return x && total > x.length ? `its indices have ${total} numbers for a tensor of rank ${x.length}` : undefined;
});

/** Scale (slot) of a Q/DQ op: one number, or one for each element of an axis. */
const scaled: OperandRule = (c) => {
  const [x, scale, zero] = [c.shape(0), c.shape(1), c.shape(2)];
  const axis = c.node.int("axis", 1);
  const isList = scale?.length === 1 && scale[0] !== 1;
  const problem = x && isList && axisProblem("axis", axis, x.length);
  const isBlocked = c.node.int("block_size", 0) > 0;
  const tooDeep = [scale, zero].find((shape) => shape && !isBlocked && shape.length > 1);
  const size = x && isList && !problem ? x[fromFront(axis, x.length)] : undefined;
  return first([
    tooDeep && `a scale or zero point has rank ${tooDeep.length} and must be one number or a list`,
    problem, differ(size, scale?.[0]) && `it has ${String(scale![0])} scales for an axis of ${String(size)}`,
    scale && zero && scale.length === 1 && zero.length === 1 && differ(scale[0], zero[0]) && `it has ${String(scale[0])} scales and ${String(zero[0])} zero points`,
  ]);
};

const groups: OperandRule = firstOf(rank(0, 2, Infinity), intRange("num_groups", 1), (c) => {
  const channels = c.shape(0)?.[1];
  const count = c.node.int("num_groups", 1);
  return typeof channels === "number" && channels % count !== 0 ? `its ${channels} channels do not divide into ${count} groups` : undefined;
});

const recurrent: OperandRule = firstOf(rank(0, 3), rank(1, 3), rank(2, 3), intRange("hidden_size", 1), oneOf("direction", ["forward", "reverse", "bidirectional"]), intRange("layout", 0, 1));
const scatterModes = oneOf("reduction", ["none", "add", "mul", "max", "min"]);
const reduce: OperandRule = axesOf(1);
const randomShape: OperandRule = firstOf(elementType("dtype"), (c) => {
  const bad = c.node.ints("shape")?.find((size) => size < 0);
  return bad === undefined ? undefined : `its shape holds ${bad}`;
});

const rows = (opTypes: readonly string[], rule: OperandRule): Record<string, OperandRule> => Object.fromEntries(opTypes.map((opType) => [opType, rule]));

export const valueOpRules: Readonly<Record<string, OperandRule>> = {
  ...rows(["Add", "Sub", "Mul", "Div", "Pow", "Mod", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Sum", "Max", "Min", "Mean", "Equal", "Greater", "GreaterOrEqual",
    "Less", "LessOrEqual", "Where", "PRelu"], broadcasts()),
  ...rows(["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"], reduce),
  ...rows(["Softmax", "LogSoftmax", "Hardmax", "LpNormalization", "GatherElements", "ArgMax", "ArgMin"], axisOf(-1)),
  ...rows(["LSTM", "GRU", "RNN"], recurrent),
  ...rows(["RandomNormal", "RandomUniform"], randomShape),
  ...rows(["RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial", "SequenceEmpty"], elementType("dtype")),
  BitShift: firstOf(oneOf("direction", ["LEFT", "RIGHT"]), broadcasts()),
  Clip: scalars([1, 2]), Dropout: scalars([1, 2]), Range: range,
  MatMul: matmul(0, 1), MatMulInteger: matmul(0, 1), QLinearMatMul: matmul(0, 3), Gemm: gemm, Einsum: einsum,
  Cast: elementType("to"), EyeLike: firstOf(rank(0, 2), elementType("dtype")), Constant: constant,
  BatchNormalization: firstOf(rank(0, 1, Infinity), perChannel([1, 2, 3, 4])),
  InstanceNormalization: firstOf(rank(0, 3, Infinity), perChannel([1, 2])), GroupNormalization: groups,
  LayerNormalization: axisOf(-1), LRN: firstOf(rank(0, 3, Infinity), intRange("size", 1)), Trilu: rank(0, 2, Infinity),
  Resize: resize, Upsample: upsample, TopK: topK, Gather: gather, GatherND: gatherND,
  ScatterElements: firstOf(axisOf(0), scatterModes), ScatterND: scatterModes, Compress: axisOf(-1), Unique: axisOf(-1), OneHot: axisOf(-1, { beyond: 1 }),
  QuantizeLinear: scaled, DequantizeLinear: scaled,
  GridSample: firstOf(rank(0, 3, Infinity), oneOf("mode", ["bilinear", "nearest", "bicubic", "linear", "cubic"]), oneOf("padding_mode", ["zeros", "border", "reflection"])),
  RoiAlign: firstOf(rank(0, 4), rank(1, 2), oneOf("mode", ["avg", "max"]), intRange("output_height", 1), intRange("output_width", 1), intRange("sampling_ratio", 0)),
  MaxRoiPool: firstOf(rank(0, 4), rank(1, 2)), NonMaxSuppression: firstOf(rank(0, 3), rank(1, 3), intRange("center_point_box", 0, 1)),
};
