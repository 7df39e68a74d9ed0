import { basename, extname, join } from "node:path";
import { runDetector } from "../../detection/detector.ts";
import { decodeImage, detect, drawBoxes, encodeJpeg, fit, predictionOptions } from "../../vision/index.ts";
import { writeFileSafely } from "../files.ts";
import { openDetectorFile, type OpenOptions } from "./open.ts";
import { exactSession } from "./session.ts";

export interface PredictOptions extends OpenOptions {
  /** Lowest score that is shown; 0.25. */
  readonly score?: number;
  /** Boxes of a class that overlap more than this are one; 0.45. */
  readonly iou?: number;
  /** Folder that gets the annotated pictures. */
  readonly save?: string;
  readonly signal?: AbortSignal;
}

export interface Prediction {
  readonly image: string;
  /** Boxes [x, y, width, height] in pixels of the original picture, best first. */
  readonly detections: readonly { readonly box: readonly number[]; readonly score: number; readonly class: string }[];
  /** The annotated picture, where one was saved. */
  readonly saved?: string;
}

/** Runs a detector file on pictures. Throws the UserErrors of opening the model and the pictures. */
export const predictImages = async (path: string, images: readonly string[], options: PredictOptions = {}): Promise<{ readonly predictions: readonly Prediction[]; readonly notes: readonly string[] }> => {
  const model = await openDetectorFile(path, options);
  const { session, note } = exactSession(model.graph);
  const running = await runDetector(model, session, path);
  const limits = { ...predictionOptions, scoreThreshold: options.score ?? predictionOptions.scoreThreshold, iouThreshold: options.iou ?? predictionOptions.iouThreshold };
  const predictions: Prediction[] = [];
  try {
    for (const file of images) {
      options.signal?.throwIfAborted();
      const image = await decodeImage(file);
      const found = detect(model.head, await running.run([image]), 0, fit(model.contract, image.width, image.height), limits);
      const saved = options.save === undefined ? undefined : join(options.save, `${basename(file, extname(file))}.jpg`);
      if (saved !== undefined) await writeFileSafely(saved, await encodeJpeg(drawBoxes(image, found, { classes: model.classes })));
      predictions.push({
        image: file, detections: found.map(({ box, score, classIndex }) => ({ box, score, class: model.classes[classIndex] ?? `class${classIndex}` })), ...(saved !== undefined && { saved }),
      });
    }
  } finally {
    await running.close();
  }
  return { predictions, notes: [...model.notes, ...(note === undefined ? [] : [note])] };
};
