import type { Shape } from "../node.ts";
import { broadcastShapes } from "../shapes/dim.ts";
import { fromFront, type ShapeContext } from "../shapes/rule.ts";
import { axesProblem, axisProblem, first, firstOf, intRange, oneOf, rank, shown, type OperandRule } from "./rule.ts";

/** The int attribute `axis` names an axis of input `slot`. */
export const axisOf = (fallback: number, { slot = 0, beyond = 0 } = {}): OperandRule => (c) => {
  const x = c.shape(slot);
  const isGiven = c.node.attributes.has("axis");
  return x && (isGiven || fallback >= 0) ? axisProblem("axis", c.node.int("axis", fallback), x.length, beyond) || undefined : undefined;
};

/** `axes` (attribute or input) name different axes of input 0. */
export const axesOf = (slot: number): OperandRule => (c) => {
  const x = c.shape(0);
  const { numbers } = c.attributeOrInput("axes", slot);
  return x && numbers ? axesProblem("axes", numbers, x.length) : undefined;
};

const isFixed = (shape: Shape | undefined): shape is readonly number[] => shape !== undefined && shape.every((dim) => typeof dim === "number");
const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/** Numpy-style broadcast of all inputs, or of those of `slots`. */
export const broadcasts = (slots?: readonly number[]): OperandRule => (c) => {
  const shapes = (slots ?? [...c.node.inputs.keys()]).flatMap((slot) => (c.shape(slot) ? [c.shape(slot)!] : []));
  if (shapes.length < 2 || c.opset < 7 || broadcastShapes(shapes, (axis) => c.unknown(axis))) return undefined;
  return `its inputs ${shapes.slice(0, 3).map(shown).join(" and ")} do not broadcast together`;
};

const reshape: OperandRule = (c) => {
  const x = c.shape(0);
  const wanted = c.node.ints("shape") ?? c.values(1);
  if (!wanted) return undefined;
  const numbers = wanted.filter((dim) => typeof dim === "number");
  const copyZero = c.node.int("allowzero", 0) === 0;
  const sizes = wanted.map((dim, axis) => (dim === 0 && copyZero ? x?.[axis] : dim));
  const rest = sizes.filter((dim) => dim !== -1);
  const fits = (): boolean => {
    if (!isFixed(x) || !rest.every((dim) => typeof dim === "number")) return true;
    const [have, want] = [product(x), product(rest)];
    return sizes.length === rest.length ? have === want : want !== 0 ? have % want === 0 : have === 0;
  };
  return first([
    numbers.some((dim) => dim < -1) && `its shape ${shown(wanted)} has a negative size`,
    numbers.filter((dim) => dim === -1).length > 1 && `its shape ${shown(wanted)} leaves more than one size open`,
    copyZero && x && wanted.some((dim, axis) => dim === 0 && axis >= x.length) && `its shape ${shown(wanted)} copies a size that ${shown(x)} does not have`,
    !fits() && `${shown(x!)} does not go into the shape ${shown(wanted)}`,
  ]);
};

const transpose: OperandRule = (c) => {
  const [x, perm] = [c.shape(0), c.node.ints("perm")];
  if (!perm) return undefined;
  const isPermutation = perm.length === (x?.length ?? perm.length) && [...perm].sort((a, b) => a - b).every((axis, at) => axis === at);
  return isPermutation ? undefined : `perm ${shown(perm)} is no permutation of ${x ? x.length : perm.length} axes`;
};

const squeeze: OperandRule = firstOf(axesOf(1), (c) => {
  const x = c.shape(0);
  const { numbers } = c.attributeOrInput("axes", 1);
  const bad = x && numbers?.find((axis) => { const dim = x[fromFront(axis, x.length)]; return typeof dim === "number" && dim !== 1; });
  return bad === undefined ? undefined : `axis ${bad} of ${shown(x!)} is not 1 and cannot be squeezed`;
});

const unsqueeze: OperandRule = (c) => {
  const x = c.shape(0);
  const { numbers } = c.attributeOrInput("axes", 1);
  return x && numbers ? axesProblem("axes", numbers, x.length + numbers.length) : undefined;
};

const concat: OperandRule = firstOf(axisOf(1), (c) => {
  const shapes = c.node.inputs.flatMap((_, slot) => (c.shape(slot) ? [c.shape(slot)!] : []));
  const [head] = shapes;
  if (!head) return undefined;
  const at = fromFront(c.node.int("axis", 1), head.length);
  const other = shapes.find((shape) => shape.length !== head.length
    || shape.some((dim, axis) => axis !== at && typeof dim === "number" && typeof head[axis] === "number" && dim !== head[axis]));
  return other && `${shown(head)} and ${shown(other)} cannot be joined along axis ${c.node.int("axis", 1)}`;
});

const split: OperandRule = firstOf(axisOf(0), intRange("num_outputs", 1), (c) => {
  const x = c.shape(0);
  const sizes = c.attributeOrInput("split", 1).numbers;
  const whole = x?.[fromFront(c.node.int("axis", 0), x.length)];
  const count = c.node.outputs.length;
  const parts = c.node.attributes.has("num_outputs") ? c.node.int("num_outputs", count) : undefined;
  const even = !sizes && !c.has(1) && parts === undefined && typeof whole === "number" && whole % count !== 0;
  const sum = sizes?.reduce((total, size) => total + size, 0);
  return first([
    parts !== undefined && parts !== count && `num_outputs is ${parts} and it has ${count} outputs`,
    sizes && sizes.length !== count && `split has ${sizes.length} sizes and it has ${count} outputs`,
    sizes && sizes.some((size) => size < 0) && `split ${shown(sizes)} has a negative size`,
    typeof whole === "number" && sum !== undefined && sum !== whole && `split ${shown(sizes!)} adds up to ${sum} and the axis has ${whole}`,
    even && `an axis of ${String(whole)} does not divide into ${count} equal parts`,
  ]);
});

const slice: OperandRule = (c) => {
  const x = c.shape(0);
  const [starts, ends] = [c.node.ints("starts") ?? c.values(1), c.node.ints("ends") ?? c.values(2)];
  const axes = c.attributeOrInput("axes", 3).numbers;
  const steps = c.has(4) ? c.numbers(4) : undefined;
  const lengths = new Set([starts, ends, axes, steps].flatMap((list) => (list ? [list.length] : [])));
  return first([
    lengths.size > 1 && `starts, ends, axes and steps have ${[...lengths].join(" and ")} numbers`,
    x && axes && axesProblem("axes", axes, x.length),
    x && !axes && starts && starts.length > x.length && `it has ${starts.length} starts for a tensor of rank ${x.length}`,
    steps?.includes(0) && "a step is 0",
  ]);
};

const pad: OperandRule = firstOf(oneOf("mode", ["constant", "reflect", "edge", "wrap"]), (c) => {
  const x = c.shape(0);
  const pads = c.node.ints("pads") ?? c.values(1);
  const axes = c.has(3) ? c.numbers(3) : x && [...x.keys()];
  return first([
    x && c.has(3) && axes && axesProblem("axes", axes, x.length),
    pads && axes && pads.length !== 2 * axes.length && `pads has ${pads.length} numbers where ${axes.length} axes need ${2 * axes.length}`,
  ]);
});

const expand: OperandRule = (c) => {
  const [x, wanted] = [c.shape(0), c.values(1)];
  if (!wanted) return undefined;
  return first([
    wanted.some((dim) => typeof dim === "number" && dim < 0) && `its shape ${shown(wanted)} has a negative size`,
    x && !broadcastShapes([x, wanted], (axis) => c.unknown(axis)) && `${shown(x)} does not broadcast to ${shown(wanted)}`,
  ]);
};

const tile: OperandRule = (c) => {
  const [x, repeats] = [c.shape(0), c.opset >= 6 ? c.values(1) : undefined];
  if (!repeats) return undefined;
  return first([
    x && repeats.length !== x.length && `it has ${repeats.length} repeats for a tensor of rank ${x.length}`,
    repeats.some((times) => typeof times === "number" && times < 0) && `its repeats ${shown(repeats)} are negative`,
  ]);
};

/** Sizes in input 0, none negative. */
const constantOfShape: OperandRule = firstOf(rank(0, 1), (c) => {
  const sizes = c.values(0);
  const fill = c.node.attributes.get("value");
  return first([
    sizes?.some((size) => typeof size === "number" && size < 0) && `its shape ${shown(sizes)} has a negative size`,
    fill?.type === "tensor" && fill.value.size !== 1 && `its value has ${fill.value.size} elements and must have 1`,
  ]);
});

const blocks = (isDepth: boolean): OperandRule => firstOf(rank(0, 4), intRange("blocksize", 1, 2 ** 15), oneOf("mode", ["DCR", "CRD"]), (c) => {
  const x = c.shape(0);
  const block = c.node.int("blocksize", 1);
  const axis = (at: number, by: number): string | false => {
    const dim = x?.[at];
    return typeof dim === "number" && dim % by !== 0 && `axis ${at} of ${shown(x!)} does not divide by ${by} (blocksize ${block})`;
  };
  return first(isDepth ? [axis(1, block * block)] : [axis(2, block), axis(3, block)]);
});

const flatten: OperandRule = (c) => {
  const x = c.shape(0);
  return x && (axisProblem("axis", c.node.int("axis", 1), x.length, 1) || undefined);
};

const oneDimensional = (c: ShapeContext, slot: number): string | undefined => {
  const shape: Shape | undefined = c.shape(slot);
  return shape && shape.length !== 1 ? `input ${slot} has the shape ${shown(shape)} and must be a list` : undefined;
};
const list = (slot: number): OperandRule => (c) => oneDimensional(c, slot);

const range: OperandRule = (c) => (c.numbers(2)?.[0] === 0 ? "its delta is 0" : undefined);

export const layoutRules: Readonly<Record<string, OperandRule>> = {
  Reshape: firstOf(list(1), reshape), Transpose: transpose, Squeeze: squeeze, Unsqueeze: unsqueeze, Flatten: flatten, Concat: concat, Split: split,
  Slice: firstOf(list(1), list(2), list(3), list(4), slice), Pad: pad, Expand: firstOf(list(1), expand), Tile: tile, ConstantOfShape: constantOfShape,
  DepthToSpace: blocks(true), SpaceToDepth: blocks(false), Range: range,
};
