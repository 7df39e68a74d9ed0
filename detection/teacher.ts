import { createHash } from "node:crypto";
import { mkdirSync, openSync, closeSync, writeSync, renameSync, statSync, fsyncSync } from "node:fs";
import { join } from "node:path";
import { cornersOfCentres } from "../autodiff/box-losses.ts";
import { Builder } from "../graph/builder.ts";
import { removeDead } from "../graph/dead.ts";
import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { Value } from "../graph/node.ts";
import type { Tensor } from "../graph/tensor.ts";
import { serializeModel } from "../onnx/save.ts";
import { openSession, type Session } from "../runtime/session.ts";
import { moduleBeside, workerSource } from "../training/workers.ts";
import { decode, type OutputTensor } from "../vision/decode.ts";
import { nonMaximumSuppression } from "../vision/nms.ts";
import type { Box } from "../vision/types.ts";
import { anchorCount, anchorLevels, type AnchorLevel } from "./anchors.ts";
import { assignAtss } from "./assign.ts";
import type { BatchSpec, PictureSpec } from "./batches.ts";
import { canonicalDetector, cutHead, headValues, neckFeatures, type TrainableFamily } from "./canonical.ts";
import { quietThreads, type DetectorModel } from "./detector.ts";
import { classMapping } from "./evaluate.ts";
import { narrow } from "./half.ts";
import { prepareGraph } from "./prepare.ts";
import { boxScale, recordBytes, type Section, type TeacherCacheFiles } from "./teacher-cache.ts";

/** A teacher and its share in the soft labels of several. */
export interface Teacher {
  readonly model: DetectorModel;
  readonly weight: number;
}

export interface TeacherOptions {
  readonly teachers: readonly Teacher[];
  /** The student's classes; every teacher must know them all. */
  readonly classes: readonly string[];
  /** What the student will be trained on. */
  readonly batches: Omit<BatchSpec, "assignment" | "teacher">;
  /** Folder for the cached outputs; files of other settings may lie beside. */
  readonly folder: string;
  /** Also keep the box distributions (DFL logits): needs one aligned teacher with this regMax. */
  readonly regMax?: number;
  /** Also keep the neck's features of each level: needs one aligned teacher. */
  readonly features?: boolean;
  readonly threads?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Scores, corners and perhaps distributions of a batch on the student's anchors. */
interface SoftTargets {
  /** [N, C, A] */
  readonly scores: Float32Array;
  /** [N, 4, A] network pixels */
  readonly corners: Float32Array;
  /** [N, 4, regMax, A] */
  readonly distribution?: Float32Array;
  /** [N, C, H, W] of each level */
  readonly features?: readonly Float32Array[];
}

interface RunningTeacher {
  readonly aligned: boolean;
  readonly batch: number;
  readonly regMax: number | undefined;
  /** [C, H, W] of each level, where features are kept. */
  readonly featureShapes: readonly (readonly number[])[];
  targets(images: Tensor): Promise<SoftTargets>;
  close(): Promise<void>;
}

/**
 * Runs the teachers once over every (picture, variant) and keeps their soft labels on disk in float16; a finished file is not computed again.
 * A teacher with the student's anchors (YOLOv8 or YOLOX head, brought to the student's input size) is matched anchor by anchor;
 * any other is decoded and its boxes, with their class-probability vectors, are assigned to the student's anchors by ATSS.
 */
export const cacheTeachers = async (options: TeacherOptions): Promise<TeacherCacheFiles & { readonly aligned: boolean; readonly hasDistribution: boolean }> => {
  const { batches, classes } = options;
  const anchors = anchorCount(anchorLevels(batches.contract.size));
  const running = await Promise.all(options.teachers.map((teacher) => startTeacher(teacher.model, options)));
  try {
    const hasDistribution = options.regMax !== undefined && running.length === 1 && running[0]!.regMax === options.regMax;
    const sections: Section[] = [{ name: "teacher/scores", shape: [classes.length, anchors] }, { name: "teacher/boxes", shape: [4, anchors] }];
    if (hasDistribution) sections.push({ name: "teacher/distribution", shape: [4, options.regMax, anchors] });
    if (options.features) {
      if (running.length !== 1 || !running[0]!.aligned) throw featuresNeedOneTeacher();
      sections.push(...running[0]!.featureShapes.map((shape, level) => ({ name: `teacher/feature${level}`, shape })));
    }
    const variants = Math.max(1, batches.plan.count);
    const folder = join(options.folder, cacheKey(options, sections));
    mkdirSync(folder, { recursive: true });
    const files = Array.from({ length: variants }, (_, variant) => join(folder, `variant-${variant}.f16`));
    const size = recordBytes(sections) * batches.items.length;
    const missing = files.flatMap((file, variant) => (statSync(file, { throwIfNoEntry: false })?.size === size ? [] : [variant]));
    await fill(missing, files, running, sections, options);
    return { files, sections, pictures: batches.items.length, aligned: running.every((teacher) => teacher.aligned), hasDistribution };
  } finally {
    await Promise.all(running.map((teacher) => teacher.close()));
  }
};

const cacheKey = ({ teachers, classes, batches }: TeacherOptions, sections: readonly Section[]): string => {
  const hash = createHash("sha256");
  for (const { model, weight } of teachers) hash.update(serializeModel(model.graph)).update(JSON.stringify([weight, model.contract]));
  const { batch: _batch, plan, ...pictures } = batches;
  return hash.update(JSON.stringify([classes, pictures, plan.count, sections])).digest("hex").slice(0, 16);
};

const fill = async (missing: readonly number[], files: readonly string[], running: readonly RunningTeacher[], sections: readonly Section[], options: TeacherOptions): Promise<void> => {
  if (missing.length === 0) return;
  const total = missing.length * options.batches.items.length;
  const batch = Math.min(...running.map((teacher) => teacher.batch), 8);
  const [teacherContract, ...otherContracts] = options.teachers.map(({ model }) => ({ ...model.contract, size: options.batches.contract.size }));
  const spec: PictureSpec = { ...options.batches, kind: "pictures", batch, teacherContract: teacherContract!, otherContracts };
  const feed = await workerSource(moduleBeside(import.meta.url, "./batches"), spec).open(files.length);
  let done = 0;
  try {
    for (const variant of missing) {
      const temporary = `${files[variant]!}.part`;
      const file = openSync(temporary, "w");
      try {
        for (let index = 0; index < feed.batchesPerEpoch; index++) {
          options.signal?.throwIfAborted();
          const pictures = await feed.batch(variant, index);
          const images = pictures["images"]!;
          const soft = blend(await Promise.all(running.map((teacher, t) => teacher.targets(pictures[t === 0 ? "images" : `images${t}`]!))), options.teachers.map((teacher) => teacher.weight), sections[1]!.shape[1]!);
          const count = images.shape[0]!;
          writeSync(file, record(soft, count, sections));
          done += count;
          options.onProgress?.(done, total);
        }
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, files[variant]!);
    }
  } finally {
    await feed.close();
  }
};

/** [N, …] of each section -> N records, each its sections one after the other, float16. */
const record = (soft: SoftTargets, count: number, sections: readonly Section[]): Uint16Array => {
  const parts = [soft.scores, soft.corners.map((pixels) => pixels / boxScale), ...(soft.distribution ? [soft.distribution] : []), ...(soft.features ?? [])];
  const lengths = sections.map((_, s) => parts[s]!.length / count);
  const values = new Float32Array(count * lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (const [s, length] of lengths.entries()) {
      values.set(parts[s]!.subarray(i * length, (i + 1) * length), at);
      at += length;
    }
  }
  return narrow(values);
};

/** Several teachers: scores are averaged by weight, boxes by weight times score (each anchor's own). */
const blend = (all: readonly SoftTargets[], weights: readonly number[], anchors: number): SoftTargets => {
  if (all.length === 1) return all[0]!;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const scores = new Float32Array(all[0]!.scores.length);
  for (const [t, soft] of all.entries()) for (let i = 0; i < scores.length; i++) scores[i]! += (soft.scores[i]! * weights[t]!) / total;
  const corners = new Float32Array(all[0]!.corners.length);
  const classCount = scores.length / (corners.length / 4);
  const trust = all.map((soft, t) => bestScores(soft.scores, classCount, anchors).map((score) => (score + 1e-6) * weights[t]!));
  for (let i = 0; i < corners.length; i++) {
    const anchor = Math.floor(i / (4 * anchors)) * anchors + (i % anchors);
    let sum = 0;
    for (const [t, soft] of all.entries()) {
      corners[i]! += soft.corners[i]! * trust[t]![anchor]!;
      sum += trust[t]![anchor]!;
    }
    corners[i]! /= sum;
  }
  return { scores, corners };
};

/** Highest class score of each anchor: [N, C, A] -> [N, A]. */
const bestScores = (scores: Float32Array, classCount: number, anchors: number): Float32Array => {
  const best = new Float32Array(scores.length / classCount);
  for (let i = 0; i < scores.length; i++) {
    const at = Math.floor(i / (classCount * anchors)) * anchors + (i % anchors);
    best[at] = Math.max(best[at]!, scores[i]!);
  }
  return best;
};

const startTeacher = (model: DetectorModel, options: TeacherOptions): Promise<RunningTeacher> => {
  const { family } = model.head;
  return family === "yolov8" || (family === "yolox" && model.head.kind === "dense" && model.head.raw)
    ? startAligned(model, family, options)
    : startDecoded(model, options);
};

const quietSession = ({ threads }: TeacherOptions) => ({ extra: quietThreads, ...(threads !== undefined && { threads }) });

/** Anchor by anchor: the teacher's graph at the student's size, with scores and boxes as outputs. */
const startAligned = async (model: DetectorModel, family: TrainableFamily, options: TeacherOptions): Promise<RunningTeacher> => {
  const { size } = options.batches.contract;
  const mapping = classMapping(model.classes, options.classes);
  const rows = options.classes.map((_, index) => mapping.indexOf(index));
  const graph = canonicalDetector(prepareGraph(model.graph), family, { size, classRows: rows });
  const { regMax, features } = exposeSoftTargets(graph, family, { distribution: options.regMax !== undefined, features: options.features ?? false });
  const session = await openSession(graph, quietSession(options));
  const input = session.inputs[0]!.name;
  return {
    aligned: true, batch: 8, regMax, featureShapes: features.map((feature) => feature.shape!.slice(1).map(Number)),
    targets: async (images) => {
      const result = await session.run({ [input]: images });
      return {
        scores: result["scores"]!.floats, corners: result["corners"]!.floats,
        ...(result["distribution"] && options.regMax === regMax && { distribution: result["distribution"].floats }),
        ...(features.length > 0 && { features: features.map((_, level) => result[`feature${level}`]!.floats) }),
      };
    },
    close: () => session.close(),
  };
};

/** Replaces the outputs by `scores` [N, C, A], `corners` [N, 4, A] and, where wanted and there, `distribution` and `feature0`…. */
const exposeSoftTargets = (graph: Graph, family: TrainableFamily, wanted: { readonly distribution: boolean; readonly features: boolean }): { regMax: number | undefined; features: readonly Value[] } => {
  const cut = cutHead(graph, family);
  const b = new Builder(graph, "soft");
  const head = headValues(b, cut);
  const classScores = b.sigmoid(head.classLogits);
  const scores = head.objectLogits ? b.mul(classScores, b.sigmoid(head.objectLogits)) : classScores;
  const corners = cornersOfCentres(b, head.boxes, { axis: 1 });
  const features = wanted.features ? neckFeatures(cut) : [];
  const outputs: Record<string, Value> = { scores, corners };
  if (head.distribution && wanted.distribution) outputs["distribution"] = head.distribution;
  for (const [level, feature] of features.entries()) outputs[`feature${level}`] = b.op("Identity", [feature]);
  for (const [name, value] of Object.entries(outputs)) value.name = name;
  graph.outputs.splice(0, graph.outputs.length, ...Object.values(outputs));
  removeDead(graph);
  const regMax = head.distribution?.shape?.[2];
  return { regMax: typeof regMax === "number" ? regMax : undefined, features };
};

/** Any head: decoded boxes after NMS become soft objects. */
const startDecoded = async (model: DetectorModel, options: TeacherOptions): Promise<RunningTeacher> => {
  const { size } = options.batches.contract;
  const levels = anchorLevels(size);
  const mapping = classMapping(model.classes, options.classes);
  const session = await openSession(model.graph, quietSession(options));
  return {
    aligned: false, batch: 1, regMax: undefined, featureShapes: [],
    targets: async (images) => softObjects(await runAtOwnSize(session, model, images), model, options.classes.length, mapping, levels),
    close: () => session.close(),
  };
};

const runAtOwnSize = async (session: Session, model: DetectorModel, images: Tensor): Promise<OutputTensor[]> => {
  const [, , height, width] = images.shape;
  const [ownWidth, ownHeight] = model.contract.size;
  if (width !== ownWidth || height !== ownHeight) throw sizesDiffer(model, [width!, height!]);
  const results = await session.run({ [session.inputs[0]!.name]: images });
  return Object.entries(results).map(([name, tensor]) => ({ name, dims: tensor.shape, data: tensor.data as Float32Array }));
};

const softObjects = (outputs: readonly OutputTensor[], model: DetectorModel, classCount: number, mapping: readonly number[], levels: readonly AnchorLevel[]): SoftTargets => {
  const anchors = anchorCount(levels);
  const candidates = decode(model.head, outputs, 0, { scoreThreshold: 0.05, withProbabilities: true });
  const kept = nonMaximumSuppression(candidates, { iouThreshold: 0.65, maxDetections: 100 });
  const boxes = kept.map((i) => Array.from(candidates.boxes.subarray(4 * i, 4 * i + 4)) as unknown as Box);
  const owners = assignAtss(boxes, levels);
  const scores = new Float32Array(classCount * anchors);
  const corners = new Float32Array(4 * anchors);
  for (let anchor = 0; anchor < anchors; anchor++) {
    const owner = owners[anchor]!;
    if (owner < 0) continue;
    const [x, y, w, h] = boxes[owner]!;
    for (const [row, value] of [x, y, x + w, y + h].entries()) corners[row * anchors + anchor] = value;
    for (const [own, wanted] of mapping.entries()) {
      if (wanted >= 0) scores[wanted * anchors + anchor] = candidates.probabilities![kept[owner]! * mapping.length + own]!;
    }
  }
  return { scores, corners };
};

const featuresNeedOneTeacher = () =>
  new UserError("TEACHER_FEATURES", "Features can only be distilled from one teacher with a YOLOv8 or YOLOX head.", "set distill.features: none, or name one such teacher.");

const sizesDiffer = (model: DetectorModel, student: readonly number[]) =>
  new UserError("TEACHER_SIZE", `The ${model.head.family} teacher takes ${model.contract.size.join("×")} pixels and the student ${student.join("×")}; its graph cannot be brought to another size.`,
    "set input.size to the teacher's, or export the teacher at the student's size.");
