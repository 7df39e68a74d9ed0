import { evaluateDetector } from "../../detection/evaluate.ts";
import type { DetectorModel } from "../../detection/detector.ts";
import type { Graph } from "../../graph/graph.ts";
import type { EvaluatedPicture } from "../../vision/coco-map.ts";
import type { EvidenceData } from "../input.ts";

export interface MeasureOptions {
  readonly session?: Readonly<Record<string, string>>;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A detector's detections on the labelled pictures, with what is truly there: what accuracy by slice is computed from. */
export const detections = async (model: DetectorModel, { items, classes }: EvidenceData, source: Graph | string, options: MeasureOptions): Promise<EvaluatedPicture[]> => {
  const { detections: found } = await evaluateDetector(model, items, classes, {
    ...(options.session && { session: { extra: options.session } }), ...(options.onProgress && { onProgress: options.onProgress }), ...(options.signal && { signal: options.signal }),
  }, source);
  return items.map(({ boxes }, index) => ({ groundTruth: boxes ?? [], detections: found[index]!.detections }));
};
