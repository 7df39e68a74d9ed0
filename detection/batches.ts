import { Tensor } from "../graph/tensor.ts";
import type { OpenedBatches } from "../training/workers.ts";
import { augmentSample, plainSample, type AugmentOptions, type NetworkSample } from "../vision/augment.ts";
import { toTensor } from "../vision/preprocess.ts";
import { diceFor } from "../vision/random.ts";
import { SampleCache } from "../vision/samples.ts";
import type { LabelledBox, Preprocess } from "../vision/types.ts";
import { anchorCount, anchorLevels, type AnchorLevel } from "./anchors.ts";
import { assignAtss, assignByTeacher } from "./assign.ts";
import { openTeacherCache, type TeacherCacheFiles, type TeacherRecords } from "./teacher-cache.ts";
import { isCalm, variantOf, type VariantPlan } from "./variants.ts";

/** Everything a data worker needs; survives JSON. */
export interface BatchSpec {
  readonly items: readonly { readonly path: string; readonly boxes: readonly LabelledBox[] | null }[];
  /** Of the student: the pictures are made by it. */
  readonly contract: Preprocess;
  readonly classCount: number;
  readonly batch: number;
  readonly seed: number;
  readonly plan: VariantPlan;
  /** Strengths of augmentation; null trains on the plain pictures. */
  readonly augment: Omit<AugmentOptions, "seed" | "contract" | "into"> | null;
  readonly assignment: "atss" | "teacher";
  readonly teacher: TeacherCacheFiles | null;
}

/** Batches of pictures alone, in the contract of a teacher, in dataset order: what the teacher is run on. "Epochs" are variants. */
export interface PictureSpec extends Omit<BatchSpec, "assignment" | "teacher"> {
  readonly kind: "pictures";
  /** Same size as `contract`; makes `images`. */
  readonly teacherContract: Preprocess;
  /** Of further teachers; they make `images1`, `images2`, … */
  readonly otherContracts?: readonly Preprocess[];
}

/** Entry point of the data workers (training/workers.ts). */
export const openBatches = (given: unknown): OpenedBatches => {
  const spec = given as BatchSpec | PictureSpec;
  const source = new SampleCache(spec.items, spec.contract, { budgetBytes: 1.5 * 2 ** 30 });
  const sample = (index: number, variant: number): Promise<NetworkSample> =>
    spec.augment
      ? augmentSample(source, index, variant, { ...spec.augment, seed: spec.seed, contract: spec.contract, ...(isCalm(spec.plan, variant) && { mosaic: 0 }) })
      : plainSample(source, index, spec.contract);
  return "kind" in spec ? pictureBatches(spec, sample) : targetBatches(spec, sample);
};

type SampleAt = (index: number, variant: number) => Promise<NetworkSample>;

const pictureBatches = (spec: PictureSpec, sampleAt: SampleAt): OpenedBatches => ({
  batchesPerEpoch: Math.ceil(spec.items.length / spec.batch),
  batch: async (variant, index) => {
    const first = index * spec.batch;
    const count = Math.min(spec.batch, spec.items.length - first);
    const samples = await Promise.all(Array.from({ length: count }, (_, i) => sampleAt(first + i, variant)));
    const others = (spec.otherContracts ?? []).map((contract, i) => [`images${i + 1}`, stackImages(samples, contract)]);
    return { images: stackImages(samples, spec.teacherContract), ...Object.fromEntries(others) as Record<string, Tensor> };
  },
});

/** Pictures of every training batch: a last, smaller one is left out. */
export const trainingBatch = ({ batch, items }: Pick<BatchSpec, "batch" | "items">): number => Math.max(1, Math.min(batch, items.length));

const targetBatches = (spec: BatchSpec, sampleAt: SampleAt): OpenedBatches => {
  const teacher = spec.teacher ? openTeacherCache(spec.teacher) : null;
  const levels = anchorLevels(spec.contract.size);
  const batch = trainingBatch(spec);
  let shuffled: { epoch: number; order: readonly number[] } | undefined;
  return {
    batchesPerEpoch: Math.floor(spec.items.length / batch),
    batch: async (epoch, index) => {
      if (shuffled?.epoch !== epoch) shuffled = { epoch, order: shuffle(spec.items.length, spec.seed, epoch) };
      const chosen = shuffled.order.slice(index * batch, (index + 1) * batch);
      const variant = variantOf(spec.plan, epoch);
      const samples = await Promise.all(chosen.map((item) => sampleAt(item, variant)));
      const records = teacher?.read(variant, chosen);
      return {
        images: stackImages(samples, spec.contract),
        ...hardTargets(spec, chosen, samples, levels, records),
        ...records?.tensors,
      };
    },
  };
};

/** Fisher-Yates with dice of (seed, epoch). */
const shuffle = (length: number, seed: number, epoch: number): number[] => {
  const dice = diceFor(seed, epoch, 0x5eed);
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = dice.index(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
};

const stackImages = (samples: readonly NetworkSample[], contract: Preprocess): Tensor => {
  const [width, height] = contract.size;
  const values = new Float32Array(samples.length * 3 * width * height);
  for (const [i, { image }] of samples.entries()) toTensor(image.data, contract, values, i * 3 * width * height);
  return Tensor.of("float32", [samples.length, 3, height, width], values);
};

/**
 * Hard labels on the anchors: `hard/classes` [N, C, A] one-hot, `hard/boxes` [N, 4, A] corners in network pixels,
 * `hard/weights` [N, 1, A] 1 on positives, `hard/labelled` [N, 1, 1] 0 for pictures without labels.
 */
const hardTargets = (spec: BatchSpec, chosen: readonly number[], samples: readonly NetworkSample[], levels: readonly AnchorLevel[], records?: TeacherRecords): Record<string, Tensor> => {
  const anchors = anchorCount(levels);
  const n = samples.length;
  const classes = new Float32Array(n * spec.classCount * anchors);
  const boxes = new Float32Array(n * 4 * anchors);
  const weights = new Float32Array(n * anchors);
  const labelled = new Float32Array(n);
  for (const [i, sample] of samples.entries()) {
    if (spec.items[chosen[i]!]!.boxes === null) continue;
    labelled[i] = 1;
    const objects = sample.boxes.filter((label) => !label.crowd);
    const centres = objects.map((label) => label.box);
    const owners = records && spec.assignment === "teacher"
      ? assignByTeacher(centres, objects.map((label) => label.classIndex), records.view(i), levels)
      : assignAtss(centres, levels);
    for (let anchor = 0; anchor < anchors; anchor++) {
      const object = objects[owners[anchor]!];
      if (!object) continue;
      const [x, y, w, h] = object.box;
      weights[i * anchors + anchor] = 1;
      classes[(i * spec.classCount + object.classIndex) * anchors + anchor] = 1;
      for (const [row, value] of [x, y, x + w, y + h].entries()) boxes[(i * 4 + row) * anchors + anchor] = value;
    }
  }
  return {
    "hard/classes": Tensor.of("float32", [n, spec.classCount, anchors], classes),
    "hard/boxes": Tensor.of("float32", [n, 4, anchors], boxes),
    "hard/weights": Tensor.of("float32", [n, 1, anchors], weights),
    "hard/labelled": Tensor.of("float32", [n, 1, 1], labelled),
  };
};
