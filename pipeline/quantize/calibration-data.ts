import { Tensor } from "../../graph/tensor.ts";
import type { Feeds } from "../../runtime/session.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { decodeImage } from "../../vision/image.ts";
import { letterbox8, toTensor } from "../../vision/preprocess.ts";
import type { Preprocess } from "../../vision/types.ts";
import { noCalibrationData } from "./errors.ts";

/** `count` items spread evenly over the list, in its order: neighbours in a dataset are often frames of one scene. */
export const spread = <T>(items: readonly T[], count: number): readonly T[] =>
  items.length <= count ? items : Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);

/** Paths of the pictures of a dataset or a folder, at most `count`. Throws UserError NO_CALIBRATION_DATA and those of `openDataset`. */
export const calibrationPaths = async (path: string, count: number): Promise<readonly string[]> => {
  const { items } = await openDataset({ path, split: "train" });
  if (items.length === 0 || count < 1) throw noCalibrationData();
  return spread(items, count).map((item) => item.path);
};

/**
 * The pictures as feeds of `inputName`, one at a time, exactly as evaluation gives them to the network.
 * A corrupt or missing picture throws the UserError of `decodeImage`, naming the file.
 */
export async function* calibrationFeeds(paths: readonly string[], contract: Preprocess, inputName: string): AsyncGenerator<Feeds> {
  const [width, height] = contract.size;
  for (const path of paths) {
    const values = new Float32Array(3 * width * height);
    toTensor(letterbox8(await decodeImage(path), contract).data, contract, values);
    yield { [inputName]: Tensor.of("float32", [1, 3, height, width], values) };
  }
}
