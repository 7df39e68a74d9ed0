import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { takeIndexes, type Tensor } from "../graph/tensor.ts";
import { freeBatch } from "../rewrite/batch.ts";
import { resizeInput } from "../rewrite/resize.ts";
import { strides, v8Dense, v8Output, yoloxDense, yoloxOutput, type HeadLevel, type HeadValues } from "../students/tail.ts";
import { fixedSize } from "./input-size.ts";

/** The families whose heads we can train: anchor-free, one prediction per cell of strides 8, 16 and 32. */
export type TrainableFamily = "yolov8" | "yolox";

/** A detector cut at the last convolutions of its head. */
export interface CutHead {
  readonly family: TrainableFamily;
  readonly levels: readonly HeadLevel[];
  readonly size: readonly [width: number, height: number];
}

/**
 * Finds the head's last convolutions by walking back from the output, level by level (strides 8, 16, 32).
 * The graph's shapes must be inferred. Throws UserError HEAD_NOT_FOUND where the graph is not built like its family.
 */
export const cutHead = (graph: Graph, family: TrainableFamily, output: Value = graph.outputs[0]!): CutHead => {
  const found = lastConvolutions(output);
  const size = inputSize(graph);
  const areas = [...new Set(found.map(areaOf))].sort((a, b) => b - a);
  const perLevel = family === "yolov8" ? 2 : 3;
  const levels = areas.map((area) => found.filter((value) => areaOf(value) === area));
  if (levels.length === 0 || levels.some((level) => level.length !== perLevel)) throw headNotFound(graph, family, found);
  if (levels.length !== strides.length || areas.some((area, level) => area !== cellsOf(size, strides[level]!))) throw otherStrides(graph, levels, size);
  return {
    family, size,
    levels: levels.map(([box, second, third]) => (family === "yolov8" ? { box: box!, classes: second! } : { box: box!, object: second!, classes: third! })),
  };
};

const cellsOf = ([width, height]: readonly [number, number], stride: number): number => Math.ceil(width / stride) * Math.ceil(height / stride);

/** The detector's values over all anchors, built anew from the cut (the nodes are added to the builder's graph). */
export const headValues = (b: Builder, cut: CutHead, size = cut.size): HeadValues =>
  cut.family === "yolov8" ? v8Dense(b, cut.levels, size) : yoloxDense(b, cut.levels, size);

/** The neck's output of each level, [N, C, H, W]: the last value that the box branch and the class branch share. */
export const neckFeatures = (cut: CutHead): readonly Value[] =>
  cut.levels.map(({ box, classes }) => {
    const shared = new Set(chain(box));
    const feature = chain(classes).find((value) => shared.has(value));
    if (!feature) throw new Error(`bug: box and class branch of "${box.name}" share nothing`);
    return feature;
  });

/** `value`, what it was computed from, and so on, along first inputs. */
const chain = (value: Value): Value[] => {
  const found: Value[] = [];
  for (let current: Value | null | undefined = value; current; current = current.producer?.inputs[0]) found.push(current);
  return found;
};

/** Gives the graph the family's deployed output, built anew from the cut: free of baked batch and picture sizes. */
const rebuildOutput = (graph: Graph, { family, levels, size }: CutHead, name: string): void => {
  const b = new Builder(graph, "head");
  const output = family === "yolov8" ? v8Output(b, v8Dense(b, levels, size)) : yoloxOutput(b, levels);
  graph.outputs.splice(0, graph.outputs.length, output);
  removeDead(graph);
  output.name = name;
};

export interface CanonicalOptions {
  /** Input [width, height]; the model's own where absent. */
  readonly size?: readonly [number, number];
  /** The class rows to keep, in their new order; all where absent. */
  readonly classRows?: readonly number[];
  /** Name of the output that holds the boxes; the first where absent. Other outputs are dropped. */
  readonly output?: string;
  /** How many classes the model has: its class convolutions must have as many channels. */
  readonly classCount?: number;
}

/**
 * An exported YOLOv8 or YOLOX detector in trainable form: batch dimension `N`, another input size if wanted, only the
 * named class rows. `given` stays as it is; it must be at opset 17 or later with constants as initializers. That the
 * result computes the same is to be proven on pictures (detection/proof.ts). Throws UserError HEAD_NOT_FOUND,
 * WEIGHT_TYPE, BATCH_IS_FIXED, SIZE_IS_FIXED, SIZE_DOES_NOT_FIT naming the node in the way.
 */
export const canonicalDetector = (given: Graph, family: TrainableFamily, options: CanonicalOptions = {}): Graph => {
  const graph = given.clone();
  const input = graph.inputs[0]!;
  const own = fixedSize(graph) ?? options.size;
  const size = options.size ?? own;
  if (!own || !size) throw sizeNeeded(graph);
  const [, channels = 3] = input.shape ?? [];
  takeFloats(graph, input);
  input.shape = [1, channels, own[1], own[0]];
  inferShapes(graph, { overwrite: true });
  const output = graph.outputs.find(({ name }) => name === options.output) ?? graph.outputs[0]!;
  const { levels } = cutHead(graph, family, output);
  checkChannels(graph, family, levels, options.classCount);
  if (options.classRows) selectRows(graph, levels.map(({ classes }) => classes), options.classRows);
  const body = freeBatch(atSize(graphUpTo(graph, levels), own, size)).graph;
  rebuildOutput(body, { family, size, levels: levelsOf(body, family) }, output.name);
  return body;
};

/** A model that takes pictures of another type gets them by a Cast: training gives float32. */
const takeFloats = (graph: Graph, input: Value): void => {
  const { dtype } = input;
  if (dtype === undefined || dtype === "float32") return;
  input.dtype = "float32";
  const cast = new Builder(graph, "picture").cast(input, dtype);
  graph.replaceAllUses(input, cast, cast.producer!);
};

/**
 * The graph that ends at the head's last convolutions, which become its outputs: level by level, box, (object,)
 * class.
 */
const graphUpTo = (graph: Graph, levels: readonly HeadLevel[]): Graph => {
  graph.outputs.splice(0, graph.outputs.length, ...levels.flatMap(({ box, object, classes }) => (object ? [box, object, classes] : [box, classes])));
  removeDead(graph);
  graph.inputs.splice(0, graph.inputs.length, graph.inputs[0]!); // further inputs are for the decoding behind
  inferShapes(graph, { overwrite: true });
  return graph;
};

const levelsOf = ({ outputs }: Graph, family: TrainableFamily): HeadLevel[] =>
  strides.map((_, level) => {
    const [box, second, third] = outputs.slice(level * (outputs.length / strides.length)) as [Value, Value, Value];
    return family === "yolov8" ? { box, classes: second } : { box, object: second, classes: third };
  });

const atSize = (graph: Graph, own: readonly [number, number], size: readonly [number, number]): Graph =>
  own[0] === size[0] && own[1] === size[1] ? graph : resizeInput(graph, { width: size[0], height: size[1] }).graph;

const checkChannels = (graph: Graph, family: TrainableFamily, levels: readonly HeadLevel[], classCount: number | undefined): void => {
  const channelsOf = (value: Value | undefined): number => Number(value?.shape?.[1]);
  for (const { box, object, classes } of levels) {
    const other = [box, classes].find(({ dtype }) => dtype !== undefined && dtype !== "float32");
    if (other) throw otherType(graph, other);
    const boxes = channelsOf(box);
    if (family === "yolov8" ? boxes % 4 !== 0 : boxes !== 4) throw wrongChannels(graph, family, box, "box sides (4 of them)");
    if (object && channelsOf(object) !== 1) throw wrongChannels(graph, family, object, "objectness (1 channel)");
    if (classCount !== undefined && channelsOf(classes) !== classCount) throw wrongChannels(graph, family, classes, `${classCount} classes`);
  }
};

/**
 * Convolutions nearest to `output`, in the order in which the output puts them together; DFL's fixed convolution is
 * walked through.
 */
const lastConvolutions = (output: Value): Value[] => {
  const found: Value[] = [];
  const seen = new Set<Node>();
  const visit = (value: Value | null): void => {
    const node = value?.producer;
    if (!node || seen.has(node) || node.opType === "Shape" || node.opType === "Size") return;
    seen.add(node);
    if (node.opType === "Conv" && !isExpectation(node)) found.push(value);
    else node.inputs.forEach(visit);
  };
  visit(output);
  return found;
};

/** DFL as a convolution: one output channel over a softmax. */
const isExpectation = (node: Node): boolean => {
  if (node.in(1).constant?.shape[0] !== 1) return false;
  let value: Value | undefined = node.in(0);
  for (let i = 0; i < 3 && value; i++) {
    if (value.producer?.opType === "Softmax") return true;
    value = value.producer?.inputs[0] ?? undefined;
  }
  return false;
};

const areaOf = (value: Value): number => Number(value.shape?.[2]) * Number(value.shape?.[3]);

export const inputSize = (graph: Graph): readonly [number, number] => {
  const size = fixedSize(graph);
  if (!size) throw sizeNeeded(graph);
  return size;
};

/**
 * Keeps rows (output channels) `rows` of the convolutions that make `values`; what several of them share stays
 * shared.
 */
const selectRows = (graph: Graph, values: readonly Value[], rows: readonly number[]): void => {
  const selected = new Map<Tensor, Value>();
  for (const node of values.map((value) => value.producer!)) {
    if (node.int("group", 1) !== 1) throw rowsNotSeparable(node, `has ${node.int("group", 1)} groups`);
    for (const slot of [1, 2]) {
      const parameter = node.optionalIn(slot);
      if (!parameter) continue;
      const tensor = parameter.constant;
      if (!tensor) throw rowsNotSeparable(node, `computes its ${slot === 1 ? "weights" : "bias"} "${parameter.name}" at run time`);
      const known = selected.get(tensor) ?? graph.addInitializer(parameter.name, takeIndexes(tensor, 0, rows));
      selected.set(tensor, known);
      node.replaceInput(slot, known);
    }
  }
};

const headNotFound = (graph: Graph, family: string, found: readonly Value[]) =>
  new UserError("HEAD_NOT_FOUND",
    `The head of "${graph.name}" is not built like a ${family} head: its last convolutions are ${found.slice(0, 12).map((value) => `"${value.name}"`).join(", ") || "none"}.`,
    anotherStudent);

const otherStrides = (graph: Graph, levels: readonly (readonly Value[])[], [width, height]: readonly [number, number]) =>
  new UserError("HEAD_NOT_FOUND",
    `The head of "${graph.name}" has levels of ${levels.map(([value]) => value!.shape?.slice(2).reverse().join("×")).join(", ")} cells at ${width}×${height} pixels; strides 8, 16 and 32 are trained.`,
    anotherStudent);

const wrongChannels = (graph: Graph, family: string, value: Value, wanted: string) =>
  new UserError("HEAD_NOT_FOUND",
    `The head of "${graph.name}" is not built like a ${family} head: its last convolution "${value.producer?.name || value.name}" has ${String(value.shape?.[1])} channels, not those of ${wanted}.`,
    anotherStudent);

const otherType = (graph: Graph, value: Value) =>
  new UserError("WEIGHT_TYPE", `The head of "${graph.name}" computes in ${value.dtype} (node "${value.producer?.name || value.name}"); training computes in float32.`,
    "export the model with float32 weights (half=False).");

const rowsNotSeparable = (node: Node, reason: string) =>
  new UserError("HEAD_NOT_FOUND", `The class rows of "${node.name || node.out().name}" cannot be taken apart: it ${reason}.`, anotherStudent);

export const anotherStudent = "use it as the teacher and train a student from a spec (student: {arch: yolo, width: 0.25, depth: 0.33}).";

const sizeNeeded = (graph: Graph) =>
  new UserError("INPUT_SIZE", `The input of "${graph.name}" has no fixed width and height.`, "set input.size in the config.");
