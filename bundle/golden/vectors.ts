import { runDetector, type DetectorModel } from "../../detection/detector.ts";
import { decodeImage, detect, fit, letterbox8, toTensor, type Detection, type DetectOptions, type Image8, type OutputTensor } from "../../vision/index.ts";
import { stressPictures, type StressPicture } from "../../vision/stress-pictures.ts";
import type { BundledModel } from "../input.ts";
import type { ModelRole } from "../manifest-schema.ts";

/** What every implementation of the contract must reproduce for one picture. */
export interface GoldenVector {
  readonly picture: StressPicture;
  /** Decoded 8-bit RGB, turned as EXIF says, alpha blended. */
  readonly pixels: Image8;
  /** The network's input as 8-bit RGB, HWC, after resize and padding. */
  readonly letterboxed: Image8;
  /** The input tensor [3, H, W]. */
  readonly input: Float32Array;
  /** All raw outputs, the head's first one first, and final boxes by model file; empty beyond the size budget. */
  readonly results: ReadonlyMap<ModelRole, { readonly outputs: readonly OutputTensor[]; readonly boxes: readonly Detection[] }>;
}

/** Bytes of raw outputs that a bundle keeps; later pictures keep their input alone. At least two pictures keep all. */
const outputBudget = 24 * 2 ** 20;
const fewestComplete = 2;
/** Score thresholds, the first that gives enough boxes counts: synthetic pictures score low. */
const scores = [0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001];
const enoughBoxes = 12;

export interface Golden {
  readonly vectors: readonly GoldenVector[];
  readonly options: DetectOptions;
}

/** Runs every model on the stress pictures, one thread. `seed` draws the pictures. */
export const goldenVectors = async (models: readonly BundledModel[], seed: number, thresholds: Pick<DetectOptions, "iouThreshold" | "maxDetections">): Promise<Golden> => {
  const { contract } = models[0]!.model;
  const pictures = await stressPictures(contract.size, seed);
  const raw = new Map<ModelRole, OutputTensor[][]>();
  const images = await Promise.all(pictures.map(({ bytes, name }) => decodeImage(bytes, { name })));
  const kept: number[] = [];
  for (const { role, model, session, path } of models) {
    const running = await runDetector(model, { threads: 1, extra: session }, path);
    const outputs: OutputTensor[][] = [];
    try {
      for (const image of images) {
        if (kept.length > 0 && outputs.length >= kept[0]!) break;
        outputs.push([...(await running.run([image]))]);
        if (kept.length === 0 && outputs.length === images.length) kept.push(affordable(outputs, models.length));
      }
    } finally {
      await running.close();
    }
    raw.set(role, outputs.slice(0, kept[0]));
  }
  const options = chooseOptions(models[0]!, raw.get(models[0]!.role)!, images, thresholds);
  const vectors = pictures.map((picture, index): GoldenVector => {
    const pixels = images[index]!;
    const letterboxed = letterbox8(pixels, contract);
    const input = new Float32Array(letterboxed.data.length);
    toTensor(letterboxed.data, contract, input);
    const results = new Map(models.flatMap(({ role, model }) => {
      const outputs = raw.get(role)![index];
      return outputs ? [[role, { outputs: headFirst(outputs, model), boxes: detect(model.head, outputs, 0, fit(contract, pixels.width, pixels.height), options) }] as const] : [];
    }));
    return { picture, pixels, letterboxed, input, results };
  });
  return { vectors, options };
};

const headFirst = (outputs: readonly OutputTensor[], { head }: DetectorModel): OutputTensor[] => {
  const [first] = head.outputNames;
  return [...outputs.filter(({ name }) => name === first), ...outputs.filter(({ name }) => name !== first)];
};

/** How many pictures' outputs fit the budget, all models counted. */
const affordable = (outputs: readonly (readonly OutputTensor[])[], models: number): number => {
  const bytes = models * outputs[0]!.reduce((sum, { data }) => sum + data.byteLength, 0);
  return Math.max(fewestComplete, Math.min(outputs.length, Math.floor(outputBudget / bytes)));
};

const chooseOptions = ({ model }: BundledModel, outputs: readonly (readonly OutputTensor[])[], images: readonly Image8[], thresholds: Pick<DetectOptions, "iouThreshold" | "maxDetections">): DetectOptions => {
  const at = (scoreThreshold: number): DetectOptions => ({ ...thresholds, scoreThreshold, multiLabel: false });
  const boxes = (options: DetectOptions): number =>
    outputs.reduce((sum, output, index) => sum + detect(model.head, output, 0, fit(model.contract, images[index]!.width, images[index]!.height), options).length, 0);
  return at(scores.find((score) => boxes(at(score)) >= enoughBoxes) ?? scores.at(-1)!);
};
