import type { Graph } from "../graph/graph.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { cocoAccuracy, type CocoAccuracy, type EvaluatedPicture } from "../vision/coco-map.ts";
import type { DatasetItem } from "../vision/datasets/dataset.ts";
import { canonicalClass } from "../vision/datasets/classes.ts";
import { detect, evaluationOptions } from "../vision/detect.ts";
import { UserError } from "../graph/error.ts";
import { decodeImage } from "../vision/image.ts";
import { fit } from "../vision/preprocess.ts";
import type { Detection, Image8 } from "../vision/types.ts";
import { runDetector, type DetectorModel } from "./detector.ts";

export interface EvaluateOptions {
  readonly session?: SessionOptions;
  readonly onProgress?: (done: number, total: number) => void;
  /** Told of a picture that cannot be decoded, which is left out then; without it the error is thrown. */
  readonly onBroken?: ((item: DatasetItem, error: UserError) => void) | undefined;
  readonly signal?: AbortSignal;
}

export interface Evaluation {
  readonly accuracy: CocoAccuracy;
  /** By picture, in the order of the items. */
  readonly detections: readonly { readonly imageId: number; readonly detections: readonly Detection[] }[];
}

/** For each of the model's classes its index among the dataset's, or -1. Throws CLASSES_DIFFER when a dataset class is unknown to the model. */
export const classMapping = (model: readonly string[], dataset: readonly string[]): number[] => {
  const wanted = dataset.map(canonicalClass);
  const mapping = model.map((name) => wanted.indexOf(canonicalClass(name)));
  const missing = dataset.filter((_, index) => !mapping.includes(index));
  if (missing.length > 0) {
    throw new UserError("CLASSES_DIFFER", `The model does not know the class${missing.length > 1 ? "es" : ""} ${missing.map((name) => `"${name}"`).join(", ")}; it has ${model.slice(0, 12).join(", ")}${model.length > 12 ? ", …" : ""}.`,
      "leave the class out of data.classes, use a model that was trained on it, or name the model's classes where its own names are wrong (classes beside model in a config, else --names).");
  }
  return mapping;
};

const orBroken = async (image: Promise<Image8>, item: DatasetItem, onBroken: EvaluateOptions["onBroken"]): Promise<Image8 | undefined> => {
  try {
    return await image;
  } catch (error) {
    if (!onBroken || !(error instanceof UserError)) throw error;
    onBroken(item, error);
    return undefined;
  }
};

/** No detection at all, of any class and score: a dead model, or one whose head is misread. */
export const foundNothing = ({ detections }: Evaluation): boolean => detections.length > 0 && detections.every(({ detections: found }) => found.length === 0);

/**
 * COCO mAP of a detector on labelled pictures: score threshold 0.001, class-wise NMS at 0.65 (pycocotools' protocol as YOLO trainers use it).
 * Detections of classes that the dataset does not have are left out; ties of score follow the image ids.
 * `source` replaces the graph for the session (a file, an optimised graph).
 */
export const evaluateDetector = async (model: DetectorModel, items: readonly DatasetItem[], classes: readonly string[], options: EvaluateOptions = {}, source: Graph | string = model.graph): Promise<Evaluation> => {
  const mapping = classMapping(model.classes, classes);
  const running = await runDetector(model, options.session, source);
  try {
    const pictures: (EvaluatedPicture & { readonly imageId: number })[] = [];
    const detections: { imageId: number; detections: Detection[] }[] = [];
    let next = items[0] ? decodeImage(items[0].path) : undefined;
    for (const [index, item] of items.entries()) {
      options.signal?.throwIfAborted();
      const image = await orBroken(next!, item, options.onBroken);
      const following = items[index + 1];
      next = following ? decodeImage(following.path) : undefined;
      next?.catch(() => undefined); // reported when it is awaited
      if (image) {
        const geometry = fit(model.contract, image.width, image.height);
        const outputs = await running.run([image]);
        const found = detect(model.head, outputs, 0, geometry, evaluationOptions)
          .flatMap((detection) => (mapping[detection.classIndex]! < 0 ? [] : [{ ...detection, classIndex: mapping[detection.classIndex]! }]));
        detections.push({ imageId: item.imageId, detections: found });
        pictures.push({ imageId: item.imageId, groundTruth: item.boxes ?? [], detections: found });
      }
      options.onProgress?.(index + 1, items.length);
    }
    pictures.sort((a, b) => a.imageId - b.imageId);
    return { accuracy: cocoAccuracy(pictures, classes), detections };
  } finally {
    await running.close();
  }
};
