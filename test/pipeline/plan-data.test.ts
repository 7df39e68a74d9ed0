import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import type { RunResult } from "../../pipeline/result.ts";
import { compress, type CompressOptions } from "../../pipeline/run.ts";
import { inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, sceneClasses, writeConfig } from "../helpers/scenes.ts";

interface Coco {
  categories: { id: number; name: string }[];
  annotations: { category_id: number }[];
}

/** Runs with lines changed in the config; what was said comes with the result. */
const run = async (folder: string, data: string, extra: readonly string[], options: CompressOptions = {}): Promise<{ result: RunResult; lines: readonly string[] }> => {
  const config = await writeConfig(folder, extra);
  await writeFile(config, (await readFile(config, "utf8")).replace(/data: \{.*\}/, `data: {${data}}`));
  const lines: string[] = [];
  const { result } = await compress(config, { runs: join(folder, "runs"), reporter: { ...silentReporter, line: (text) => lines.push(text), warn: (text) => lines.push(text) }, ...options });
  return { result, lines };
};

const refused = async (work: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof UserError, String(error));
  return error;
};

const pictures = async (folder: string): Promise<void> => {
  await mkdir(join(folder, "pictures"));
  for (const name of await readdir(join(folder, "data/images"))) if (name.startsWith("train")) await cp(join(folder, "data/images", name), join(folder, "pictures", name));
};

/** Changes data/val.json. */
const changeVal = async (folder: string, change: (val: Coco) => void): Promise<void> => {
  const file = join(folder, "data/val.json");
  const val = JSON.parse(await readFile(file, "utf8")) as Coco;
  change(val);
  await writeFile(file, JSON.stringify(val));
};

const planned = ({ result }: { result: RunResult }) => result.stages[0]!.report as { classes: string[]; notes: string[] };
const labels = "train: data/train.json, val: data/val.json, images: data/images";

test("a folder of pictures without labels is trained on with the teacher; the classes are the validation set's that the teacher knows", () => inFolder(async (folder) => {
  await makeScenes(folder, 4, 3);
  await pictures(folder);
  await makeDetector(join(folder, "teacher.onnx"), { classes: ["dog", "pedestrian", "car", "truck", "Traffic Light"] });
  const done = await run(folder, "train: pictures, val: data/val.json, images: data/images", [
    "teacher: {model: teacher.onnx}", "distill: {epochs: 1, batch: 4, variants: 1, evaluateEvery: 0}", "prune: {macs: 0.8, recover: {epochs: 1}}", "quantize: {images: 4, maxDrop: 1, scheme: cpu}", "targets: []",
  ]);
  assert.equal(planned(done).classes, ["car", "truck", "pedestrian", "traffic_light"]);
  assert.match(planned(done).notes.join("\n"), /training set: no labels found[^]*classes are those of the validation set[^]*does not know "cyclist"[^]*validation set: \d+ boxes of classes that are not wanted are left out: cyclist/);
  assert.equal(done.result.variants.map(({ name }) => name), ["teacher", "distilled", "pruned", "int8"]);
  assert.ok(done.result.variants.every(({ accuracy }) => accuracy && Object.keys(accuracy.perClass).length === 4));
}));

test("without a teacher that teaches, a training set without labels is refused", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  await pictures(folder);
  await makeDetector(join(folder, "teacher.onnx"));
  const data = "train: pictures, val: data/val.json, images: data/images";
  assert.is((await refused(run(folder, data, []))).code, "UNLABELLED");
  assert.is((await refused(run(folder, data, ["teacher: {model: teacher.onnx}", "distill: {alpha: 0}"]))).code, "UNLABELLED");
  await makeDetector(join(folder, "teacher.onnx"), { classes: ["dog"] });
  assert.is((await refused(run(folder, data, ["teacher: {model: teacher.onnx}"]))).code, "NO_COMMON_CLASS");
}));

test("a validation set with fewer and other classes works and says so", () => inFolder(async (folder) => {
  await makeScenes(folder, 4, 6);
  await changeVal(folder, (val) => {
    val.categories = val.categories.filter(({ name }) => name !== "truck").map((category) => (category.name === "car" ? { ...category, name: "wagon" } : category));
    const kept = new Set(val.categories.map(({ id }) => id));
    val.annotations = val.annotations.filter(({ category_id }) => kept.has(category_id));
  });
  const done = await run(folder, labels, ["targets: []"], { until: "plan" });
  assert.equal(planned(done).classes, sceneClasses);
  assert.match(done.lines.join("\n"), /validation set: no boxes of "car", "truck"[^]*validation set: \d+ boxes of classes that are not wanted are left out: wagon \d+/);
}));

test("skipInvalid leaves out pictures that break off or are damaged inside before anything is trained; without it the file is named", () => inFolder(async (folder) => {
  await makeScenes(folder, 4, 3);
  const names = (await readdir(join(folder, "data/images"))).sort();
  const [train, val] = [names.find((name) => name.startsWith("train"))!, names.find((name) => name.startsWith("val"))!];
  for (const name of [train, val]) {
    const file = join(folder, "data/images", name);
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
  }
  assert.match((await refused(run(folder, labels, [], { until: "plan" }))).message, new RegExp(train));
  const done = await run(folder, `${labels}, skipInvalid: true`, [], { until: "plan" });
  assert.match(done.lines.join("\n"), new RegExp(`training set: left out as broken: 1 problem[^]*${train}[^]*validation set: left out as broken: 1 problem[^]*${val}`));
  const { train: trained, val: validated } = done.result.stages[0]!.report as unknown as Record<"train" | "val", { images: number }>;
  assert.equal([trained.images, validated.images], [3, 2]);
}));

test("validation pictures that are trained on are said", () => inFolder(async (folder) => {
  await makeScenes(folder, 3, 2);
  const done = await run(folder, "train: data/train.json, val: data/train.json, images: data/images", [], { until: "plan" });
  assert.match(done.lines.join("\n"), /3 of the 3 pictures of the validation set are in the training set too/);
}));

test("a validation set without a box, or with other classes alone, is refused", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  await changeVal(folder, (val) => { val.annotations = []; });
  assert.is((await refused(run(folder, labels, [], { until: "plan" }))).code, "NO_GROUND_TRUTH");
  await changeVal(folder, (val) => { val.categories = [{ id: 1, name: "dog" }]; });
  assert.is((await refused(run(folder, labels, [], { until: "plan" }))).code, "UNKNOWN_CLASS");
}));

test.run();
