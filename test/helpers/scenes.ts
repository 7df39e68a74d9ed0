import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateRoadscenes } from "../../examples/roadscenes/generate.ts";
import { saveModel } from "../../onnx/save.ts";
import { yoloStudent } from "../../students/yolo.ts";

export const sceneClasses = ["car", "truck", "pedestrian", "cyclist", "traffic_light"];
export const tinySize = [96, 64] as const;

/** A small labelled dataset in `folder`/data. */
export const makeScenes = async (folder: string, train = 12, val = 4): Promise<void> => {
  await generateRoadscenes({ dir: join(folder, "data"), train, val, seed: 3 });
};

/** Path of a picture of a split of the scenes. */
export const scenePicture = async (folder: string, split: "train" | "val", index: number): Promise<string> => {
  const images = join(folder, "data", "images");
  return join(images, (await readdir(images)).filter((name) => name.startsWith(split)).sort()[index]!);
};

/** A detector with fresh weights: good enough to learn from and to break. */
export const makeDetector = async (path: string, options: { readonly classes?: readonly string[]; readonly seed?: number } = {}): Promise<void> =>
  saveModel(yoloStudent({ classes: options.classes ?? sceneClasses, size: tinySize, width: 0.125, depth: 0.33, seed: options.seed ?? 7 }), path);

/** Writes config.yaml for the scenes; `extra` are further lines. */
export const writeConfig = async (folder: string, extra: readonly string[]): Promise<string> => {
  const path = join(folder, "config.yaml");
  await writeFile(path, [
    "name: tiny", "seed: 5", "data: {train: data/train.json, val: data/val.json, images: data/images}", `input: {size: [${tinySize.join(", ")}]}`,
    "student: {arch: yolo, width: 0.125, depth: 0.33}", "benchmark: {seconds: 0.2}", "report: {pictures: 1}", ...extra, "",
  ].join("\n"));
  return path;
};
