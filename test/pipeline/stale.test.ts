import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { silentReporter } from "../../pipeline/progress.ts";
import type { RunResult } from "../../pipeline/result.ts";
import { compress, type CompressOptions } from "../../pipeline/run.ts";
import { inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, scenePicture, writeConfig } from "../helpers/scenes.ts";

/** A run in `folder`, and which of its stages and trainings were read back. */
const run = async (folder: string, config: string, until?: CompressOptions["until"]): Promise<{ result: RunResult; reused: string[] }> => {
  const lines: string[] = [];
  const { result } = await compress(config, { runs: join(folder, "runs"), reporter: { ...silentReporter, line: (text) => lines.push(text) }, ...(until && { until }) });
  return { result, reused: lines.flatMap((line) => /^(\S+): (?:finished|trained) already$/.exec(line)?.[1] ?? []) };
};

const hashOf = ({ variants }: RunResult, name: string): string => variants.find((variant) => variant.name === name)!.sha256;

test("another student in the same file is not taken for the first", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  await makeDetector(join(folder, "student.onnx"), { seed: 1 });
  const config = await writeConfig(folder, ["distill: {epochs: 0}"]);
  await writeFile(config, (await readFile(config, "utf8")).replace(/student: .*/, "student: {model: student.onnx}"));
  const first = await run(folder, config, "distill");
  assert.equal((await run(folder, config, "distill")).reused, ["distill"]);
  await makeDetector(join(folder, "student.onnx"), { seed: 2 });
  const second = await run(folder, config, "distill");
  assert.equal(second.reused, []);
  assert.is.not(hashOf(second.result, "student"), hashOf(first.result, "student"));
}));

/** Another picture of the same size in bytes: uncompressed, as .bmp files are. */
const repaint = async (file: string): Promise<void> => {
  const { data, info } = await sharp(await readFile(file)).raw().toBuffer({ resolveWithObject: true });
  data.reverse();
  await writeFile(file, await sharp(data, { raw: info }).png({ compressionLevel: 0 }).toBuffer());
};

test("other pictures in files of the same name and size are trained on, and calibrated on, anew", () => inFolder(async (folder) => {
  await makeScenes(folder, 4, 1);
  const picture = await scenePicture(folder, "train", 0);
  await writeFile(picture, await sharp(await readFile(picture)).png({ compressionLevel: 0 }).toBuffer());
  await mkdir(join(folder, "calibration"));
  await copyFile(picture, join(folder, "calibration", "a.png"));
  await makeDetector(join(folder, "teacher.onnx"));
  const config = await writeConfig(folder, ["teacher: {model: teacher.onnx}", "distill: {epochs: 1, batch: 4, variants: 1, evaluateEvery: 0, baseline: false}", "quantize: {images: 4, maxDrop: 1, scheme: cpu}"]);
  await writeFile(config, (await readFile(config, "utf8")).replace("data: {", "data: {calibration: calibration, "));
  const first = await run(folder, config, "quantize");
  assert.equal((await run(folder, config, "quantize")).reused, ["distill", "quantize"]);
  await repaint(join(folder, "calibration", "a.png"));
  const calibrated = await run(folder, config, "quantize");
  assert.equal(calibrated.reused, ["distill"]);
  assert.is.not(hashOf(calibrated.result, "int8"), hashOf(first.result, "int8"));
  await repaint(picture);
  const trained = await run(folder, config, "quantize");
  assert.equal(trained.reused, []);
  assert.is.not(hashOf(trained.result, "distilled"), hashOf(first.result, "distilled"));
}));

test("a picture set with data.calibration that cannot be read is refused before training", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  await mkdir(join(folder, "calibration"));
  const config = await writeConfig(folder, ["quantize: {images: 4}"]);
  await writeFile(config, (await readFile(config, "utf8")).replace("data: {", "data: {calibration: calibration, "));
  const error: unknown = await run(folder, config, "plan").catch((reason: unknown) => reason);
  assert.match(String(error), /calibration/);
}));

test.run();
