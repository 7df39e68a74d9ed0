import { decode, type OutputTensor } from "./decode.ts";
import type { Head } from "./heads.ts";
import { byScore, nonMaximumSuppression } from "./nms.ts";
import { toImage, type Geometry } from "./preprocess.ts";
import type { Box, Detection } from "./types.ts";

export interface DetectOptions {
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly multiLabel: boolean;
  readonly maxDetections: number;
}

/** For mAP, as Ultralytics' val and the published figures: low threshold, every class of a box counts. */
export const evaluationOptions: DetectOptions = { scoreThreshold: 0.001, iouThreshold: 0.65, multiLabel: true, maxDetections: 300 };
/** For showing boxes to people. */
export const predictionOptions: DetectOptions = { scoreThreshold: 0.25, iouThreshold: 0.45, multiLabel: false, maxDetections: 300 };

/** Outputs of picture `batchIndex` → its detections in pixels of the original picture (clipped to it), best first. */
export function detect(head: Head, outputs: readonly OutputTensor[], batchIndex: number, geometry: Geometry, options: DetectOptions): Detection[] {
  const candidates = decode(head, outputs, batchIndex, options);
  const order = head.needsNms ? nonMaximumSuppression(candidates, options) : byScore(candidates).subarray(0, options.maxDetections);
  return Array.from(order, (i) => {
    const [x, y, w, h] = candidates.boxes.subarray(i * 4, i * 4 + 4) as unknown as Box;
    return { box: toImage([x, y, w, h], geometry), score: candidates.scores[i]!, classIndex: candidates.classes[i]! };
  });
}
