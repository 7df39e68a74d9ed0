import { checkRunMemory } from "../graph/budget.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import { inferShapes } from "../graph/shapes.ts";
import { foldConstantsOfOwn } from "../rewrite/constants.ts";
import { inlineDecidedIfs } from "../rewrite/inline-if.ts";
import { runOnOwn, sequence } from "../rewrite/rule.ts";
import { removeSequences } from "../rewrite/sequences.ts";
import { runOnce } from "../runtime/session.ts";
import { inferShapesWithRuntime } from "../runtime/shapes.ts";
import { parsePreprocess } from "../vision/preprocess.ts";

/** Width and height in pixels. */
export type Size = readonly [width: number, height: number];

/** Where a model says at which size it is meant to run: our contract, then Ultralytics' imgsz (height first). Undefined where it says nothing. */
export const declaredSize = (metadata: ReadonlyMap<string, string>, label: string): Size | undefined => {
  const contract = metadata.get("edgestill.preprocess");
  if (contract !== undefined) return parsePreprocess(contract, `preprocess contract of ${label}`).size;
  const [height, width = height] = (metadata.get("imgsz")?.match(/\d+/g) ?? []).map(Number);
  return height && width ? [width, height] : undefined;
};

/** The picture that a model takes: its first input of four dimensions, and where its rows and columns are. */
const pictureInput = (graph: Graph): { readonly input: Value; readonly rows: number } | undefined => {
  const input = graph.inputs.find(({ shape, tensor }) => !tensor && shape?.length === 4);
  const isChannels = (dim: unknown): boolean => dim === 1 || dim === 3;
  return input && { input, rows: isChannels(input.shape![3]) && !isChannels(input.shape![1]) ? 1 : 2 };
};

/** The fixed size of the picture input; undefined where it is dynamic, or where there is no such input. */
export const fixedSize = (graph: Graph): Size | undefined => {
  const picture = pictureInput(graph);
  const [height, width] = picture?.input.shape?.slice(picture.rows) ?? [];
  return typeof height === "number" && typeof width === "number" ? [width, height] : undefined;
};

export interface SizedGraph {
  readonly graph: Graph;
  /** What was assumed, one line each. */
  readonly notes: readonly string[];
}

/**
 * A copy whose picture input has a fixed size: its own, the one that is given, or the one that its metadata names; the batch axis stays as it is.
 * Shapes are inferred, everything that is constant then is folded. Throws UserError INPUT_SIZE where no size is known, or another is given than the fixed one.
 */
export const sizedGraph = async (input: Graph, options: { readonly size?: Size; readonly label: string }): Promise<SizedGraph> => {
  const graph = input.clone();
  const notes: string[] = [];
  const picture = pictureInput(graph);
  if (picture) fixSize(graph, picture.input, picture.rows, options, notes);
  return { graph: await withStaticShapes(graph), notes };
};

const fixSize = (graph: Graph, input: Value, rows: number, { size, label }: { readonly size?: Size; readonly label: string }, notes: string[]): void => {
  const shape = input.shape!;
  const fixed = shape.slice(rows, rows + 2);
  const agrees = ([width, height]: Size): boolean => [height, width].every((dim, axis) => typeof fixed[axis] !== "number" || fixed[axis] === dim);
  if (size && !agrees(size)) throw sizeIsOther(label, input, size);
  if (fixed.every((dim) => typeof dim === "number")) return;
  const declared = declaredSize(graph.metadata, label);
  const chosen = size ?? (declared && agrees(declared) ? declared : undefined);
  if (!chosen) throw sizeUnknown(label, input);
  if (!size) notes.push(`the input of ${label} is dynamic: it is taken at ${chosen.join("x")}, as its metadata says (--size WxH for another)`);
  input.shape = [...shape.slice(0, rows), chosen[1], chosen[0], ...shape.slice(rows + 2)];
};

/** Shapes as far as the table of ops, constant folding and ONNX Runtime tell them. Edits `graph`. */
const withStaticShapes = async (graph: Graph): Promise<Graph> => {
  inferShapes(graph);
  checkRunMemory(graph);
  const plain = runOnOwn(sequence("plain", [inlineDecidedIfs, removeSequences]), graph).graph;
  await whereRuntimeCan(async () => { await foldConstantsOfOwn(plain, (part) => runOnce(part, {})); }, undefined);
  await whereRuntimeCan(() => inferShapesWithRuntime(plain), undefined);
  return plain;
};

/** A model that ONNX Runtime cannot load or run (an op of its own, half a model) keeps what the tables know. */
const whereRuntimeCan = async <T>(work: () => Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError) return otherwise;
    throw error;
  }
};

const sizeIsOther = (label: string, { name, shape }: Value, size: Size): UserError =>
  new UserError("INPUT_SIZE", `${label} cannot run at ${size.join("x")}: its input "${name}" is [${shape!.join(", ")}].`,
    "leave --size out, or export the model at that size or with a dynamic input.");

const sizeUnknown = (label: string, { name, shape }: Value): UserError =>
  new UserError("INPUT_SIZE", `The input "${name}" [${shape!.join(", ")}] of ${label} has no fixed width and height, and its metadata names none.`,
    "give --size WxH (input.size in a config), e.g. --size 640x640.");
