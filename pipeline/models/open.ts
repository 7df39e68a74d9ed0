import { describeDetector, metadataKeys, type DetectorModel } from "../../detection/detector.ts";
import { fixedSize, sizedGraph, type Size, type SizedGraph } from "../../detection/input-size.ts";
import { UserError } from "../../graph/error.ts";
import { parseJson } from "../../input/json.ts";
import { inputLimits } from "../../input/limits.ts";
import { readTextFile } from "../../input/read.ts";
import type { Graph } from "../../graph/graph.ts";
import { loadModel } from "../../onnx/load.ts";
import { parsePreprocess, preprocessPreset, preprocessPresets, type HeadSettings, type Preprocess, type PreprocessPreset } from "../../vision/index.ts";

/**
 * How to read a detector file, where it does not say it itself: family, the outputs that are read, the first label, the background column,
 * the form of the boxes.
 */
export interface OpenOptions extends HeadSettings {
  /** A preset (yolov5, yolov8, yolox, stretch, imagenet, nanodet) or a JSON file with the contract. */
  readonly preprocess?: string;
  /** The model's own classes; `coco` or `coco91` alone is that list. */
  readonly classes?: readonly string[];
  /** Input size [width, height] of a model whose input is dynamic. */
  readonly size?: readonly [number, number];
}

/** Throws the UserErrors of `loadModel` and `describeDetector`, PREPROCESS_UNKNOWN and BAD_PREPROCESS. */
export const openDetectorFile = async (path: string, options: OpenOptions = {}): Promise<DetectorModel> => {
  const { graph, notes } = await loadSized(path, options.size);
  const { preprocess, ...rest } = options;
  const described = await describeDetector(graph, path, { ...rest, ...(preprocess !== undefined && { preprocess: await contractFrom(preprocess) }) });
  return { ...described, notes: [...notes, ...described.notes] };
};

/** The graph at a fixed picture size, whatever the file leaves open: given, or named by the metadata. */
const loadSized = async (path: string, size: Size | undefined): Promise<SizedGraph> => {
  const loaded = await loadModel(path);
  const sized = await sizedGraph(loaded.graph, { label: path, ...(size && { size }) });
  return { graph: sized.graph, notes: [...loaded.notes, ...sized.notes] };
};

/** A model that takes one picture: a detector, or any other whose preprocess contract is given. */
export interface PictureModel {
  readonly graph: Graph;
  readonly contract: Preprocess;
  /** Undefined where its head was not recognised. */
  readonly detector: DetectorModel | undefined;
  readonly notes: readonly string[];
}

/**
 * As `openDetectorFile`; with `withoutHead` a model whose head is not recognised is opened too, if its contract is given or in its metadata.
 * Throws the UserErrors of `openDetectorFile`.
 */
export const openPictureModel = async (path: string, options: OpenOptions = {}, withoutHead = false): Promise<PictureModel> => {
  try {
    const detector = await openDetectorFile(path, options);
    return { graph: detector.graph, contract: detector.contract, detector, notes: detector.notes };
  } catch (error) {
    if (!withoutHead || !(error instanceof UserError) || !error.code.startsWith("HEAD_")) throw error;
    const { graph, notes } = await loadSized(path, options.size);
    const saved = graph.metadata.get(metadataKeys.preprocess);
    const size = fixedSize(graph);
    if (!size || (options.preprocess === undefined && saved === undefined)) throw needsContract(path, error);
    const contract = { ...(options.preprocess === undefined ? parsePreprocess(saved!, path) : await contractFrom(options.preprocess)), size };
    return { graph, contract, detector: undefined, notes: [...notes, `its head was not recognised (${error.code}): int8 is held against the float model's raw outputs, not its boxes`] };
  }
};

const needsContract = (path: string, cause: UserError): UserError =>
  new UserError(cause.code, cause.message, `${cause.nextStep.replace(/\.$/, "")}; or, to quantize ${path} without reading its boxes, say with --preprocess how it takes pictures.`, { cause });

/** A contract at any size: the model's own counts. */
const contractFrom = async (given: string): Promise<Preprocess> => {
  if (Object.hasOwn(preprocessPresets, given)) return preprocessPreset(given as PreprocessPreset, [1, 1]);
  const text = await readTextFile(given, inputLimits.configBytes).catch((cause: unknown) => { throw unknownPreprocess(given, cause); });
  return parsePreprocess(withSize(text), given);
};

/** The size may be left out of the file. */
const withSize = (text: string): string => {
  try {
    const value: unknown = parseJson(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? JSON.stringify({ size: [1, 1], ...value }) : text;
  } catch {
    return text; // parsePreprocess says what is wrong with it
  }
};

const unknownPreprocess = (given: string, cause: unknown): UserError =>
  new UserError("PREPROCESS_UNKNOWN", `"${given}" is neither a preprocess preset nor a readable file.`, `use ${Object.keys(preprocessPresets).join(", ")}, or a JSON file with resize, align, pad, order, scale, mean and std.`, { cause });
