import { UserError } from "../graph/error.ts";
import type { Graph } from "../graph/graph.ts";
import type { SessionOptions } from "../runtime/session.ts";
import { decode, type Candidates } from "../vision/decode.ts";
import type { Head } from "../vision/heads.ts";
import type { Image8 } from "../vision/types.ts";
import { anchorCount, anchorLevels } from "./anchors.ts";
import { runDetector, type DetectorModel } from "./detector.ts";

/** What a dense detector says of one picture: a box and the score of each class for every anchor. */
export interface Rows {
  /** x1, y1, x2, y2 of each anchor, network pixels. */
  readonly corners: Float32Array;
  /** The scores of each anchor, class by class. */
  readonly scores: Float32Array;
  readonly anchors: number;
}

/**
 * The rows of a batch as decoding reads them, `classRows` of the classes in their order; anchors whose score is no
 * number are missing.
 */
export const rowsOf = (
  head: Head,
  outputs: Parameters<typeof decode>[1],
  picture: number,
  classRows: readonly number[],
): Rows => {
  const { count, boxes, probabilities }: Candidates = decode(head, outputs, picture, {
    scoreThreshold: -1,
    withProbabilities: true,
  });
  const corners = new Float32Array(4 * count);
  const scores = new Float32Array(count * classRows.length);
  for (let i = 0; i < count; i++) {
    const [x, y, w, h] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
    corners.set([x, y, x + w, y + h], 4 * i);
    for (const [to, from] of classRows.entries())
      scores[i * classRows.length + to] = probabilities![i * head.classCount + from]!;
  }
  return { corners, scores, anchors: count };
};

/** The rows of each picture, `batch` pictures at a time. */
export const readRows = async (
  model: DetectorModel,
  pictures: readonly Image8[],
  classRows: readonly number[],
  options: { readonly batch: number; readonly session?: SessionOptions; readonly source?: Graph | string },
): Promise<Rows[]> => {
  const running = await runDetector(model, options.session, options.source ?? model.graph);
  try {
    const rows: Rows[] = [];
    for (let first = 0; first < pictures.length; first += options.batch) {
      const some = pictures.slice(first, first + options.batch);
      const outputs = await running.run(some);
      rows.push(...some.map((_, picture) => rowsOf(model.head, outputs, picture, classRows)));
    }
    return rows;
  } finally {
    await running.close();
  }
};

/**
 * True where every anchor of a three-level head has a finite box and finite scores; decoding leaves out rows whose
 * score is no number.
 */
export const allFinite = (rows: readonly Rows[], size: readonly [number, number]): boolean => {
  const whole = anchorCount(anchorLevels(size));
  return rows.every(
    ({ corners, scores, anchors }) =>
      anchors === whole && corners.every(Number.isFinite) && scores.every(Number.isFinite),
  );
};

/** `what` is a detector as a sentence names it. */
export const notFinite = (what: string): UserError =>
  new UserError(
    "NOT_FINITE",
    `${what} gives boxes or scores that are no finite numbers on a picture of the data.`,
    "check the model's export: run it in the framework that it comes from.",
  );
