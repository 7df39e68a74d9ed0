import { cornersOfCentres } from "../autodiff/box-losses.ts";
import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import type { Tensor } from "../graph/tensor.ts";
import { openSession } from "../runtime/session.ts";
import { decode, type OutputTensor } from "../vision/decode.ts";
import { nonMaximumSuppression } from "../vision/nms.ts";
import type { Box } from "../vision/types.ts";
import { anchorCount, anchorLevels, type AnchorLevel } from "./anchors.ts";
import { assignAtss } from "./assign.ts";
import { canonicalDetector, cutHead, headValues, neckFeatures, type TrainableFamily } from "./canonical.ts";
import { quietThreads, type DetectorModel } from "./detector.ts";
import { classMapping } from "./evaluate.ts";
import { detectorInputs, feedsOf, outputTensors } from "./feeds.ts";
import { placeInto, type Placement } from "./placement.ts";
import { prepareGraph } from "./prepare.ts";

/**
 * `aligned`: the head is cut and matched anchor by anchor at the student's size. `decoded`: boxes after NMS, computed
 * at the teacher's own size.
 */
export type TeacherMode = "aligned" | "decoded";

/** Scores, corners and perhaps distributions of a batch on the student's anchors. */
export interface SoftTargets {
  /** [N, C, A] */
  readonly scores: Float32Array;
  /** [N, 4, A] network pixels */
  readonly corners: Float32Array;
  /** [N, 4, regMax, A] */
  readonly distribution?: Float32Array;
  /** [N, C, H, W] of each level */
  readonly features?: readonly Float32Array[];
}

export interface RunningTeacher {
  readonly aligned: boolean;
  readonly batch: number;
  readonly regMax: number | undefined;
  /** [C, H, W] of each level, where features are kept. */
  readonly featureShapes: readonly (readonly number[])[];
  targets(images: Tensor): Promise<SoftTargets>;
  close(): Promise<void>;
}

export interface SoftOptions {
  /** The student's classes; the teacher must know them all. */
  readonly classes: readonly string[];
  /** The student's input [width, height]. */
  readonly size: readonly [number, number];
  /** Also the box distributions, where the teacher's have this many bins. */
  readonly regMax?: number;
  /** Also the neck's features of each level. */
  readonly features?: boolean;
  readonly threads?: number;
}

/** The mode that a head's family suggests; whether the head can be cut is to be proven. */
export const usualMode = ({ head }: DetectorModel): TeacherMode =>
  head.kind === "dense" && trainableFamily(head.family) ? "aligned" : "decoded";

export const trainableFamily = (family: string): family is TrainableFamily => family === "yolov8" || family === "yolox";

export const startTeacher = (model: DetectorModel, mode: TeacherMode, options: SoftOptions): Promise<RunningTeacher> =>
  mode === "aligned" ? runAligned(alignedGraph(model, options), options) : startDecoded(model, options);

const quietSession = ({ threads }: SoftOptions) => ({ extra: quietThreads, ...(threads !== undefined && { threads }) });

/** A teacher's graph with soft targets as outputs. */
export interface SoftGraph {
  readonly graph: Graph;
  readonly regMax: number | undefined;
  readonly featureShapes: readonly (readonly number[])[];
}

/** The teacher's graph at the student's size, with scores and boxes of the student's classes as outputs. */
const alignedGraph = (model: DetectorModel, { classes, size, ...options }: SoftOptions): SoftGraph => {
  const {
    family,
    outputNames: [output],
    classCount,
  } = model.head;
  if (!trainableFamily(family)) throw new Error(`bug: a ${family} head has no anchors like the student's`);
  const mapping = classMapping(model.classes, classes);
  const classRows = classes.map((_, index) => mapping.indexOf(index));
  return softGraph(
    canonicalDetector(prepareGraph(model.graph), family, {
      size,
      classRows,
      classCount,
      ...(output !== undefined && { output }),
    }),
    family,
    options,
  );
};

/**
 * Replaces the outputs of a canonical detector by `scores` [N, C, A], `corners` [N, 4, A] and, where wanted and
 * there, `distribution` and `feature0`….
 */
export const softGraph = (
  graph: Graph,
  family: TrainableFamily,
  wanted: Pick<SoftOptions, "regMax" | "features"> = {},
): SoftGraph => {
  const cut = cutHead(graph, family);
  const b = new Builder(graph, "soft");
  const head = headValues(b, cut);
  const classScores = b.sigmoid(head.classLogits);
  const scores = head.objectLogits ? b.mul(classScores, b.sigmoid(head.objectLogits)) : classScores;
  const corners = cornersOfCentres(b, head.boxes, { axis: 1 });
  const features = wanted.features ? neckFeatures(cut) : [];
  const bins = head.distribution?.shape?.[2];
  const outputs: Record<string, Value> = { scores, corners };
  if (head.distribution && wanted.regMax !== undefined && wanted.regMax === bins)
    outputs["distribution"] = head.distribution;
  for (const [level, feature] of features.entries()) outputs[`feature${level}`] = b.op("Identity", [feature]);
  for (const [name, value] of Object.entries(outputs)) value.name = name;
  graph.outputs.splice(0, graph.outputs.length, ...Object.values(outputs));
  removeDead(graph);
  return {
    graph,
    regMax: typeof bins === "number" ? bins : undefined,
    featureShapes: features.map((feature) => feature.shape!.slice(1).map(Number)),
  };
};

/** Anchor by anchor. */
export const runAligned = async (
  { graph, regMax, featureShapes }: SoftGraph,
  options: Pick<SoftOptions, "threads"> & Partial<SoftOptions>,
): Promise<RunningTeacher> => {
  const session = await openSession(graph, quietSession(options as SoftOptions));
  const input = session.inputs[0]!.name;
  return {
    aligned: true,
    batch: 8,
    regMax,
    featureShapes,
    targets: async (images) => {
      const result = await session.run({ [input]: images });
      return {
        scores: result["scores"]!.floats,
        corners: result["corners"]!.floats,
        ...(result["distribution"] && { distribution: result["distribution"].floats }),
        ...(featureShapes.length > 0 && {
          features: featureShapes.map((_, level) => result[`feature${level}`]!.floats),
        }),
      };
    },
    close: () => session.close(),
  };
};

/**
 * Any head: decoded boxes after NMS become soft objects. The pictures, which come at the student's size, are placed
 * into the teacher's own input.
 */
const startDecoded = async (model: DetectorModel, options: SoftOptions): Promise<RunningTeacher> => {
  const levels = anchorLevels(options.size);
  const mapping = classMapping(model.classes, options.classes);
  const session = await openSession(model.graph, quietSession(options));
  const inputs = detectorInputs("the teacher", session.inputs);
  return {
    aligned: false, batch: 1, regMax: undefined, featureShapes: [],
    targets: async (images) => {
      const { placed, placement } = placeInto(images, model.contract);
      const feeds = feedsOf(inputs, filled(placed.floats, inputs.batch), model.contract);
      const outputs = outputTensors(await session.run(feeds));
      return softObjects(outputs, placement, model, options.classes.length, mapping, levels);
    },
    close: () => session.close(),
  };
};

/** A model of a fixed batch gets black pictures behind the one. */
const filled = (picture: Float32Array, batch: number | null): Float32Array => {
  const values = new Float32Array(picture.length * (batch ?? 1));
  values.set(picture);
  return values;
};

const softObjects = (
  outputs: readonly OutputTensor[],
  { scale, left, top }: Placement,
  model: DetectorModel,
  classCount: number,
  mapping: readonly number[],
  levels: readonly AnchorLevel[],
): SoftTargets => {
  const anchors = anchorCount(levels);
  const candidates = decode(model.head, outputs, 0, { scoreThreshold: 0.05, withProbabilities: true });
  const kept = nonMaximumSuppression(candidates, { iouThreshold: 0.65, maxDetections: 100 });
  const boxes = kept.map((i): Box => {
    const [x, y, w, h] = candidates.boxes.subarray(4 * i, 4 * i + 4) as unknown as Box;
    return [(x - left) / scale, (y - top) / scale, w / scale, h / scale];
  });
  const owners = assignAtss(boxes, levels);
  const scores = new Float32Array(classCount * anchors);
  const corners = new Float32Array(4 * anchors);
  for (let anchor = 0; anchor < anchors; anchor++) {
    const owner = owners[anchor]!;
    if (owner < 0) continue;
    const [x, y, w, h] = boxes[owner]!;
    for (const [row, value] of [x, y, x + w, y + h].entries()) corners[row * anchors + anchor] = value;
    for (const [own, wanted] of mapping.entries()) {
      if (wanted >= 0)
        scores[wanted * anchors + anchor] = candidates.probabilities![kept[owner]! * mapping.length + own]!;
    }
  }
  return { scores, corners };
};
