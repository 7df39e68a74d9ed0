import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { anchorCount, anchorLevels } from "../../detection/anchors.ts";
import { assignAtss } from "../../detection/assign.ts";
import { openBatches, type BatchSpec } from "../../detection/batches.ts";
import { describeDetector, runDetector, type DetectorModel } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { openTeacherCache } from "../../detection/teacher-cache.ts";
import { cacheTeachers } from "../../detection/teacher.ts";
import { trainDetector, type DetectorTraining } from "../../detection/train.ts";
import type { UserError } from "../../graph/error.ts";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { cocoAccuracy } from "../../vision/coco-map.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { detect, evaluationOptions } from "../../vision/detect.ts";
import { decodeImage } from "../../vision/image.ts";
import { fit, preprocessPreset } from "../../vision/preprocess.ts";
import { makeScenes, sceneClasses } from "../helpers/scenes.ts";

const folder = await mkdtemp(join(tmpdir(), "edgestill-detection-"));
test.after(() => rm(folder, { recursive: true }));
await makeScenes(folder, 8, 3);
const dataset = await openDataset({ path: join(folder, "data", "train.json"), images: join(folder, "data", "images") }, { classes: sceneClasses });
const size = [96, 64] as const;
const contract = preprocessPreset("yolov8", size);
const anchors = anchorCount(anchorLevels(size));
const batches: BatchSpec = {
  items: dataset.items.map(({ path, boxes }) => ({ path, boxes })), contract, classCount: 5, batch: 4, seed: 9, plan: { epochs: 2, count: 1 },
  augment: null, assignment: "atss", teacher: null,
};
const { assignment: _, teacher: __, ...pictures } = batches;
const model = (seed: number): Promise<DetectorModel> => describeDetector(yoloStudent({ classes: sceneClasses, size, width: 0.125, depth: 0.33, regMax: 8, seed }), "teacher", { preprocess: contract });

test("batches: a pure function of seed, epoch and index; another epoch is shuffled anew", async () => {
  const bytes = async (spec: BatchSpec, epoch: number, index: number) => Object.entries(await openBatches(spec).batch(epoch, index)).map(([name, { bytes: b }]) => [name, Buffer.from(b).toString("base64")]);
  const augmented: BatchSpec = { ...batches, plan: { epochs: 4, count: 0 }, augment: {} };
  for (const spec of [batches, augmented]) {
    assert.equal(await bytes(spec, 1, 1), await bytes(spec, 1, 1));
    assert.not.equal(await bytes(spec, 0, 1), await bytes(spec, 1, 1));
    assert.not.equal(await bytes({ ...spec, seed: 10 }, 1, 1), await bytes(spec, 1, 1));
  }
});

test("hard labels of a known box: its corners and class on its ATSS anchors, nothing elsewhere; pictures without labels are marked", async () => {
  const spec: BatchSpec = { ...batches, items: [{ path: dataset.items[0]!.path, boxes: [{ box: [100, 60, 90, 50], classIndex: 3 }] }, { path: dataset.items[1]!.path, boxes: null }], batch: 2 };
  const batch = await openBatches(spec).batch(0, 0);
  const [labelled, hardWeights] = [batch["hard/labelled"]!.floats, batch["hard/weights"]!.floats];
  assert.equal([...labelled].sort(), [0, 1]);
  const n = labelled.indexOf(1);
  const { scaleX, scaleY, padLeft, padTop } = fit(contract, 320, 192);
  const box = [100 * scaleX + padLeft, 60 * scaleY + padTop, 90 * scaleX, 50 * scaleY] as const;
  const owners = assignAtss([box], anchorLevels(size));
  for (let anchor = 0; anchor < anchors; anchor++) {
    const positive = Number(owners[anchor] === 0);
    assert.is(hardWeights[n * anchors + anchor], positive);
    assert.is(hardWeights[(1 - n) * anchors + anchor], 0);
    for (let klass = 0; klass < 5; klass++) assert.is(batch["hard/classes"]!.floats[(n * 5 + klass) * anchors + anchor], klass === 3 ? positive : 0);
    for (const [row, value] of [box[0], box[1], box[0] + box[2], box[1] + box[3]].entries()) {
      assert.ok(Math.abs(batch["hard/boxes"]!.floats[(n * 4 + row) * anchors + anchor]! - value * positive) < 1e-3);
    }
  }
});

test("an aligned teacher: its scores and boxes anchor by anchor; a finished file is kept, a partial one made anew, a broken one is an error", async () => {
  const teacher = await model(1);
  const options = { teachers: [{ model: teacher, weight: 1 }], classes: sceneClasses, batches: pictures, folder: join(folder, "aligned"), regMax: 8, threads: 1 };
  const cache = await cacheTeachers(options);
  assert.equal([cache.aligned, cache.hasDistribution, cache.pictures, cache.files.length], [true, true, 8, 1]);
  const records = openTeacherCache(cache);
  const view = records.read(0, [2]).view(0);
  const running = await runDetector(teacher, { threads: 1 });
  const [output] = await running.run([await decodeImage(dataset.items[2]!.path)]);
  await running.close();
  const raw = output!.data as Float32Array;
  for (let anchor = 0; anchor < anchors; anchor++) {
    const [cx, cy, w, h] = [0, 1, 2, 3].map((row) => raw[row * anchors + anchor]!) as [number, number, number, number];
    for (const [row, value] of [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2].entries()) assert.ok(Math.abs(view.corners[row * anchors + anchor]! - value) <= 0.13, `corner ${row} of ${anchor}`);
    for (let klass = 0; klass < 5; klass++) assert.ok(Math.abs(view.scores[klass * anchors + anchor]! - raw[(4 + klass) * anchors + anchor]!) <= 1e-3);
  }
  records.close();

  const [file] = cache.files as [string];
  const before = readFileSync(file);
  const { mtimeMs } = statSync(file);
  await cacheTeachers(options);
  assert.is(statSync(file).mtimeMs, mtimeMs);
  writeFileSync(`${file}.part`, "left by a killed run");
  truncateSync(file, before.length / 2);
  assert.throws(() => openTeacherCache(cache), (error: UserError) => error.code === "TEACHER_CACHE" && error.message.includes(file));
  await cacheTeachers(options);
  assert.equal(Buffer.compare(readFileSync(file), before), 0);
});

test("what was kept of other pictures, or read with other class names, is not used", async () => {
  const teacher = await model(1);
  const filesOf = async (reading: Partial<DetectorModel>, contents?: string): Promise<string> =>
    (await cacheTeachers({ teachers: [{ model: { ...teacher, ...reading }, weight: 1 }], classes: sceneClasses, batches: pictures, folder: join(folder, "keys"), threads: 1, ...(contents && { contents }) })).files[0]!;
  const [car, truck, ...others] = teacher.classes as [string, string, ...string[]];
  const files = [await filesOf({}), await filesOf({ classes: [truck, car, ...others] }), await filesOf({ head: { ...teacher.head, needsNms: false } }), await filesOf({}, "a"), await filesOf({}, "b")];
  assert.is(new Set(files).size, files.length);
});

test("two teachers: scores are averaged by weight", async () => {
  const [a, b] = [await model(1), await model(2)];
  const read = async (teachers: { model: DetectorModel; weight: number }[]) => {
    const records = openTeacherCache(await cacheTeachers({ teachers, classes: sceneClasses, batches: pictures, folder: join(folder, "two"), threads: 1 }));
    const view = records.read(0, [1]).view(0);
    records.close();
    return view;
  };
  const [first, second, both] = [await read([{ model: a, weight: 1 }]), await read([{ model: b, weight: 1 }]), await read([{ model: a, weight: 3 }, { model: b, weight: 1 }])];
  for (const [i, score] of both.scores.entries()) assert.ok(Math.abs(score - (0.75 * first.scores[i]! + 0.25 * second.scores[i]!)) <= 1e-3);
  for (const [i, corner] of both.corners.entries()) {
    const [low, high] = [Math.min(first.corners[i]!, second.corners[i]!), Math.max(first.corners[i]!, second.corners[i]!)];
    assert.ok(corner >= low - 0.13 && corner <= high + 0.13);
  }
});

test("teachers of other pixel contracts see pictures in their own", async () => {
  const darkened = { ...(await model(1)), contract: { ...contract, scale: 0, mean: [0, 0, 0] as const } }; // every pixel is 0
  const read = async (teachers: DetectorModel[]) => {
    const records = openTeacherCache(await cacheTeachers({ teachers: teachers.map((of) => ({ model: of, weight: 1 })), classes: sceneClasses, batches: pictures, folder: join(folder, "contracts"), threads: 1 }));
    const { scores } = records.read(0, [1]).view(0);
    records.close();
    return scores;
  };
  const seeing = await model(2);
  const [dark, one, both] = [await read([darkened]), await read([seeing]), await read([seeing, darkened])];
  for (const [i, score] of both.entries()) assert.ok(Math.abs(score - (dark[i]! + one[i]!) / 2) <= 1e-3);
});

/** Two boxes with probabilities of their own, whatever the picture: plain `boxes` and `scores`, a row for each cell; `scale` times the student's size. */
const plainTeacher = (scale = 1): Promise<DetectorModel> => {
  const graph = new Graph("plain", 17);
  const b = new Builder(graph, "p");
  const own = [size[0] * scale, size[1] * scale] as const;
  const anchors = anchorCount(anchorLevels(own));
  const images = graph.addInput("images", "float32", [1, 3, own[1], own[0]]);
  const rows = (columns: number, first: readonly number[]) => Tensor.float32([1, anchors, columns], Float32Array.from({ length: anchors * columns }, (_, i) => first[i] ?? 0));
  const zero = b.mul(b.reshape(b.mean(images), [1, 1, 1]), 0);
  const boxes = b.add(b.constant(rows(4, [8, 8, 40, 40, 50, 20, 90, 60].map((pixels) => pixels * scale))), zero);
  const scores = b.add(b.constant(rows(5, [0.8, 0.1, 0, 0, 0, 0, 0, 0.6, 0.3, 0])), zero);
  boxes.name = "boxes";
  scores.name = "scores";
  graph.outputs.push(boxes, scores);
  return describeDetector(graph, "plain", { family: "boxes", classes: sceneClasses, preprocess: { ...contract, size: own }, probe: false });
};

for (const scale of [1, 2]) test(`a teacher with any other head, ${scale} times the student's size: its boxes, with their class probabilities, on the anchors that ATSS gives them`, async () => {
  const cache = await cacheTeachers({ teachers: [{ model: await plainTeacher(scale), weight: 1 }], classes: sceneClasses, batches: pictures, folder: join(folder, `plain${scale}`), threads: 1 });
  assert.equal([cache.aligned, cache.hasDistribution], [false, false]);
  const records = openTeacherCache(cache);
  const { scores, corners } = records.read(0, [0]).view(0);
  records.close();
  const boxes = [[8, 8, 32, 32], [50, 20, 40, 40]] as const;
  const probabilities = [[0.8, 0.1, 0, 0, 0], [0, 0, 0.6, 0.3, 0]];
  for (const [anchor, owner] of assignAtss(boxes, anchorLevels(size)).entries()) {
    for (let klass = 0; klass < 5; klass++) assert.ok(Math.abs(scores[klass * anchors + anchor]! - (probabilities[owner]?.[klass] ?? 0)) <= 1e-3);
    if (owner >= 0) assert.is(corners[anchor], boxes[owner]![0]);
  }
});

const job = async (epochs: number): Promise<DetectorTraining> => ({
  student: yoloStudent({ classes: sceneClasses, size, width: 0.125, depth: 0.33, regMax: 8, seed: 4 }), family: "yolov8", batches: { ...batches, plan: { epochs, count: 1 } },
  teacher: await cacheTeachers({ teachers: [{ model: await model(1), weight: 1 }], classes: sceneClasses, batches: { ...pictures, plan: { epochs, count: 1 } }, folder: join(folder, "train"), regMax: 8, features: true, threads: 1 }),
  epochs, learningRate: 2e-3,
});

test("training: the loss falls in 20 steps", async () => {
  const { teacher: ___, ...supervised } = await job(10);
  const { history } = await trainDetector(supervised);
  assert.ok(history.at(-1)!.loss < 0.9 * history[0]!.loss, history.map(({ loss }) => loss.toFixed(2)).join());
});

test("training: stopped and resumed, with teacher and features, it ends with the same bytes", async () => {
  const given: DetectorTraining = { ...(await job(2)), alpha: 0.5, temperature: 2, features: "cwd" };
  const whole = await trainDetector(given);
  const controller = new AbortController();
  const checkpointPath = join(folder, "checkpoint");
  const stopped: unknown = await trainDetector(given, { checkpointPath, signal: controller.signal, onStep: ({ step }) => { if (step === 2) controller.abort(new Error("stop")); } }).catch((reason: unknown) => reason);
  assert.match(String(stopped), "stop");
  const resumed = await trainDetector(given, { checkpointPath });
  assert.is(Buffer.compare(serializeModel(resumed.graph), serializeModel(whole.graph)), 0);
});

test("soft labels alone train too", async () => {
  const { history } = await trainDetector({ ...(await job(2)), alpha: 1 });
  assert.ok(Number.isFinite(history.at(-1)!.loss));
});

test("evaluation equals decoding, suppression and mAP done by hand", async () => {
  const teacher = await model(1);
  const items = dataset.items.slice(0, 3);
  const { accuracy } = await evaluateDetector(teacher, items, sceneClasses, { session: { threads: 1 } });
  const running = await runDetector(teacher, { threads: 1 });
  const judged = [];
  for (const { path, boxes } of items) {
    const image = await decodeImage(path);
    judged.push({ groundTruth: boxes!, detections: detect(teacher.head, await running.run([image]), 0, fit(contract, image.width, image.height), evaluationOptions) });
  }
  await running.close();
  assert.equal(accuracy, cocoAccuracy(judged, sceneClasses));
});

test.run();
