import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { takeIndexes } from "../graph/tensor.ts";
import { v8Dense, v8Output, yoloxDense, yoloxOutput, type HeadLevel, type HeadValues } from "../students/tail.ts";

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
export const cutHead = (graph: Graph, family: TrainableFamily): CutHead => {
  const output = graph.outputs[0]!;
  const found = lastConvolutions(output);
  const size = inputSize(graph);
  const areas = [...new Set(found.map(areaOf))].sort((a, b) => b - a);
  const perLevel = family === "yolov8" ? 2 : 3;
  const levels = areas.map((area) => found.filter((value) => areaOf(value) === area));
  if (levels.length !== 3 || levels.some((level) => level.length !== perLevel)) throw headNotFound(graph, family, found);
  return {
    family, size,
    levels: levels.map(([box, second, third]) => (family === "yolov8" ? { box: box!, classes: second! } : { box: box!, object: second!, classes: third! })),
  };
};

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
export const rebuildOutput = (graph: Graph, cut: CutHead, size = cut.size): void => {
  const name = graph.outputs[0]!.name;
  const b = new Builder(graph, "head");
  const output = cut.family === "yolov8" ? v8Output(b, v8Dense(b, cut.levels, size)) : yoloxOutput(b, cut.levels);
  graph.outputs.splice(0, graph.outputs.length, output);
  removeDead(graph);
  output.name = name;
};

/**
 * Makes an exported YOLOv8 or YOLOX detector trainable: batch dimension `N`, another input size if wanted, only the named class rows.
 * Changes `graph` in place; it must be at opset 17 or later with constants as initializers.
 */
export const canonicalDetector = (graph: Graph, family: TrainableFamily, options: { readonly size?: readonly [number, number]; readonly classRows?: readonly number[] } = {}): Graph => {
  const input = graph.inputs[0]!;
  const [, channels = 3, height, width] = input.shape ?? [];
  if (!options.size && (typeof height !== "number" || typeof width !== "number")) throw sizeNeeded(graph);
  const size = options.size ?? [Number(width), Number(height)];
  input.shape = [1, channels, size[1], size[0]];
  inferShapes(graph, { overwrite: true });
  const cut = cutHead(graph, family);
  if (options.classRows) for (const level of cut.levels) selectRows(graph, level.classes, options.classRows);
  input.shape = ["N", channels, size[1], size[0]];
  inferShapes(graph, { overwrite: true });
  rebuildOutput(graph, cut, size);
  return graph;
};

/** Convolutions nearest to `output`, in the order in which the output puts them together; DFL's fixed convolution is walked through. */
const lastConvolutions = (output: Value): Value[] => {
  const found: Value[] = [];
  const seen = new Set<Node>();
  const visit = (value: Value | null): void => {
    const node = value?.producer;
    if (!node || seen.has(node)) return;
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
  const [, , height, width] = graph.inputs[0]?.shape ?? [];
  if (typeof height !== "number" || typeof width !== "number") throw sizeNeeded(graph);
  return [width, height];
};

/** Keeps rows (output channels) `rows` of the convolution that makes `value`. */
const selectRows = (graph: Graph, value: Value, rows: readonly number[]): void => {
  const node = value.producer!;
  for (const slot of [1, 2]) {
    const parameter = node.optionalIn(slot);
    const tensor = parameter?.constant;
    if (!parameter || !tensor) continue;
    node.replaceInput(slot, graph.addInitializer(parameter.name, takeIndexes(tensor, 0, rows)));
  }
};

const headNotFound = (graph: Graph, family: string, found: readonly Value[]) =>
  new UserError("HEAD_NOT_FOUND",
    `The head of "${graph.name}" is not built like a ${family} head: its last convolutions are ${found.slice(0, 12).map((value) => `"${value.name}"`).join(", ") || "none"}.`,
    "train a student built from a spec (student: {arch: yolo, …}) instead; any model can still be the teacher.");

const sizeNeeded = (graph: Graph) =>
  new UserError("INPUT_SIZE", `The input of "${graph.name}" has no fixed width and height.`, "set input.size in the config.");
