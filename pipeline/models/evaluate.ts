import { readFile } from "node:fs/promises";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { UserError } from "../../graph/error.ts";
import { canonicalClass, openDataset, type DatasetSpec } from "../../vision/index.ts";
import { accuracyRecord } from "../accuracy.ts";
import { writeFileSafely } from "../files.ts";
import type { Accuracy } from "../result.ts";
import { openDetectorFile, type OpenOptions } from "./open.ts";
import { exactSession } from "./session.ts";

export interface EvaluateModelOptions extends OpenOptions {
  readonly data: DatasetSpec;
  /** Only these classes of the dataset. */
  readonly only?: readonly string[];
  readonly limit?: number;
  readonly skipInvalid?: boolean;
  readonly threads?: number;
  /** Gets the detections in COCO results format: [{image_id, category_id, bbox, score}]. */
  readonly saveDetections?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface ModelAccuracy extends Accuracy {
  /** What was assumed, one line each. */
  readonly notes: readonly string[];
}

/** COCO mAP of a detector file on a labelled dataset. Throws the UserErrors of opening either, CLASSES_DIFFER, UNLABELLED. */
export const evaluateModel = async (path: string, options: EvaluateModelOptions): Promise<ModelAccuracy> => {
  const model = await openDetectorFile(path, options);
  const dataset = await openDataset(options.data, { labelNames: model.classes, ...(options.only && { classes: options.only }), ...(options.skipInvalid !== undefined && { skipInvalid: options.skipInvalid }) });
  const items = options.limit === undefined ? dataset.items : dataset.items.slice(0, options.limit);
  if (items.some(({ boxes }) => boxes === null)) throw unlabelled(options.data.path);
  const { session, note } = exactSession(model.graph);
  const { accuracy, detections } = await evaluateDetector(model, items, dataset.classes, {
    session: { ...session, ...(options.threads !== undefined && { threads: options.threads }) },
    ...(options.onProgress && { onProgress: options.onProgress }), ...(options.signal && { signal: options.signal }),
  }, path);
  if (options.saveDetections !== undefined) {
    const ids = await categoryIds(options.data.path, dataset.classes);
    const results = detections.flatMap(({ imageId, detections: found }) => found.map(({ box, score, classIndex }) => ({ image_id: imageId, category_id: ids[classIndex]!, bbox: box, score })));
    await writeFileSafely(options.saveDetections, JSON.stringify(results));
  }
  return { ...accuracyRecord(accuracy, dataset.classes), notes: [...model.notes, ...(note === undefined ? [] : [note])] };
};

/** The dataset's own category ids where it is a COCO JSON, else 1, 2, … in the order of its classes. */
const categoryIds = async (path: string, classes: readonly string[]): Promise<number[]> => {
  const text = path.endsWith(".json") ? await readFile(path, "utf8") : "{}";
  const { categories = [] } = JSON.parse(text) as { categories?: readonly { readonly id: number; readonly name: string }[] };
  const byName = new Map(categories.map(({ id, name }) => [canonicalClass(name), id]));
  return classes.map((name, index) => byName.get(canonicalClass(name)) ?? index + 1);
};

const unlabelled = (path: string): UserError => new UserError("UNLABELLED", `The dataset ${path} has pictures without labels: mAP cannot be measured.`, "give a labelled dataset (COCO JSON, YOLO txt or VOC XML).");
