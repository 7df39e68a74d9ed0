import { stat } from "node:fs/promises";
import { detectorInputs, feedsOf, type DetectorInputs } from "../../detection/feeds.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Feeds } from "../../runtime/session.ts";
import { isImageFile, listFiles } from "../../vision/datasets/files.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { decodeImage } from "../../vision/image.ts";
import { letterbox8, toTensor } from "../../vision/preprocess.ts";
import type { Preprocess } from "../../vision/types.ts";
import { noCalibrationData } from "./errors.ts";

/** `count` items spread evenly over the list, in its order: neighbours in a dataset are often frames of one scene. */
export const spread = <T>(items: readonly T[], count: number): readonly T[] =>
  items.length <= count ? items : Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);

/** Paths of the pictures of a dataset or a folder, at most `count`. Throws UserError NO_CALIBRATION_DATA and those of `openDataset`. */
export const calibrationPaths = async (path: string, count: number): Promise<readonly string[]> => spread((await allPictures(path, count)).paths, count);

/** Pictures to measure ranges on, and others to judge the int8 file on. */
export interface CalibrationSplit {
  readonly calibrate: readonly string[];
  readonly judge: readonly string[];
  /** Whether there were too few pictures to keep some apart. */
  readonly isShared: boolean;
  /** What a reader should know of the pictures, one line each. */
  readonly notes: readonly string[];
}

/** Pictures that judge an int8 file without labels. */
const mostJudged = 32;
/** With fewer pictures all of them calibrate and judge. */
const fewestToSplit = 64;

/** As `calibrationPaths`, with up to 32 pictures kept apart: those that calibration leaves, or every eighth. */
export const calibrationSplit = async (path: string, count: number): Promise<CalibrationSplit> => {
  const { paths: all, notes } = await allPictures(path, count);
  const calibrate = spread(all, count);
  const used = new Set(calibrate);
  const left = all.filter((file) => !used.has(file));
  if (left.length >= mostJudged) return { calibrate, judge: spread(left, mostJudged), isShared: false, notes };
  if (calibrate.length < fewestToSplit) return { calibrate, judge: spread(calibrate, mostJudged), isShared: true, notes };
  const judge = new Set(spread(calibrate, Math.min(mostJudged, Math.floor(calibrate.length / 8))));
  return { calibrate: calibrate.filter((file) => !judge.has(file)), judge: [...judge], isShared: false, notes };
};

/** Labels are not needed: where a folder's cannot be read, its pictures are, which a note says. */
const allPictures = async (path: string, count: number): Promise<{ paths: readonly string[]; notes: readonly string[] }> => {
  const found = await openDataset({ path, split: "train" }).then(({ items }) => ({ paths: items.map((item) => item.path), notes: [] as string[] })).catch(async (error: unknown) => {
    const isFolder = await stat(path).then((one) => one.isDirectory()).catch(() => false);
    const paths = isFolder && error instanceof UserError ? await listFiles(path, isImageFile) : [];
    if (paths.length === 0 || !(error instanceof UserError)) throw error;
    return { paths, notes: [`the labels of ${path} cannot be read (${error.code}), which calibration does not need: the ${paths.length} pictures of all its folders are taken`] };
  });
  if (found.paths.length === 0 || count < 1) throw noCalibrationData();
  return found;
};

/** The picture input and those beside it, as a quantized model's sessions take them: a float16 picture is float32 there. Throws UserError NOT_A_DETECTOR. */
export const calibrationInputs = (label: string, graph: Graph): DetectorInputs => {
  const ports = graph.inputs.map(({ name, dtype, shape }) => ({ name, shape: shape ?? [], dtype: dtype === undefined || dtype === "float16" ? "float32" as const : dtype }));
  return detectorInputs(label, ports);
};

/**
 * The pictures as feeds, exactly as evaluation gives them to the network; one at a time, or as often as a fixed batch has places.
 * A corrupt or missing picture throws the UserError of `decodeImage`, naming the file.
 */
export async function* calibrationFeeds(paths: readonly string[], contract: Preprocess, inputs: DetectorInputs | string): AsyncGenerator<Feeds> {
  const [width, height] = contract.size;
  const places = typeof inputs === "string" ? alone(inputs) : inputs;
  const count = 3 * width * height;
  for (const path of paths) {
    const values = new Float32Array(count * (places.batch ?? 1));
    toTensor(letterbox8(await decodeImage(path), contract).data, contract, values.subarray(0, count));
    for (let at = count; at < values.length; at += count) values.copyWithin(at, 0, count);
    yield feedsOf(places, values, contract);
  }
}

/** A model of one float32 picture. */
const alone = (name: string): DetectorInputs => ({ picture: { name, dtype: "float32", shape: [1, 3, "height", "width"] }, others: [], batch: 1 });
