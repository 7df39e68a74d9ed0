import { describeDetector, type DetectorModel } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import type { Graph } from "../../graph/graph.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import type { DatasetItem } from "../../vision/datasets/dataset.ts";
import { readImageSize } from "../../vision/image.ts";

/** Scores that make a box of the float model one that int8 must find; the lower ones where there is none above. */
const scores = [0.25, 0.1, 0.03];

/**
 * mAP of graphs of `model` against the float model's own boxes on these pictures: no labels are needed. 1 is the float model itself;
 * undefined where it finds nothing.
 */
export const agreementWith = async (model: DetectorModel, pictures: readonly string[], signal?: AbortSignal): Promise<((graph: Graph, session: SessionOptions) => Promise<number>) | undefined> => {
  const abort = signal ? { signal } : {};
  const items: DatasetItem[] = [];
  for (const [index, path] of pictures.entries()) items.push({ id: path, imageId: index + 1, path, ...(await readImageSize(path)), bytes: 0, boxes: [] });
  const { detections } = await evaluateDetector(model, items, model.classes, abort);
  const lowest = scores.find((score) => detections.some(({ detections: found }) => found.some((box) => box.score >= score)));
  if (lowest === undefined) return undefined;
  const judged = items.map((item, index) => ({ ...item, boxes: detections[index]!.detections.filter(({ score }) => score >= lowest).map(({ box, classIndex }) => ({ box, classIndex })) }));
  return async (graph, session) => {
    const candidate = await describeDetector(graph, "the int8 model", { family: model.head.family, classes: model.classes, preprocess: model.contract });
    return (await evaluateDetector(candidate, judged, model.classes, { session, ...abort })).accuracy.map;
  };
};
