import { evaluateDetector, foundNothing } from "../../detection/evaluate.ts";
import { UserError } from "../../graph/error.ts";
import { canonicalClass, groundTruthJson, openDataset, type ClassName, type Dataset, type DatasetItem, type DatasetSpec, type UnlabelledPolicy } from "../../vision/index.ts";
import { accuracyRecord } from "../accuracy.ts";
import { writeFileSafely } from "../files.ts";
import { needBoxes } from "../open-data.ts";
import type { Accuracy } from "../result.ts";
import { openDetectorFile, type OpenOptions } from "./open.ts";
import { exactSession } from "./session.ts";

export interface EvaluateModelOptions extends OpenOptions {
  readonly data: DatasetSpec;
  /** Only these classes of the dataset. */
  readonly only?: readonly string[];
  readonly limit?: number;
  readonly skipInvalid?: boolean;
  /** What a picture without a label file is (YOLO, VOC); default background. */
  readonly unlabelled?: UnlabelledPolicy;
  /** Class names of YOLO labels by number, where the data set has none; `"model"` takes the model's. */
  readonly labelNames?: readonly string[] | "model";
  readonly threads?: number;
  /** Gets the detections in COCO results format: [{image_id, category_id, bbox, score}], ids of the data set. */
  readonly saveDetections?: string;
  /** Gets the labels as they were read, as COCO JSON: of the pictures and classes that were evaluated, with the ids of `saveDetections`. */
  readonly saveGroundTruth?: string;
  readonly onOpening?: (done: number, total: number) => void;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface ModelAccuracy extends Accuracy {
  /** What was assumed or left out, one line each. */
  readonly notes: readonly string[];
}

/** COCO mAP of a detector file on a labelled dataset. Throws the UserErrors of opening either, CLASSES_DIFFER, UNLABELLED, NO_GROUND_TRUTH. */
export const evaluateModel = async (path: string, options: EvaluateModelOptions): Promise<ModelAccuracy> => {
  const model = await openDetectorFile(path, options);
  const opened = await openFor(model.classes, options);
  const { classes, dataset, notes } = knownClasses(opened, model.classes);
  const items = options.limit === undefined ? dataset.items : dataset.items.slice(0, options.limit);
  if (items.some(({ boxes }) => boxes === null)) throw unlabelled(options.data.path);
  needBoxes(options.data.path, { items }, classes);
  const { session, note } = exactSession(model.graph);
  const broken = new Map<number, string>();
  const evaluation = await evaluateDetector(model, items, classes, {
    session: { ...session, ...(options.threads !== undefined && { threads: options.threads }) },
    onBroken: options.skipInvalid ? ({ imageId }, error) => broken.set(imageId, error.message) : undefined,
    ...(options.onProgress && { onProgress: options.onProgress }), ...(options.signal && { signal: options.signal }),
  }, path);
  const measured = items.filter(({ imageId }) => !broken.has(imageId));
  needBoxes(options.data.path, { items: measured }, classes);
  await saveFiles(options, dataset, measured, evaluation.detections);
  return {
    ...accuracyRecord(evaluation.accuracy, classes),
    notes: [
      ...model.notes, ...(note === undefined ? [] : [note]), ...dataset.notes, ...notes, ...limitNote(dataset.items, items), ...brokenNote([...broken.values()]),
      ...(foundNothing(evaluation) ? [`THE MODEL FOUND NOTHING, of any class and score, on ${measured.length} pictures: it is dead, or its head or preprocessing is misread (inspect it, --family, --preprocess)`] : []),
    ],
  };
};

const openFor = (modelClasses: readonly string[], { data, only, skipInvalid = false, unlabelled: policy, labelNames, onOpening }: EvaluateModelOptions): Promise<Dataset> =>
  openDataset(data, {
    modelNames: modelClasses, skipInvalid, ...(labelNames && { labelNames: labelNames === "model" ? modelClasses : labelNames }),
    ...(only && { classes: only }), ...(policy && { unlabelled: policy === "teacher" ? "skip" : policy }), ...(onOpening && { onProgress: onOpening }),
  });

/** Without the classes that the model does not know and that have no boxes: they have no AP anyhow. */
const knownClasses = (dataset: Dataset, modelClasses: readonly string[]): { classes: readonly ClassName[]; dataset: Dataset; notes: readonly string[] } => {
  const known = new Set(modelClasses.map(canonicalClass));
  const used = new Set(dataset.items.flatMap(({ boxes }) => (boxes ?? []).map(({ classIndex }) => classIndex)));
  const kept = dataset.classes.flatMap((name, index) => (used.has(index) || known.has(canonicalClass(name)) ? [index] : []));
  if (kept.length === dataset.classes.length) return { classes: dataset.classes, dataset, notes: [] };
  const left = dataset.classes.filter((_, index) => !kept.includes(index));
  const classes = kept.map((index) => dataset.classes[index]!);
  const items = dataset.items.map((item): DatasetItem => ({ ...item, boxes: item.boxes?.map((box) => ({ ...box, classIndex: kept.indexOf(box.classIndex) })) ?? null }));
  const notes = [`${left.map((name) => `"${name}"`).join(", ")}: without boxes and unknown to the model, left out`];
  return { classes, dataset: { ...dataset, classes, categoryIds: kept.map((index) => dataset.categoryIds[index]!), items }, notes };
};

type Detections = Awaited<ReturnType<typeof evaluateDetector>>["detections"];

const saveFiles = async ({ saveDetections, saveGroundTruth }: EvaluateModelOptions, dataset: Dataset, items: readonly DatasetItem[], detections: Detections): Promise<void> => {
  if (saveDetections !== undefined) {
    const results = detections.flatMap(({ imageId, detections: found }) =>
      found.map(({ box, score, classIndex }) => ({ image_id: imageId, category_id: dataset.categoryIds[classIndex]!, bbox: box, score })));
    await writeFileSafely(saveDetections, JSON.stringify(results));
  }
  if (saveGroundTruth !== undefined) await writeFileSafely(saveGroundTruth, groundTruthJson(dataset, items));
};

const limitNote = (all: readonly DatasetItem[], items: readonly DatasetItem[]): string[] =>
  items.length < all.length ? [`the first ${items.length} of ${all.length} pictures by image id alone were evaluated`] : [];

const brokenNote = (messages: readonly string[]): string[] =>
  messages.length === 0 ? [] : [`left out as broken: ${messages.length} picture${messages.length > 1 ? "s" : ""} that cannot be decoded, first: ${messages[0]}`];

const unlabelled = (path: string): UserError => new UserError("UNLABELLED", `The dataset ${path} has pictures without labels: mAP cannot be measured.`, "give a labelled dataset (COCO JSON, YOLO txt or VOC XML).");
