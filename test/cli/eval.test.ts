import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { saveModel } from "../../onnx/save.ts";
import { evaluateModel, type EvaluateModelOptions, type ModelAccuracy } from "../../pipeline/models/evaluate.ts";
import { writeClassNames } from "../../students/metadata.ts";
import { encodeJpeg, encodePng } from "../../vision/index.ts";
import { cli, inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";
import { plain } from "../vision/images.ts";

/** A detector that says the same rows (x1 y1 x2 y2 score class) on every picture of 64 x 64. */
const sayAlways = async (file: string, rows: readonly (readonly number[])[], classes: readonly string[]): Promise<void> => {
  const graph = new Graph("same", 17);
  const b = new Builder(graph, "m");
  const images = graph.addInput("images", "float32", [1, 3, 64, 64]);
  const nothing = b.mul(b.op("Reshape", [b.op("ReduceMean", [images], { axes: [1, 2, 3], keepdims: 0 }), b.constant(Tensor.int64([3], [1, 1, 1]))]), 0);
  const five = [...rows, ...Array.from({ length: 5 - rows.length }, () => [0, 0, 1, 1, 0, 0])];
  const output = b.add(nothing, b.constant(Tensor.from("float32", [1, 5, 6], five.flat())));
  output.name = "output0";
  graph.outputs.push(output);
  writeClassNames(graph, classes);
  await saveModel(graph, file);
};

type Options = Omit<EvaluateModelOptions, "data" | "family">;

const evaluate = (folder: string, data: string, { saveDetections, saveGroundTruth, ...options }: Options = {}): Promise<ModelAccuracy> =>
  evaluateModel(join(folder, "m.onnx"), {
    family: "end2end", data: { path: join(folder, data) }, ...options,
    ...(saveDetections !== undefined && { saveDetections: join(folder, saveDetections) }), ...(saveGroundTruth !== undefined && { saveGroundTruth: join(folder, saveGroundTruth) }),
  });

const refusedFor = async (code: string, work: Promise<unknown>): Promise<string> => {
  const error = await refusal(work);
  assert.is(error.code, code, error.message);
  return `${error.message} ${error.nextStep}`;
};

const annotation = (id: number, image: number, category: number, bbox: readonly number[]) => ({ id, image_id: image, category_id: category, bbox, area: bbox[2]! * bbox[3]!, iscrowd: 0 });

/** Pictures 1 and 2; the model's box is in picture 1 alone. */
const coco = (order: readonly number[], shift = 0) => JSON.stringify({
  images: order.map((k) => ({ id: k + shift, file_name: `${k}.png`, width: 64, height: 64 })), categories: [{ id: 7, name: "thing" }, { id: 3, name: "other" }],
  annotations: [annotation(1, 1 + shift, 7, [8, 8, 32, 32]), annotation(2, 2 + shift, 7, [40, 40, 10, 10])],
});

const writePictures = async (folder: string, ...names: readonly string[]): Promise<void> => {
  await mkdir(folder, { recursive: true });
  for (const [k, name] of names.entries()) await writeFile(join(folder, name), await (name.endsWith(".png") ? encodePng : encodeJpeg)(plain(64, 64, [90 * k, 90, 90])));
};

test("ties of score follow the image ids (pycocotools: 0.50495); files for pycocotools have the data set's ids", () => inFolder(async (folder) => {
  await sayAlways(join(folder, "m.onnx"), [[8, 8, 40, 40, 0.9, 0]], ["thing"]);
  await writePictures(join(folder, "images"), "1.png", "2.png");
  for (const order of [[1, 2], [2, 1]]) {
    await writeFile(join(folder, "val.json"), coco(order, 100));
    const printed = await evaluate(folder, "val.json", { saveDetections: "found.json", saveGroundTruth: "truth.json" });
    assert.ok(Math.abs(printed.map - 0.5049504950495048) < 1e-9, `${printed.map}`);
    assert.match(printed.notes.join("\n"), /"other": without boxes and unknown to the model, left out/);
    const found = JSON.parse(await readFile(join(folder, "found.json"), "utf8")) as { image_id: number; category_id: number; bbox: number[]; score: number }[];
    assert.equal(found.filter(({ score }) => score > 0.5).map(({ image_id, category_id, bbox, score }) => [image_id, category_id, bbox, score]), [101, 102].map((id) => [id, 7, [8, 8, 32, 32], Math.fround(0.9)]));
    const truth = JSON.parse(await readFile(join(folder, "truth.json"), "utf8")) as { images: { id: number }[]; categories: unknown; annotations: { id: number; image_id: number; category_id: number }[] };
    assert.equal([truth.images.map(({ id }) => id), truth.categories, truth.annotations.map(({ id, image_id, category_id }) => [id, image_id, category_id])], [[101, 102], [{ id: 7, name: "thing" }], [[1, 101, 7], [2, 102, 7]]]);
  }
}));

test("nothing to measure is an error; a model that finds nothing is said loudly", () => inFolder(async (folder) => {
  await sayAlways(join(folder, "m.onnx"), [[8, 8, 40, 40, 0.9, 0]], ["thing"]);
  await writePictures(join(folder, "images"), "1.png", "2.png");
  await writeFile(join(folder, "val.json"), coco([1, 2]).replace(/"annotations":\[.*\]/, '"annotations":[]'));
  await refusedFor("NO_GROUND_TRUTH", evaluate(folder, "val.json"));
  await writeFile(join(folder, "val.json"), coco([1, 2]));
  await refusedFor("NO_GROUND_TRUTH", evaluate(folder, "val.json", { only: ["other"] }));
  const limited = await evaluate(folder, "val.json", { limit: 1 });
  assert.equal([limited.images, Math.round(limited.map * 1e6)], [1, 1e6]);
  assert.match(limited.notes.join("\n"), /the first 1 of 2 pictures/);
  await sayAlways(join(folder, "m.onnx"), [], ["thing"]);
  const dead = await evaluate(folder, "val.json");
  assert.is(dead.map, 0);
  assert.match(dead.notes.join("\n"), /FOUND NOTHING/);
}));

test("a YOLO folder: class names must be known; pictures and labels that are not used are noted on the terminal", () => inFolder(async (folder) => {
  await sayAlways(join(folder, "m.onnx"), [[8, 8, 40, 40, 0.9, 0]], ["thing"]);
  await writePictures(join(folder, "data/images"), "1.png", "2.png", "cut.jpg");
  await mkdir(join(folder, "data/labels"));
  for (const name of ["1", "cut", "gone"]) await writeFile(join(folder, "data/labels", `${name}.txt`), "0 0.375 0.375 0.5 0.5\n");
  assert.match(await refusedFor("NO_CLASS_NAMES", evaluate(folder, "data")), /--label-names/);
  assert.is((await evaluate(folder, "data", { labelNames: ["thing"] })).images, 3);
  assert.is((await evaluate(folder, "data", { labelNames: "model", unlabelled: "skip" })).images, 2);
  const file = join(folder, "data/images/cut.jpg");
  await writeFile(file, (await readFile(file)).subarray(0, -20));
  assert.match(await refusedFor("DATASET_INVALID", evaluate(folder, "data", { labelNames: ["thing"] })), /cut\.jpg/);
  const { exitCode, stderr, stdout } = await cli(["eval", "m.onnx", "--family", "end2end", "--data", "data", "--label-names", "thing", "--skip-invalid"], folder);
  assert.is(exitCode, 0, stderr);
  assert.match(stderr, /note: 1 picture \(images\/2\.png\) without a label file[^]*note: 1 label file \(labels\/gone\.txt\) without a picture[^]*note: left out as broken: 1 problem[^]*cut\.jpg/);
  assert.match(stdout, /2 pictures/);
}));

test("--skip-invalid also counts a picture that fails only while it is decoded", () => inFolder(async (folder) => {
  await sayAlways(join(folder, "m.onnx"), [[8, 8, 40, 40, 0.9, 0]], ["thing"]);
  await writePictures(join(folder, "images"), "1.png", "2.png");
  const file = join(folder, "images/2.png");
  const bytes = await readFile(file);
  bytes[bytes.length - 20]! ^= 255; // inside the last chunk of pixels
  await writeFile(file, bytes);
  await writeFile(join(folder, "val.json"), coco([1, 2]));
  assert.match(await refusedFor("IMAGE_CORRUPT", evaluate(folder, "val.json")), /2\.png/);
  const printed = await evaluate(folder, "val.json", { skipInvalid: true, saveGroundTruth: "truth.json" });
  assert.is(printed.images, 1);
  assert.match(printed.notes.join("\n"), /left out as broken: 1 picture that cannot be decoded, first: .*2\.png/);
  assert.equal((JSON.parse(await readFile(join(folder, "truth.json"), "utf8")) as { images: { id: number }[] }).images.map(({ id }) => id), [1]);
}));

test.run();
