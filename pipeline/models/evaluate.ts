import { evaluateDetector, foundNothing } from "../../detection/evaluate.ts";
import { groundTruthJson, type Dataset, type DatasetItem, type DatasetSpec } from "../../vision/index.ts";
import { accuracyRecord } from "../accuracy.ts";
import { checkPlaces, writeFileSafely } from "../files.ts";
import { needBoxes } from "../open-data.ts";
import type { Accuracy } from "../result.ts";
import { openLabelled, type LabelledOptions } from "./labelled.ts";
import { openDetectorFile, type OpenOptions } from "./open.ts";
import { exactSession } from "./session.ts";

export interface EvaluateModelOptions extends OpenOptions, LabelledOptions {
  readonly data: DatasetSpec;
  readonly limit?: number;
  readonly threads?: number;
  /** Gets the detections in COCO results format: [{image_id, category_id, bbox, score}], ids of the data set. */
  readonly saveDetections?: string;
  /** Gets the labels as they were read, as COCO JSON: of the pictures and classes that were evaluated, with the ids of `saveDetections`. */
  readonly saveGroundTruth?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface ModelAccuracy extends Accuracy {
  /** What was assumed or left out, one line each. */
  readonly notes: readonly string[];
}

/** COCO mAP of a detector file on a labelled dataset. Throws the UserErrors of opening either, CLASSES_DIFFER, UNLABELLED, NO_GROUND_TRUTH. */
export const evaluateModel = async (path: string, options: EvaluateModelOptions): Promise<ModelAccuracy> => {
  await checkPlaces(options.saveDetections, options.saveGroundTruth);
  const model = await openDetectorFile(path, options);
  const dataset = await openLabelled(options.data, model.classes, options);
  const { classes } = dataset;
  const items = options.limit === undefined ? dataset.items : dataset.items.slice(0, options.limit);
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
      ...model.notes, ...(note === undefined ? [] : [note]), ...dataset.notes, ...limitNote(dataset.items, items), ...brokenNote([...broken.values()]),
      ...(foundNothing(evaluation) ? [`THE MODEL FOUND NOTHING, of any class and score, on ${measured.length} pictures: it is dead, or its head or preprocessing is misread (inspect it, --family, --preprocess)`] : []),
    ],
  };
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
