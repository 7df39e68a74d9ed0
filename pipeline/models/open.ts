import { readFile } from "node:fs/promises";
import { describeDetector, metadataKeys, type DetectorModel } from "../../detection/detector.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { loadModel } from "../../onnx/load.ts";
import { parsePreprocess, preprocessPreset, preprocessPresets, type HeadFamily, type Preprocess, type PreprocessPreset } from "../../vision/index.ts";

/** How to read a detector file, where it does not say it itself. */
export interface OpenOptions {
  /** A preset (yolov5, yolov8, yolox) or a JSON file with the contract. */
  readonly preprocess?: string;
  readonly family?: HeadFamily | "auto";
  /** The model's own classes. */
  readonly classes?: readonly string[];
  /** Input size [width, height] of a model whose input is dynamic. */
  readonly size?: readonly [number, number];
}

/** Throws the UserErrors of `loadModel` and `describeDetector`, PREPROCESS_UNKNOWN and BAD_PREPROCESS. */
export const openDetectorFile = async (path: string, options: OpenOptions = {}): Promise<DetectorModel> => {
  const { graph, notes } = await loadModel(path);
  const { preprocess, ...rest } = options;
  const described = await describeDetector(graph, path, rest);
  const contract = preprocess === undefined ? described.contract : await contractFrom(preprocess, described.contract.size);
  const spoken = preprocess === undefined ? described.notes : described.notes.filter((note) => !note.includes("preprocess contract"));
  return { ...described, contract, notes: [...notes, ...spoken] };
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
    const { graph, notes } = await loadModel(path);
    const saved = graph.metadata.get(metadataKeys.preprocess);
    const [, , height, width] = graph.inputs[0]?.shape ?? [];
    const size = options.size ?? (typeof width === "number" && typeof height === "number" ? ([width, height] as const) : undefined);
    if (!size || (options.preprocess === undefined && saved === undefined)) throw needsContract(path, error);
    const contract = options.preprocess === undefined ? { ...parsePreprocess(saved!, path), size } : await contractFrom(options.preprocess, size);
    return { graph, contract, detector: undefined, notes: [...notes, `its head was not recognised (${error.code}): int8 is held against the float model's raw outputs, not its boxes`] };
  }
};

const needsContract = (path: string, cause: UserError): UserError =>
  new UserError(cause.code, cause.message, `${cause.nextStep.replace(/\.$/, "")}; or, to quantize ${path} without reading its boxes, say with --preprocess how it takes pictures.`, { cause });

const contractFrom = async (given: string, size: readonly [number, number]): Promise<Preprocess> => {
  if (Object.hasOwn(preprocessPresets, given)) return preprocessPreset(given as PreprocessPreset, size);
  const text = await readFile(given, "utf8").catch((cause: unknown) => { throw unknownPreprocess(given, cause); });
  return { ...parsePreprocess(withSize(text, size), given), size };
};

/** The file need not name a size: the model's counts. */
const withSize = (text: string, size: readonly [number, number]): string => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? JSON.stringify({ size, ...value }) : text;
  } catch {
    return text; // parsePreprocess says what is wrong
  }
};

const unknownPreprocess = (given: string, cause: unknown): UserError =>
  new UserError("PREPROCESS_UNKNOWN", `"${given}" is neither a preprocess preset nor a readable file.`, `use ${Object.keys(preprocessPresets).join(", ")}, or a JSON file with resize, align, pad, order, scale, mean and std.`, { cause });
