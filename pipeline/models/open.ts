import { readFile } from "node:fs/promises";
import { describeDetector, type DetectorModel } from "../../detection/detector.ts";
import { sizedGraph, type Size, type SizedGraph } from "../../detection/input-size.ts";
import { UserError } from "../../graph/error.ts";
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
  const { graph, notes } = await loadSized(path, options.size);
  const { preprocess, ...rest } = options;
  const described = await describeDetector(graph, path, rest);
  const contract = preprocess === undefined ? described.contract : await contractFrom(preprocess, described.contract.size);
  const spoken = preprocess === undefined ? described.notes : described.notes.filter((note) => !note.includes("preprocess contract"));
  return { ...described, contract, notes: [...notes, ...spoken] };
};

/** The graph at a fixed picture size, whatever the file leaves open: given, or named by the metadata. */
const loadSized = async (path: string, size: Size | undefined): Promise<SizedGraph> => {
  const loaded = await loadModel(path);
  const sized = await sizedGraph(loaded.graph, { label: path, ...(size && { size }) });
  return { graph: sized.graph, notes: [...loaded.notes, ...sized.notes] };
};

const contractFrom = async (given: string, size: readonly [number, number]): Promise<Preprocess> => {
  if (Object.hasOwn(preprocessPresets, given)) return preprocessPreset(given as PreprocessPreset, size);
  const text = await readFile(given, "utf8").catch((cause: unknown) => { throw unknownPreprocess(given, cause); });
  return { ...parsePreprocess(text, given), size };
};

const unknownPreprocess = (given: string, cause: unknown): UserError =>
  new UserError("PREPROCESS_UNKNOWN", `"${given}" is neither a preprocess preset nor a readable file.`, `use ${Object.keys(preprocessPresets).join(", ")}, or a JSON file with size, resize, align, pad, order, scale, mean and std.`, { cause });
