import { test } from "uvu";
import * as assert from "uvu/assert";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { saveModel } from "../../onnx/save.ts";
import { cli, inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, sceneClasses, scenePicture } from "../helpers/scenes.ts";

const sentenceModel = (): Graph => {
  const graph = new Graph("sentence", 17);
  const b = new Builder(graph, "m");
  const x = graph.addInput("tokens", "float32", [1, 8]);
  const y = b.op("Relu", [x]);
  y.name = "logits";
  graph.outputs.push(y);
  return graph;
};

test("inspect, grad, prune: JSON alone on stdout", () => inFolder(async (folder) => {
  const model = join(folder, "d.onnx");
  await makeDetector(model);
  const inspection = JSON.parse((await cli(["inspect", model, "--json"])).stdout) as Record<string, unknown>;
  for (const key of ["parameters", "macs", "sizeBytes", "opset", "inputs", "outputs", "ops", "trainable", "prunable", "tensorrt"]) assert.ok(key in inspection, key);
  const grad = await cli(["grad", model, "--loss", "output0", "--wrt", "images", "-o", join(folder, "g.onnx"), "--json"]);
  assert.equal((JSON.parse(grad.stdout) as { outputs: string[] }).outputs[1], "grad/images");
  const pruned = JSON.parse((await cli(["prune", model, "--macs", "0.7", "-o", join(folder, "p.onnx"), "--save-masked", join(folder, "m.onnx"), "--json"])).stdout) as { macs: number; groups: unknown[] };
  assert.ok(Math.abs(pruned.macs / (inspection["macs"] as number) - 0.7) < 0.05 && pruned.groups.length > 0);
}));

test("eval and predict on scenes: the contract's keys, COCO detections with the dataset's ids", () => inFolder(async (folder) => {
  const model = join(folder, "d.onnx");
  await makeDetector(model);
  await makeScenes(folder, 1, 2);
  const evaluated = await cli(["eval", model, "--data", join(folder, "data/val.json"), "--save-detections", join(folder, "found.json"), "--json"]);
  assert.is(evaluated.exitCode, 0, evaluated.stderr);
  const accuracy = JSON.parse(evaluated.stdout) as Record<string, unknown>;
  assert.equal(Object.keys(accuracy), ["images", "map", "map50", "map75", "mapSmall", "mapMedium", "mapLarge", "perClass", "notes"]);
  const found = JSON.parse(await readFile(join(folder, "found.json"), "utf8")) as { image_id: number; category_id: number; bbox: number[]; score: number }[];
  assert.ok(found.every(({ category_id, bbox }) => category_id >= 1 && category_id <= sceneClasses.length && bbox.length === 4));
  const photo = await scenePicture(folder, "val", 0);
  const predicted = await cli(["predict", model, photo, "--score", "0.001", "--save", join(folder, "out"), "--json"]);
  const [picture] = JSON.parse(predicted.stdout) as { image: string; detections: { box: number[]; score: number; class: string }[] }[];
  assert.ok(picture && picture.detections.every((detection) => detection.box.length === 4 && sceneClasses.includes(detection.class)));
  await readFile(join(folder, "out", basename(photo)));
}));

for (const [what, prepare, args, words] of [
  ["a missing model", () => Promise.resolve(), ["inspect", "none.onnx"], "none.onnx"],
  ["a text file as a model", async (folder: string) => writeFile(join(folder, "x.onnx"), "hello, I am no model"), ["inspect", "x.onnx"], "x.onnx"],
  ["a model that is no detector", async (folder: string) => saveModel(sentenceModel(), join(folder, "s.onnx")), ["predict", "s.onnx", "a.jpg"], "NOT_A_DETECTOR"],
  ["a corrupt picture", async (folder: string) => { await makeDetector(join(folder, "d.onnx")); await writeFile(join(folder, "a.jpg"), "no jpeg"); }, ["predict", "d.onnx", "a.jpg"], "a.jpg"],
  ["an empty dataset", async (folder: string) => { await makeDetector(join(folder, "d.onnx")); await mkdir(join(folder, "empty")); }, ["eval", "d.onnx", "--data", "empty"], "empty"],
  ["no calibration pictures", async (folder: string) => { await makeDetector(join(folder, "d.onnx")); await mkdir(join(folder, "empty")); }, ["quantize", "d.onnx", "--data", "empty", "-o", "q.onnx"], "empty"],
] as const) {
  test(`${what}: exit 1, named, with a next step, no stack`, () => inFolder(async (folder) => {
    await prepare(folder);
    const { exitCode, stdout, stderr } = await cli([...args], folder);
    assert.is(exitCode, 1, stderr);
    assert.is(stdout, "");
    assert.match(stderr, words);
    assert.match(stderr, "next step");
    assert.not.match(stderr, /\n\s+at |this is a bug/);
  }));
}

test.run();
