import { declaredSize } from "./input-size.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { loadModel } from "../onnx/load.ts";
import { openSession, type SessionOptions } from "../runtime/session.ts";
import { cocoClasses } from "../vision/datasets/coco-names.ts";
import type { OutputTensor } from "../vision/decode.ts";
import { classNames, describeHead, type Head, type HeadSettings } from "../vision/heads.ts";
import { classList } from "../vision/heads/coco.ts";
import { letterbox8, parsePreprocess, preprocessPreset, toTensor } from "../vision/preprocess.ts";
import type { Image8, Preprocess } from "../vision/types.ts";
import { checkedNames } from "./class-names.ts";
import { checkInputType, detectorInputs, feedsOf, outputTensors, type DetectorInputs } from "./feeds.ts";
import { findHead, presetOf } from "./find-head.ts";
import { metadataKeys } from "./metadata.ts";

export { metadataKeys, writeContract } from "./metadata.ts";

/** A detector as a file: its graph, its head, what its classes are called and how pictures are given to it. */
export interface DetectorModel {
  readonly graph: Graph;
  readonly head: Head;
  readonly classes: readonly string[];
  readonly contract: Preprocess;
  /** What was assumed because the file does not say it; one line each. */
  readonly notes: readonly string[];
}

export interface DetectorOptions extends HeadSettings {
  /** The model's own class list, where its metadata has none; `coco` or `coco91` alone is that list. */
  readonly classes?: readonly string[] | undefined;
  /** Overrides the contract in the metadata and the layout's preset. */
  readonly preprocess?: Preprocess | undefined;
  /** Input size [width, height] for a model whose input is dynamic. */
  readonly size?: readonly [number, number] | undefined;
  /** Check how the head is read on one run of the model. Default true; false for graphs made from a checked one. */
  readonly probe?: boolean | undefined;
  /** The head is known: the graph was made from one that was checked, and has the same outputs. */
  readonly head?: Head | undefined;
}

/** Reads a detector file. Throws the UserErrors of `loadModel` and `describeDetector`. */
export const loadDetector = async (path: string, options: DetectorOptions = {}): Promise<DetectorModel> => {
  const { graph, notes } = await loadModel(path);
  const described = await describeDetector(graph, path, options);
  return { ...described, notes: [...notes, ...described.notes] };
};

/**
 * As `loadDetector`, for a graph in memory; `label` names it in errors. A file that does not say itself how it is
 * read is run once.
 * Throws BAD_CLASS_NAMES, NOT_A_DETECTOR and INPUT_TYPE where the input is no picture, INPUT_SIZE, and the HEAD_ errors of `decideHead`.
 */
export const describeDetector = async (
  graph: Graph,
  label: string,
  options: DetectorOptions = {},
): Promise<DetectorModel> => {
  const notes: string[] = [];
  const session = await openSession(graph, { optimization: "disabled" });
  try {
    const inputs = detectorInputs(label, session.inputs);
    const size = sizeOf(graph, label, inputs, options, notes);
    const found = options.classes ? classList(options.classes) : savedNames(graph, label);
    const names = found && checkedNames(found, label, options.classes !== undefined);
    const given = options.preprocess ? { ...options.preprocess, size } : savedContract(graph, label, size);
    const { head, layout, isOwn } = await findHead({ graph, label, session, inputs, size, names, given, options });
    const classes = names ? withoutBackground(names, head) : assumedClasses(head, label, notes);
    if (!isOwn) notes.push(`${label} is read as ${describeHead(head)}`);
    const contract = given ?? usualContract(presetOf(head, layout), inputs, size, label, notes);
    checkInputType(label, inputs, contract);
    return { graph, head, classes, contract, notes };
  } finally {
    await session.close();
  }
};

/** The input's own size; a dynamic input's is given, or stands in an Ultralytics export's metadata. */
const sizeOf = (
  graph: Graph,
  label: string,
  { picture }: DetectorInputs,
  { size: wanted }: DetectorOptions,
  notes: string[],
): readonly [number, number] => {
  const [, , height, width] = picture.shape;
  const isFixed = typeof height === "number" && typeof width === "number";
  if (isFixed && wanted && (wanted[0] !== width || wanted[1] !== height))
    throw fixedSize(label, [width, height], wanted);
  if (isFixed) return [width, height];
  if (wanted) return wanted;
  const declared = declaredSize(graph.metadata, label);
  if (!declared) throw noSize(label);
  notes.push(`the input of ${label} is dynamic: it is run at the size in its metadata, ${declared.join("x")}`);
  return declared;
};

const savedContract = (graph: Graph, label: string, size: readonly [number, number]): Preprocess | undefined => {
  const saved = graph.metadata.get(metadataKeys.preprocess);
  return saved === undefined ? undefined : { ...parsePreprocess(saved, `preprocess contract of ${label}`), size };
};

const usualContract = (
  preset: Parameters<typeof preprocessPreset>[0],
  { picture }: DetectorInputs,
  size: readonly [number, number],
  label: string,
  notes: string[],
): Preprocess => {
  const usual = preprocessPreset(preset, size);
  const contract =
    picture.dtype === "uint8" ? { ...usual, scale: 1, mean: [0, 0, 0] as const, std: [1, 1, 1] as const } : usual;
  notes.push(`${label} carries no preprocess contract: the usual one is used (${contractText(contract)})`);
  return contract;
};

const contractText = ({ order, scale, mean, resize, align, pad }: Preprocess): string =>
  [
    `${order.toUpperCase()}${scale === 1 ? " 0-255" : "/255"}${mean.some((value) => value !== 0) ? " normalized" : ""}`,
    resize === "stretch" ? "stretched" : `${align === "center" ? "centred" : "top-left"} letterbox, pad ${pad}`,
  ].join(", ");

const savedNames = (graph: Graph, label: string): readonly string[] | undefined => {
  const names = classNames(graph.metadata);
  const text = graph.metadata.get("names")?.trim() ?? "";
  if (names === null && text !== "") throw unreadableNames(label, text);
  return names ?? undefined;
};

/** A list that names the background too is longer by it than the classes. */
const withoutBackground = (names: readonly string[], head: Head): readonly string[] => {
  const background = head.kind === "table" && head.scores.by === "class" ? head.scores.background : null;
  return background !== null && names.length === head.classCount + 1
    ? names.filter((_, index) => index !== background)
    : names;
};

const assumedClasses = (head: Head, label: string, notes: string[]): readonly string[] => {
  if (head.classCount === cocoClasses.length) {
    notes.push(`${label} names no classes: 80 outputs are taken for COCO's classes in COCO's order`);
    return cocoClasses;
  }
  if (head.classCount === 90 || head.classCount === 91) throw cocoIds(label, head.classCount);
  if (head.kind === "table" && head.scores.by === "class" && head.scores.background !== null)
    throw unnamed(label, head.classCount);
  notes.push(`${label} names no classes: they are called class0, class1, …`);
  return Array.from({ length: head.classCount }, (_, index) => `class${index}`);
};

const cocoIds = (label: string, count: number): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `${label} has ${count} classes and names none: COCO's category ids run to 90 with gaps, so a class's number does not tell its name.`,
    "give the class list: --names coco91 where the columns are COCO's category ids, else the names themselves (classes in the config).",
  );

const unreadableNames = (label: string, text: string): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `The class names in the metadata of ${label} are no list of names numbered from 0: ${text.slice(0, 80)}`,
    "give the class list (--names, or classes in the config).",
  );

const unnamed = (label: string, count: number): UserError =>
  new UserError(
    "HEAD_CLASS_COUNT",
    `${label} has ${count} classes beside the background and names none: by number alone, with the background or without it, they would be off by one.`,
    "give the class list (--names, or classes in the config).",
  );

const noSize = (label: string): UserError =>
  new UserError(
    "INPUT_SIZE",
    `The input of ${label} has no fixed width and height.`,
    "set input.size in the config (or --size on the command line).",
  );

const fixedSize = (label: string, own: readonly [number, number], wanted: readonly [number, number]): UserError =>
  new UserError(
    "INPUT_SIZE",
    `The input of ${label} is fixed at ${own.join("x")}, ${wanted.join("x")} was asked for.`,
    "leave the size out, or export the model with a dynamic input.",
  );

/**
 * Threads sleep between ops: evaluation shares the cores with decoding and with other processes. Not for
 * benchmarks.
 */
export const quietThreads = { "session.intra_op.allow_spinning": "0" };

/** A detector ready to run on pictures of any size. */
export interface RunningDetector {
  readonly model: DetectorModel;
  /** Raw outputs for a batch of pictures; pictures are resized by the contract. */
  run(pictures: readonly Image8[]): Promise<readonly OutputTensor[]>;
  close(): Promise<void>;
}

export const runDetector = async (
  model: DetectorModel,
  options: SessionOptions = {},
  source: Graph | string = model.graph,
): Promise<RunningDetector> => {
  const session = await openSession(source, { ...options, extra: { ...quietThreads, ...options.extra } });
  const inputs = detectorInputs("the model", session.inputs);
  checkInputType("the model", inputs, model.contract);
  return {
    model,
    run: async (pictures) => outputTensors(await session.run(picturesToFeeds(pictures, inputs, model.contract))),
    close: () => session.close(),
  };
};

/** A model of a fixed batch gets black pictures behind the given ones. */
const picturesToFeeds = (
  pictures: readonly Image8[],
  inputs: DetectorInputs,
  contract: Preprocess,
): ReturnType<typeof feedsOf> => {
  const [width, height] = contract.size;
  const values = new Float32Array(Math.max(pictures.length, inputs.batch ?? 1) * 3 * width * height);
  for (const [i, picture] of pictures.entries())
    toTensor(letterbox8(picture, contract).data, contract, values, i * 3 * width * height);
  return feedsOf(inputs, values, contract);
};
