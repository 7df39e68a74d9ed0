import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Session } from "../runtime/session.ts";
import type { OutputTensor } from "../vision/decode.ts";
import {
  classNames,
  decideHead,
  layouts,
  likeliestLayout,
  parseHead,
  recogniseHead,
  recogniseLayout,
  type Head,
  type HeadFamily,
  type HeadQuestion,
  type HeadSettings,
} from "../vision/heads.ts";
import { preprocessPreset, toTensor, type PreprocessPreset } from "../vision/preprocess.ts";
import { probePicture } from "../vision/probe-picture.ts";
import type { Preprocess } from "../vision/types.ts";
import { feedsOf, outputTensors, type DetectorInputs } from "./feeds.ts";
import { metadataKeys } from "./metadata.ts";

interface Search {
  readonly graph: Graph;
  readonly label: string;
  readonly session: Session;
  readonly inputs: DetectorInputs;
  readonly size: readonly [number, number];
  readonly names: readonly string[] | undefined;
  /** The contract that is given or saved. */
  readonly given: Preprocess | undefined;
  readonly options: HeadSettings & { readonly probe?: boolean | undefined; readonly head?: Head | undefined };
}

interface FoundHead {
  readonly head: Head;
  readonly layout: string | null;
  /** The caller or the file itself says how it is read. */
  readonly isOwn: boolean;
}

/**
 * How the head is read: as the caller or the file says, else by its shapes and one run of the model on a drawn
 * picture.
 */
export const findHead = async (search: Search): Promise<FoundHead> => {
  const { graph, options, session, size } = search;
  if (options.head) return { head: options.head, layout: null, isOwn: true };
  const saved = savedHead(search);
  if (saved) return { head: { ...saved, size }, layout: null, isOwn: true };
  const family = graph.metadata.get(metadataKeys.family) as HeadFamily | undefined;
  const question = questionOf(
    search,
    session.outputs.map(({ name, shape, dtype }) => ({
      name,
      type: dtype,
      shape: shape.map((dim) => (typeof dim === "number" && dim >= 0 ? dim : null)),
    })),
    family,
  );
  if (options.probe === false || (family !== undefined && !isSaid(options)))
    return { ...recogniseLayout(question), isOwn: family !== undefined };
  const outputs = await trialRun(search, question);
  const types = new Map(session.outputs.map(({ name, dtype }) => [name, dtype]));
  return {
    ...decideHead(
      questionOf(
        search,
        outputs.map(({ name, dims }) => ({ name, shape: dims, type: types.get(name)! })),
        family,
      ),
      outputs,
    ),
    isOwn: false,
  };
};

/**
 * How the head would be read by its shapes alone, for a person; nothing is run. `size` is the input's [width, height].
 * Throws the HEAD_ errors of `recogniseHead`.
 */
export const headFromShapes = (
  graph: Graph,
  size: readonly [number, number],
): { readonly head: Head; readonly isOwn: boolean } => {
  const family = graph.metadata.get(metadataKeys.family) as HeadFamily | undefined;
  const saved = graph.metadata.get(metadataKeys.head);
  if (saved !== undefined) return { head: parseHead(saved, graph.name), isOwn: true };
  const outputs = graph.outputs.map(({ name, shape, dtype }) => ({
    name,
    ...(dtype && { type: dtype }),
    shape: (shape ?? []).map((dim) => (typeof dim === "number" ? dim : null)),
  }));
  const names = classNames(graph.metadata) ?? undefined;
  const inputNames = graph.inputs.filter(({ shape }) => shape?.length !== 4).map(({ name }) => name);
  const head = recogniseHead({
    outputs,
    size,
    metadata: graph.metadata,
    producer: graph.facts.producerName,
    ops: opCounts(graph),
    widths: weightWidths(graph),
    inputNames,
    names,
    family: family ?? "auto",
    ...(names && { classCount: names.length }),
  });
  return { head, isOwn: family !== undefined };
};

/** The preprocessing that a layout's exporters use; a head that the file describes itself is known by its family. */
export const presetOf = ({ family }: Head, layout: string | null): PreprocessPreset =>
  (layouts.find(({ name }) => name === layout) ?? layouts.find((row) => row.family === family))?.preprocess ?? "yolov8";

/** Anything but the family that the caller says about the head. */
const isSaid = ({ outputs, labelOffset, background, boxes, coordinates }: HeadSettings): boolean =>
  [outputs, labelOffset, background, boxes, coordinates].some((value) => value !== undefined);

/** The head that we wrote into the file, where nobody says otherwise and it still fits. */
const savedHead = ({ graph, label, session, options, names }: Search): Head | undefined => {
  const text = graph.metadata.get(metadataKeys.head);
  if (text === undefined || isSaid(options)) return undefined;
  const head = parseHead(text, label);
  const hasOutputs = head.outputNames.every((name) => session.outputs.some((output) => output.name === name));
  const isWanted = options.family === undefined || options.family === "auto" || options.family === head.family;
  return hasOutputs &&
    isWanted &&
    (names === undefined ||
      names.length === head.classCount ||
      (hasBackground(head) && names.length === head.classCount + 1))
    ? head
    : undefined;
};

const hasBackground = (head: Head): boolean =>
  head.kind === "table" && head.scores.by === "class" && head.scores.background !== null;

const questionOf = (
  { graph, session, inputs, size, names, options }: Search,
  outputs: HeadQuestion["outputs"],
  saved: HeadFamily | undefined,
): HeadQuestion => {
  const { family, outputs: only, labelOffset, background, boxes, coordinates } = options;
  return {
    outputs,
    only,
    labelOffset,
    background,
    boxes,
    coordinates,
    size,
    metadata: graph.metadata,
    producer: graph.facts.producerName,
    ops: opCounts(graph),
    widths: weightWidths(graph),
    inputNames: session.inputs.filter(({ name }) => name !== inputs.picture.name).map(({ name }) => name),
    family: family !== undefined && family !== "auto" ? family : (saved ?? "auto"),
    names,
    ...(names && { classCount: names.length }),
  };
};

/**
 * One run on the drawn picture, given as the likeliest layout wants it. Where the shapes alone already refuse,
 * that refusal is thrown unless shapes are unknown.
 */
const trialRun = async (
  { session, inputs, size, given }: Search,
  question: HeadQuestion,
): Promise<readonly OutputTensor[]> => {
  const isOpen = question.outputs.some(({ shape }) => shape.length === 0 || shape.includes(null));
  const contract = given ?? usual(layoutBefore(question, isOpen), inputs, size);
  const values = new Float32Array((inputs.batch ?? 1) * 3 * size[0] * size[1]);
  const { data } = probePicture(size[0], size[1]);
  for (let at = 0; at < values.length; at += data.length) toTensor(data, contract, values, at);
  return outputTensors(await session.run(feedsOf(inputs, values, contract)));
};

const layoutBefore = (question: HeadQuestion, isOpen: boolean): string | null => {
  try {
    return likeliestLayout(question);
  } catch (error) {
    if (isOpen && error instanceof UserError) return null; // the run tells the shapes, and the question is asked again
    throw error;
  }
};

const usual = (layout: string | null, { picture }: DetectorInputs, size: readonly [number, number]): Preprocess => {
  const preset = preprocessPreset(layouts.find(({ name }) => name === layout)?.preprocess ?? "yolov8", size);
  return picture.dtype === "uint8" ? { ...preset, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } : preset;
};

const opCounts = (graph: Graph): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { opType } of graph.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
};

const weightWidths = (graph: Graph): Set<number> => {
  const widths = new Set<number>();
  for (const { inputs } of graph.nodes) {
    for (const value of inputs) {
      const shape = value?.constant?.shape ?? [];
      if (shape.length === 0) continue;
      widths.add(shape[0]!).add(shape.at(-1)!);
    }
  }
  return widths;
};
