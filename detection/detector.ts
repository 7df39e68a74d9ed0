import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import { loadModel } from "../onnx/load.ts";
import { openSession, type Session, type SessionOptions } from "../runtime/session.ts";
import { Tensor } from "../graph/tensor.ts";
import { cocoClasses } from "../vision/datasets/coco-names.ts";
import type { OutputTensor } from "../vision/decode.ts";
import { classNames, recogniseHead, type Head, type HeadFamily } from "../vision/heads.ts";
import { letterbox8, parsePreprocess, preprocessPreset, serializePreprocess, toTensor } from "../vision/preprocess.ts";
import type { Image8, Preprocess } from "../vision/types.ts";

/** A detector as a file: its graph, its head, what its classes are called and how pictures are given to it. */
export interface DetectorModel {
  readonly graph: Graph;
  readonly head: Head;
  readonly classes: readonly string[];
  readonly contract: Preprocess;
  /** What was assumed because the file does not say it; one line each. */
  readonly notes: readonly string[];
}

export interface DetectorOptions {
  readonly family?: HeadFamily | "auto";
  /** The model's own class list, where its metadata has none. */
  readonly classes?: readonly string[];
  /** Overrides the contract in the metadata and the family's preset. */
  readonly preprocess?: Preprocess;
  /** Input size [width, height] for a model whose input is dynamic. */
  readonly size?: readonly [number, number];
}

export const metadataKeys = { preprocess: "edgestill.preprocess", family: "edgestill.family" } as const;

/** Reads a detector file. Throws the UserErrors of `loadModel` and `recogniseHead`; NOT_A_DETECTOR where the input is no picture. */
export const loadDetector = async (path: string, options: DetectorOptions = {}): Promise<DetectorModel> => {
  const { graph, notes } = await loadModel(path);
  const described = await describeDetector(graph, path, options);
  return { ...described, notes: [...notes, ...described.notes] };
};

/** As `loadDetector`, for a graph in memory; `label` names it in errors. */
export const describeDetector = async (graph: Graph, label: string, options: DetectorOptions = {}): Promise<DetectorModel> => {
  const notes: string[] = [];
  const session = await openSession(graph, { optimization: "disabled" });
  const { inputs, outputs } = session;
  await session.close();
  const size = options.size ?? pictureSize(label, inputs);
  const names = options.classes ?? classNames(graph.metadata) ?? undefined;
  const saved = graph.metadata.get(metadataKeys.family) as HeadFamily | undefined;
  const head = recogniseHead({
    outputs: outputs.map(({ name, shape, dtype }) => ({ name, type: dtype, shape: shape.map((dim) => (typeof dim === "number" ? dim : null)) })),
    metadata: graph.metadata, ops: opCounts(graph), size, family: options.family && options.family !== "auto" ? options.family : (saved ?? "auto"),
    ...(names && { classCount: names.length }),
  });
  const classes = names ?? assumedClasses(head, label, notes);
  return { graph, head, classes, contract: contractOf(graph, head, label, options, notes), notes };
};

/** Writes the contract and the family into the metadata, where every command reads them. */
export const writeContract = (graph: Graph, contract: Preprocess, family: HeadFamily): void => {
  graph.metadata.set(metadataKeys.preprocess, serializePreprocess(contract));
  graph.metadata.set(metadataKeys.family, family);
};

const opCounts = (graph: Graph): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { opType } of graph.nodes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return counts;
};

const pictureSize = (label: string, inputs: Session["inputs"]): readonly [number, number] => {
  const input = inputs[0];
  if (inputs.length !== 1 || input?.shape.length !== 4 || (input.shape[1] !== 3 && typeof input.shape[1] === "number")) {
    throw new UserError("NOT_A_DETECTOR", `${label} takes ${inputs.map(({ name, shape }) => `"${name}" [${shape.join(", ")}]`).join(", ")}, not one picture [N, 3, H, W].`,
      "give a detector exported with one image input.");
  }
  const [, , height, width] = input.shape;
  if (typeof height !== "number" || typeof width !== "number") {
    throw new UserError("INPUT_SIZE", `The input of ${label} has no fixed width and height.`, "set input.size in the config (or --size on the command line).");
  }
  return [width, height];
};

const assumedClasses = (head: Head, label: string, notes: string[]): readonly string[] => {
  if (head.classCount === cocoClasses.length) {
    notes.push(`${label} names no classes: 80 outputs are taken for COCO's classes in COCO's order`);
    return cocoClasses;
  }
  notes.push(`${label} names no classes: they are called class0, class1, …`);
  return Array.from({ length: head.classCount }, (_, index) => `class${index}`);
};

const contractOf = (graph: Graph, head: Head, label: string, options: DetectorOptions, notes: string[]): Preprocess => {
  if (options.preprocess) return options.preprocess;
  const saved = graph.metadata.get(metadataKeys.preprocess);
  if (saved !== undefined) return { ...parsePreprocess(saved, `preprocess contract of ${label}`), size: head.size };
  const preset = head.family === "yolox" ? "yolox" : head.family === "yolov5" ? "yolov5" : "yolov8";
  notes.push(`${label} carries no preprocess contract: the usual one of ${head.family} is used (${preset === "yolox" ? "BGR 0-255, top-left letterbox" : "RGB/255, centred letterbox"}, pad 114)`);
  return preprocessPreset(preset, head.size);
};

/** Threads sleep between ops: evaluation shares the cores with decoding and with other processes. Not for benchmarks. */
export const quietThreads = { "session.intra_op.allow_spinning": "0" };

/** A detector ready to run on pictures of any size. */
export interface RunningDetector {
  readonly model: DetectorModel;
  /** Raw outputs for a batch of pictures; pictures are resized by the contract. */
  run(pictures: readonly Image8[]): Promise<readonly OutputTensor[]>;
  close(): Promise<void>;
}

export const runDetector = async (model: DetectorModel, options: SessionOptions = {}, source: Graph | string = model.graph): Promise<RunningDetector> => {
  const session = await openSession(source, { ...options, extra: { ...quietThreads, ...options.extra } });
  const input = session.inputs[0]!;
  const [width, height] = model.contract.size;
  return {
    model,
    run: async (pictures) => {
      const values = new Float32Array(pictures.length * 3 * width * height);
      for (const [i, picture] of pictures.entries()) toTensor(letterbox8(picture, model.contract).data, model.contract, values, i * 3 * width * height);
      const results = await session.run({ [input.name]: Tensor.of("float32", [pictures.length, 3, height, width], values) });
      return Object.entries(results).map(([name, tensor]) => ({ name, dims: tensor.shape, data: tensor.data as Float32Array }));
    },
    close: () => session.close(),
  };
};
