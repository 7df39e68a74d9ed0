import { test } from "uvu";
import * as assert from "uvu/assert";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Builder } from "../../../graph/builder.ts";
import { loadModel } from "../../../onnx/load.ts";
import { saveModel } from "../../../onnx/save.ts";
import { quantizeFile } from "../../../pipeline/models/quantize.ts";
import { Graph } from "../../../graph/graph.ts";
import { calibrationFeeds, calibrationInputs, calibrationPaths, calibrationSplit } from "../../../pipeline/quantize/calibration-data.ts";
import type { Feeds } from "../../../runtime/session.ts";
import { preprocessPreset } from "../../../vision/index.ts";
import { inFolder } from "../../helpers/cli.ts";
import { refusal } from "../../helpers/refusal.ts";
import { makeDetector, makeScenes, scenePicture } from "../../helpers/scenes.ts";

/** A YOLO folder whose classes have no names anywhere. */
const withoutNames = async (folder: string): Promise<string> => {
  await makeScenes(folder, 4, 1);
  await mkdir(join(folder, "set/images"), { recursive: true });
  await mkdir(join(folder, "set/labels"));
  for (let i = 0; i < 4; i++) {
    const picture = await scenePicture(folder, "train", i);
    await copyFile(picture, join(folder, "set/images", basename(picture)));
    await writeFile(join(folder, "set/labels", `${basename(picture).replace(/\.[^.]+$/, "")}.txt`), "77 0.5 0.5 0.2 0.2\n");
  }
  return join(folder, "set/images");
};

test("calibration reads no labels: a folder beside labels without class names is a folder of pictures", () => inFolder(async (folder) => {
  const data = await withoutNames(folder);
  assert.is((await calibrationPaths(data, 10)).length, 4);
  assert.match((await calibrationSplit(data, 10)).notes.join("\n"), /cannot be read \(NO_CLASS_NAMES\).*the 4 pictures/);
}));

test("few pictures calibrate and judge; of many some are kept apart", () => inFolder(async (folder) => {
  const [picture] = await calibrationPaths(await withoutNames(folder), 1);
  await mkdir(join(folder, "many"));
  for (let i = 0; i < 70; i++) await copyFile(picture!, join(folder, "many", `${i}.jpg`));
  const few = await calibrationSplit(join(folder, "many"), 8);
  assert.is(few.isShared, false);
  assert.is(few.judge.filter((file) => few.calibrate.includes(file)).length, 0);
  const all = await calibrationSplit(join(folder, "many"), 256);
  assert.equal([all.calibrate.length, all.judge.length, all.isShared], [62, 8, false]);
}));

test("a model whose head is not known is quantized where its preprocess contract is given, without a size", () => inFolder(async (folder) => {
  const data = await withoutNames(folder);
  const model = join(folder, "d.onnx");
  await makeDetector(model);
  const { graph } = await loadModel(model);
  const output = new Builder(graph, "more").op("Softsign", [graph.outputs[0]!]);
  output.name = "unknown";
  graph.outputs.splice(0, 1, new Builder(graph, "rank").op("Reshape", [output, new Builder(graph).int64s([1, 1, 1, 1, -1])]));
  graph.metadata.clear();
  await saveModel(graph, model);
  const out = join(folder, "q.onnx");
  const error = await refusal(quantizeFile(model, { data, out }));
  assert.match(error.code, "HEAD_");
  assert.match(error.nextStep, "--preprocess");
  await writeFile(join(folder, "contract.json"), JSON.stringify({ resize: "stretch", align: "topleft", pad: 0, order: "bgr", scale: 1 / 255, mean: [0, 0, 0], std: [1, 1, 1] }));
  const done = await quantizeFile(model, { data, out, preprocess: join(folder, "contract.json"), scheme: "both", images: 4 });
  assert.ok(done.quantizedNodes > 0);
  assert.match(done.notes.join(), "not recognised");
  assert.ok(done.report.sqnr!["cpu"]!.kernelsDb > 0);
  const files = await readdir(folder);
  assert.ok(files.includes("q.cpu.onnx") && files.includes("q.tensorrt.onnx"));
  assert.is(files.filter((file) => file.endsWith(".unchecked")).length, 0);
}));

test("calibration feeds what evaluation feeds: inputs beside the picture, bytes, every place of a fixed batch", () => inFolder(async (folder) => {
  const paths = await calibrationPaths(await withoutNames(folder), 1);
  const graph = new Graph("net", 17);
  graph.addInput("scale_factor", "float32", [1, 2]);
  graph.addInput("picture", "uint8", [2, 3, 8, 8]);
  graph.addInput("orig_target_sizes", "int64", ["batch", 2]);
  const contract = { ...preprocessPreset("stretch", [8, 8]), scale: 1 };
  const { value: feeds } = (await calibrationFeeds(paths, contract, calibrationInputs("net", graph)).next()) as { value: Feeds };
  assert.equal([feeds.picture!.dtype, feeds.picture!.shape], ["uint8", [2, 3, 8, 8]]);
  const bytes = feeds.picture!.toNumbers();
  assert.ok(Math.max(...bytes) > 1);
  assert.equal([...bytes.slice(192)], [...bytes.slice(0, 192)]);
  assert.equal([...feeds.scale_factor!.toNumbers()], [1, 1, 1, 1]);
  assert.equal([feeds.orig_target_sizes!.dtype, [...feeds.orig_target_sizes!.toNumbers()]], ["int64", [8, 8, 8, 8]]);
}));

test("a picture of bytes is not calibrated on 0..1", () => inFolder(async (folder) => {
  const graph = new Graph("net", 17);
  const b = new Builder(graph, "net");
  const x = b.op("Cast", [graph.addInput("picture", "uint8", [1, 3, 8, 8])], { to: 1 });
  graph.outputs.push(b.op("Conv", [b.op("Conv", [x, b.full([8, 3, 1, 1], 0.1)]), b.full([8, 8, 1, 1], 0.1)]));
  await saveModel(graph, join(folder, "bytes.onnx"));
  const error = await refusal(quantizeFile(join(folder, "bytes.onnx"), { data: await withoutNames(folder), out: join(folder, "q.onnx"), preprocess: "stretch" }));
  assert.is(error.code, "INPUT_TYPE");
}));

test("a refused file leaves nothing behind", () => inFolder(async (folder) => {
  const data = await withoutNames(folder);
  const model = join(folder, "d.onnx");
  await makeDetector(model);
  await mkdir(join(folder, "there"));
  assert.ok(await refusal(quantizeFile(model, { data, out: join(folder, "missing/q.onnx"), images: 2 })));
  assert.is((await readdir(folder)).filter((file) => /unchecked|^q/.test(file)).length, 0);
}));

test.run();
