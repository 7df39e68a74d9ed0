import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { inferNode, inferShapes, partialValue } from "../graph/shapes.ts";
import { elementCount, Tensor } from "../graph/tensor.ts";
import { levelsOf, moveAxis, positionsOf, regridPlane, regridPositions, type PictureSize } from "./anchors.ts";
import { noImageInput, sizeDoesNotFit, sizeIsFixed } from "./errors.ts";
import { graphPass, type Change, type PassResult } from "./rule.ts";
import { largest } from "../input/largest.ts";

/**
 * Gives a detector another input size (pixels). Reshape constants are recomputed and so are anchor grids and stride vectors, recognised by
 * their values; weights stay as they are. Works before or after freeBatch. Throws UserError SIZE_IS_FIXED naming the node that holds the old
 * size in a way that is not understood, SIZE_DOES_NOT_FIT where the feature maps of the new size do not meet.
 */
export const resizeInput = (input: Graph, size: PictureSize): PassResult =>
  graphPass("resize-input", (graph) => ({ applied: new Resizer(graph, size).run() }))(input);

type Numbers = readonly number[];

class Resizer {
  readonly #graph: Graph;
  readonly #to: PictureSize;
  readonly #from: PictureSize;
  readonly #image: Value;
  readonly #applied: Change[] = [];
  /** Shapes at the old size, batch 1. */
  readonly #old = new Map<Value, Numbers>();

  constructor(graph: Graph, size: PictureSize) {
    this.#graph = graph;
    this.#to = size;
    const image = graph.inputs.find(({ shape }) => shape?.length === 4 && typeof shape[2] === "number" && typeof shape[3] === "number");
    if (!image) throw noImageInput(graph.inputs.map(({ name, shape }) => `"${name}" [${shape?.join(",") ?? "?"}]`).join(", "));
    this.#image = image;
    this.#from = { height: image.shape![2] as number, width: image.shape![3] as number };
  }

  run(): readonly Change[] {
    const leading = new Map(this.#graph.inputs.map((input) => [input, input.shape]));
    for (const input of this.#graph.inputs) if (typeof input.shape?.[0] === "string") input.shape = [1, ...input.shape.slice(1)];
    inferShapes(this.#graph, { overwrite: true });
    for (const value of this.#graph.values) if (value.staticShape) this.#old.set(value, value.staticShape);
    this.#image.shape = [this.#image.shape![0]!, this.#image.shape![1]!, this.#to.height, this.#to.width];
    for (const node of this.#graph.sorted()) this.#visit(node);
    for (const [input, shape] of leading) if (input.shape && shape) input.shape = [shape[0]!, ...input.shape.slice(1)];
    inferShapes(this.#graph, { overwrite: true });
    if (this.#graph.metadata.has("imgsz")) this.#graph.metadata.set("imgsz", `[${this.#to.height}, ${this.#to.width}]`);
    return this.#applied;
  }

  #visit(node: Node): void {
    if (node.inputs.some((value) => value && this.#changedAxes(value).length > 0)) {
      if (node.opType === "Reshape") this.#mendReshape(node);
      else if (node.opType === "Resize" && node.optionalIn(3)) this.#mendSizes(node);
      else if (node.opType === "Expand") this.#mendExpand(node);
      else if (node.opType === "Split") this.#mendSplit(node);
      else if (node.opType === "Slice") this.#checkSlice(node);
      else if (elementwise.has(node.opType) || node.opType === "Concat") this.#mendConstants(node);
      this.#checkOperands(node);
    }
    inferNode(node, this.#graph.opset);
    this.#checkOutputs(node);
  }

  #changedAxes(value: Value): number[] {
    const old = this.#old.get(value);
    return old && value.shape ? [...old.keys()].filter((axis) => old[axis] !== value.shape![axis]) : [];
  }

  #mendReshape(node: Node): void {
    const target = partialValue(node.in(1))?.elements;
    const [before, data, out] = [this.#old.get(node.in(0)), node.in(0).staticShape, this.#old.get(node.out())];
    if (!target?.every((dim) => typeof dim === "number") || !node.in(1).constant || !before || !data || !out) return;
    const wanted = this.#reshapedTo(before, data, out);
    if (!wanted) throw sizeIsFixed(node, `reshapes [${before.join(",")}] to [${out.join(",")}] in a way that another size does not tell`);
    const numbers = (target).map((dim, axis) => (dim <= 0 ? dim : wanted[axis]!));
    if (numbers.join() !== target.join()) this.#setInput(node, 1, numbers, `[${target.join(",")}] -> [${numbers.join(",")}]`);
  }

  /** Shape that `data` takes where `before` took `out`: the axes are aligned group by group, and only groups that changed are recomputed. */
  #reshapedTo(before: Numbers, data: Numbers, out: Numbers): Numbers | undefined {
    const wanted: number[] = [];
    for (const { from, to } of alignAxes(before, out)) {
      const [oldDims, newDims, outDims] = [from.map((axis) => before[axis]!), from.map((axis) => data[axis]!), to.map((axis) => out[axis]!)];
      if (oldDims.join() === newDims.join()) wanted.push(...outDims);
      else if (outDims.length === 1) wanted.push(elementCount(newDims));
      else {
        const dims = this.#rescale(outDims);
        if (elementCount(dims) !== elementCount(newDims)) return undefined;
        wanted.push(...dims);
      }
    }
    return wanted;
  }

  /** Rows and columns of a feature map (height/s, width/s side by side) at the new size; every other size stays. */
  #rescale(dims: Numbers): number[] {
    const result = [...dims];
    for (let axis = 0; axis + 1 < dims.length; axis++) {
      const stride = this.#from.height / dims[axis]!;
      if (Number.isInteger(stride) && this.#from.width / dims[axis + 1]! === stride && dims[axis]! * dims[axis + 1]! > 1) {
        result[axis] = Math.ceil(this.#to.height / stride);
        result[axis + 1] = Math.ceil(this.#to.width / stride);
        return result;
      }
    }
    return result;
  }

  /** Resize to fixed sizes: the same factor of the new size. */
  #mendSizes(node: Node): void {
    const sizes = node.in(3).constant?.toNumbers();
    const before = this.#old.get(node.in(0));
    const data = node.in(0).staticShape;
    if (!sizes || !before || !data) return;
    const numbers = sizes.map((size, axis) => (before[axis] === data[axis] ? size : (size * data[axis]!) / before[axis]!));
    if (!numbers.every(Number.isInteger)) throw sizeDoesNotFit(this.#to.width, this.#to.height, node, `would resize to [${numbers.join(",")}]`);
    this.#setInput(node, 3, numbers, `sizes -> [${numbers.join(",")}]`);
  }

  /** A size of the data that Expand repeats becomes 1: "as the data". */
  #mendExpand(node: Node): void {
    const target = node.in(1).constant?.toNumbers();
    const changed = this.#changedAxes(node.in(0));
    const rank = this.#old.get(node.in(0))?.length;
    if (!target || rank === undefined) return;
    const numbers = target.map((dim, index) => (changed.includes(index - target.length + rank) ? 1 : dim));
    this.#setInput(node, 1, numbers, `[${target.join(",")}] -> [${numbers.join(",")}]`);
  }

  #mendSplit(node: Node): void {
    const rank = node.in(0).shape?.length ?? 0;
    const axis = node.int("axis", 0) < 0 ? node.int("axis", 0) + rank : node.int("axis", 0);
    const sizes = node.ints("split") ?? node.optionalIn(1)?.constant?.toNumbers();
    if (!sizes || !this.#changedAxes(node.in(0)).includes(axis)) return;
    const numbers = sizes.map((size) => this.#rescaleCount(size));
    if (numbers.includes(undefined)) throw sizeIsFixed(node, `splits an axis that follows the picture size into [${sizes.join(",")}]`);
    if (node.attributes.has("split")) node.attributes.set("split", { type: "ints", value: numbers as number[] });
    else this.#setInput(node, 1, numbers as number[], `[${sizes.join(",")}] -> [${numbers.join(",")}]`);
  }

  /** A number of positions (levels of a head) at the new size; undefined if more than one reading fits. */
  #rescaleCount(count: number): number | undefined {
    const found = new Set(levelsOf(count, this.#from).map((levels) => positionsOf(levels, this.#to)));
    return found.size === 1 ? [...found][0] : undefined;
  }

  /** Bounds on an axis that follows the picture size must be near the ends of the axis, not somewhere on it. */
  #checkSlice(node: Node): void {
    const rank = node.in(0).shape?.length ?? 0;
    const bounds = (name: string, slot: number): Numbers | undefined => node.ints(name) ?? node.optionalIn(slot)?.constant?.toNumbers();
    const [starts, ends] = [bounds("starts", 1), bounds("ends", 2)];
    const axes = bounds("axes", 3) ?? starts?.map((_, axis) => axis);
    const changed = this.#changedAxes(node.in(0));
    if (!starts || !ends || !axes) return;
    for (const [index, axis] of axes.entries()) {
      const at = axis < 0 ? axis + rank : axis;
      if (!changed.includes(at)) continue;
      const near = Math.abs(starts[index]!) < 4 && (ends[index]! >= 0x7fffffff || (ends[index]! < 0 && ends[index]! > -4));
      if (!near) throw sizeIsFixed(node, `slices ${starts[index]}:${ends[index]} out of an axis that follows the picture size`);
    }
  }

  /** Constants that spread over an axis which follows the picture size: anchor grids, strides. */
  #mendConstants(node: Node): void {
    const outRank = largest(node.inputs.map((value) => value?.shape?.length ?? 0));
    const changed = new Set(node.inputs.flatMap((value) => (value ? this.#changedAxes(value).map((axis) => axis - value.shape!.length + outRank) : [])));
    if (node.opType === "Concat") changed.delete((node.int("axis", 1) + outRank) % outRank);
    for (const [slot, value] of node.inputs.entries()) {
      const tensor = value?.constant;
      if (!value || !tensor) continue;
      const axes = [...changed].map((axis) => axis - outRank + tensor.shape.length).filter((axis) => axis >= 0 && tensor.shape[axis] !== 1).sort((a, b) => a - b);
      if (axes.length === 0) continue;
      const regridded = this.#regrid(tensor, axes);
      if (!regridded) throw sizeIsFixed(node, `reads the constant "${value.name}" [${tensor.shape.join(",")}], which is no known anchor grid or stride vector`);
      node.replaceInput(slot, this.#graph.addInitializer(this.#graph.freshName(`${value.name}/resized`), regridded));
      this.#note(node, `"${value.name}" [${tensor.shape.join(",")}] -> [${regridded.shape.join(",")}]`);
    }
  }

  #regrid(tensor: Tensor, axes: Numbers): Tensor | undefined {
    const [axis, next] = axes;
    const last = tensor.shape.length - 1;
    if (axes.length === 2 && next === axis! + 1) {
      const moved = moveAxis(moveAxis(tensor, axis!, last), axis!, last);
      const plane = regridPlane(moved, this.#from, this.#to);
      return plane && moveAxis(moveAxis(plane, last, axis!), last, axis!);
    }
    if (axes.length !== 1) return undefined;
    const moved = moveAxis(tensor, axis!, last);
    for (const levels of levelsOf(tensor.shape[axis!]!, this.#from)) {
      const grid = regridPositions(moved, levels, this.#from, this.#to);
      if (grid) return moveAxis(grid, last, axis!);
    }
    return undefined;
  }

  /** Sizes that must meet, do. */
  #checkOperands(node: Node): void {
    const { width, height } = this.#to;
    if (node.opType === "Concat") {
      const shapes = node.inputs.map((value) => value!.staticShape);
      const axis = (node.int("axis", 1) + (shapes[0]?.length ?? 1)) % (shapes[0]?.length ?? 1);
      const differ = shapes.some((shape) => shape?.some((dim, at) => at !== axis && dim !== shapes[0]?.[at]));
      if (differ) throw sizeDoesNotFit(width, height, node, `would join ${shapes.map((shape) => `[${shape?.join(",")}]`).join(" and ")}`);
    }
    if (node.opType === "MatMul" || node.opType === "Gemm") {
      const [a, b] = [node.in(0).staticShape, node.in(1).staticShape];
      const inner = node.int("transA", 0) ? a?.at(-2) : a?.at(-1);
      const outer = b?.length === 1 || node.int("transB", 0) ? b?.at(-1) : b?.at(-2);
      if (inner !== outer) throw sizeIsFixed(node, `multiplies [${a?.join(",")}] by [${b?.join(",")}]: its weights belong to the old size`);
    }
  }

  /** Every output is known, and keeps the sizes that do not follow the picture. */
  #checkOutputs(node: Node): void {
    const { width, height } = this.#to;
    for (const output of node.outputs) {
      const before = this.#old.get(output);
      const now = output.staticShape;
      if (!before && !node.inputs.some((value) => value && this.#changedAxes(value).length > 0)) continue;
      if (!before || !now || now.length !== before.length) throw sizeIsFixed(node, "has an output of unknown shape at the new size");
      if (now.includes(0) || now.some((dim) => !Number.isInteger(dim))) throw sizeDoesNotFit(width, height, node, `would give [${now.join(",")}]`);
      if (node.opType === "Reshape" && elementCount(now) !== elementCount(node.in(0).staticShape ?? [])) throw sizeIsFixed(node, `cannot reshape [${node.in(0).shape?.join(",")}] to [${now.join(",")}]`);
    }
  }

  #setInput(node: Node, slot: number, numbers: Numbers, detail: string): void {
    node.replaceInput(slot, this.#graph.addInitializer(this.#graph.freshName(`${node.name}/shape`), Tensor.int64([numbers.length], numbers)));
    this.#note(node, detail);
  }

  #note(node: Node, detail: string): void {
    this.#applied.push({ rule: "resize-input", node: node.name, detail: `${node.opType}: ${detail}` });
  }
}

const elementwise: ReadonlySet<string> = new Set(["Add", "Sub", "Mul", "Div", "Pow", "Where", "Max", "Min", "Sum", "Mean", "And", "Or", "Equal", "Greater", "Less"]);

/** Smallest groups of neighbouring axes of two shapes with equal products, in order (row-major reshape). */
export const alignAxes = (before: Numbers, after: Numbers): { from: number[]; to: number[] }[] => {
  const groups: { from: number[]; to: number[] }[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const group = { from: [] as number[], to: [] as number[] };
    let [left, right] = [1, 1];
    do {
      const takeLeft = i < before.length && (group.from.length === 0 || left < right || j >= after.length);
      if (takeLeft) { left *= before[i]!; group.from.push(i++); }
      if (j < after.length && (group.to.length === 0 || right < left)) { right *= after[j]!; group.to.push(j++); }
    } while (left !== right && (i < before.length || j < after.length));
    groups.push(group);
  }
  return groups;
};
