import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trainDetector } from "../../detection/train.ts";
import { generateRoadscenes } from "../../examples/roadscenes/generate.ts";
import { classes } from "../../examples/roadscenes/sprite.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { augmentDefaults } from "../../vision/augment.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { preprocessPreset } from "../../vision/preprocess.ts";
import type { NetOptions } from "./net.ts";

export interface DataWait {
  readonly steps: number;
  readonly millisecondsPerStep: number;
  /** Share of the time in which a step waited for its batch. */
  readonly waitShare: number;
}

const pictures = 64;
const epochs = 4;

/** Trains the detector itself (head, loss, AdamW, EMA) on generated road scenes with mosaic, flips, scaling and colour changes; the epochs after the first. */
export const measureDataWait = async (net: NetOptions, threads: number): Promise<DataWait> => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-data-"));
  try {
    const data = await generateRoadscenes({ dir: folder, train: pictures, val: 1, seed: 1 });
    const { items } = await openDataset({ path: data.train, images: data.images }, { classes });
    const size = [net.size, net.size] as const;
    const student = yoloStudent({ classes, size, width: net.width, depth: net.depth, activation: net.activation });
    const { history } = await trainDetector({
      student, family: "yolov8", epochs, learningRate: 1e-3, training: { threads },
      batches: {
        items: items.map(({ path, boxes }) => ({ path, boxes })), contract: preprocessPreset("yolov8", size), classCount: classes.length, batch: net.batch, seed: 1,
        plan: { epochs, count: 0 }, augment: augmentDefaults, assignment: "atss",
      },
    });
    const measured = history.slice(1);
    const seconds = measured.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const steps = measured.length * Math.floor(pictures / net.batch);
    return { steps, millisecondsPerStep: (1000 * seconds) / steps, waitShare: measured.reduce((sum, epoch) => sum + epoch.seconds * epoch.dataWaitShare, 0) / seconds };
  } finally {
    await rm(folder, { recursive: true });
  }
};
