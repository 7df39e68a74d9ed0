import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { compress, type CompressResult } from "../../pipeline/run.ts";
import { makeDetector, makeScenes, writeConfig } from "../helpers/scenes.ts";

export const bundleLines = [
  "bundle: {limits: [not for fog]}",
  "requirements: [{id: R1, metric: map, limit: 0}, {id: R2, metric: ap.car, limit: 0.99}, {id: R3, metric: sizeBytes, limit: 1000000000}, {id: R4, metric: map, limit: 0, slice: night}, {id: R5, metric: local.p99Ms, limit: 100000}]",
];

/** A finished run in `folder`: a teacher, a student of one epoch, two int8 files, and a bundle; `more` lines come to its config. */
export const tinyRun = async (folder: string, more: readonly string[] = []): Promise<CompressResult & { readonly config: string }> => {
  await makeScenes(folder, 6, 4);
  await makeDetector(join(folder, "teacher.onnx"));
  await writeFile(join(folder, "night.txt"), "val-v2-s3-00000.jpg\nval-v2-s3-00002.jpg\n");
  const config = await writeConfig(folder, [
    "teacher: {model: teacher.onnx}", "distill: {epochs: 1, batch: 6, variants: 1, distribution: false, baseline: false, evaluateEvery: 0}", "quantize: {images: 4, maxDrop: 1}", ...bundleLines, ...more,
  ]);
  await replaceLine(config, "data: {", "data: {slices: {night: night.txt}, ");
  return { ...(await compress(config, { runs: join(folder, "runs") })), config };
};

const replaceLine = async (file: string, from: string, to: string): Promise<void> => {
  await writeFile(file, (await readFile(file, "utf8")).replace(from, to));
};
