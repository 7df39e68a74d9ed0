import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { openBatches, type BatchSpec } from "../../detection/batches.ts";
import { describeDetector, writeClassNames, writeContract } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { detectionObjective } from "../../detection/objective.ts";
import { openTeacherCache } from "../../detection/teacher-cache.ts";
import { cacheTeachers, type Teacher } from "../../detection/teacher.ts";
import { trainDetector, type DetectorTraining } from "../../detection/train.ts";
import { backward } from "../../autodiff/backward.ts";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { parseGraph } from "../../graph/text.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { openSession, runOnce } from "../../runtime/session.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { preprocessPreset } from "../../vision/preprocess.ts";
import type { DatasetItem } from "../../vision/datasets/dataset.ts";
import { inFolder } from "../helpers/cli.ts";
import { makeScenes, sceneClasses, tinySize } from "../helpers/scenes.ts";

const contract = preprocessPreset("yolov8", tinySize);

const detector = (seed: number, regMax = 8): Graph => {
  const graph = yoloStudent({ classes: sceneClasses, size: tinySize, width: 0.125, depth: 0.2, maxChannels: 256, regMax, seed });
  writeClassNames(graph, sceneClasses);
  writeContract(graph, contract, "yolov8");
  return graph;
};

const teacherOf = async (graph: Graph, weight = 1): Promise<Teacher> => ({ model: await describeDetector(graph, "teacher"), weight });

const scenes = async (folder: string, count: number): Promise<readonly DatasetItem[]> => {
  await makeScenes(folder, count, 1);
  return (await openDataset({ path: join(folder, "data", "train.json"), images: join(folder, "data", "images") }, { classes: sceneClasses })).items;
};

const batchesOf = (items: readonly DatasetItem[], options: Partial<BatchSpec> = {}): Omit<BatchSpec, "teacher"> => ({
  items: items.map(({ path, boxes }) => ({ path, boxes })), contract, classCount: sceneClasses.length, batch: 4, seed: 1, plan: { epochs: 4, count: 2 },
  augment: { mosaic: 0.5 }, assignment: "atss", ...options,
});

test("batches: the same seed gives the same bytes, targets say what the labels say", () => inFolder(async (folder) => {
  const items = await scenes(folder, 4);
  const spec: BatchSpec = { ...batchesOf(items, { augment: null }), teacher: null };
  const [first, again] = [await openBatches(spec).batch(1, 0), await openBatches(spec).batch(1, 0)];
  for (const [name, tensor] of Object.entries(first)) assert.ok(Buffer.from(tensor.bytes).equals(again[name]!.bytes), name);
  const anchors = 12 * 8 + 6 * 4 + 3 * 2;
  assert.equal(first["hard/classes"]!.shape, [4, 5, anchors]);
  const [weights, classes] = [first["hard/weights"]!.floats, first["hard/classes"]!.floats];
  for (let n = 0; n < 4; n++) {
    for (let a = 0; a < anchors; a++) {
      const hot = [0, 1, 2, 3, 4].filter((c) => classes[(n * 5 + c) * anchors + a] === 1).length;
      assert.is(hot, weights[n * anchors + a]);
    }
  }
  const objects = items.reduce((sum, { boxes }) => sum + boxes!.length, 0);
  assert.ok(weights.filter((w) => w === 1).length >= objects * 0.8, "about every object has a positive anchor");
}));

test("the objective's gradient is the slope of its loss, for hard and soft labels", () => inFolder(async (folder) => {
  const items = await scenes(folder, 2);
  const batches = batchesOf(items, { batch: 2, augment: null, plan: { epochs: 1, count: 1 } });
  const teacher = await cacheTeachers({ teachers: [await teacherOf(detector(5))], classes: sceneClasses, batches, folder, regMax: 8, features: true });
  assert.equal([teacher.aligned, teacher.hasDistribution], [true, true]);
  const problem = detectionObjective(detector(6), { family: "yolov8", classCount: 5, teacher, alpha: 0.5, temperature: 2, features: "cwd" });
  assert.equal([...problem.metrics.keys()].sort(), ["hard.boxes", "hard.classes", "hard.distribution", "soft.boxes", "soft.classes", "soft.distribution", "soft.features"]);
  const feeds = await openBatches({ ...batches, teacher }).batch(0, 0);
  const weight = problem.parameters.find(({ name }) => name === "model.4.cv1.conv.weight")!;
  const b = new Builder(problem.graph, "g");
  const gradient = backward(b, problem.loss, [weight]).get(weight)!;
  problem.graph.outputs.splice(0, problem.graph.outputs.length, problem.loss, gradient);
  const results = await runOnce(problem.graph, feeds);
  const g = results[gradient.name]!.floats;
  const original = weight.tensor!;
  const lossAt = async (step: number): Promise<number> => {
    const norm = Math.hypot(...g);
    weight.tensor = Tensor.float32(original.shape, original.floats.map((w, i) => w + (step * g[i]!) / norm));
    return (await runOnce(problem.graph, feeds))[problem.loss.name]!.floats[0]!;
  };
  const step = 2e-2;
  const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  assert.ok(Math.abs(slope / Math.hypot(...g) - 1) < 0.02, `slope ${slope}, gradient ${Math.hypot(...g)}`);
}));

test("alpha 0 hears no teacher, alpha 1 no labels", () => {
  const teacher = { sections: [{ name: "teacher/scores", shape: [5, 126] }, { name: "teacher/boxes", shape: [4, 126] }] };
  const kinds = (alpha: number) => [...new Set([...detectionObjective(detector(1), { family: "yolov8", classCount: 5, teacher, alpha }).metrics.keys()].map((name) => name.split(".")[0]))];
  assert.equal([kinds(0), kinds(1), kinds(0.3)], [["hard"], ["soft"], ["hard", "soft"]]);
});

test("the cache holds the teacher's own outputs, is not computed twice, and a damaged one is an error", () => inFolder(async (folder) => {
  const items = await scenes(folder, 3);
  const batches = batchesOf(items, { augment: null, plan: { epochs: 1, count: 1 } });
  const teacher = await teacherOf(detector(5));
  const options = { teachers: [teacher], classes: sceneClasses, batches, folder: join(folder, "cache") };
  const cache = await cacheTeachers(options);
  const written = statSync(cache.files[0]!).mtimeMs;
  assert.is(statSync((await cacheTeachers(options)).files[0]!).mtimeMs, written);
  const read = openTeacherCache(cache).read(0, [2]);
  const { images } = await openBatches({ ...batches, kind: "pictures", batch: 3, teacherContract: contract } as never).batch(0, 0);
  const one = Tensor.float32([1, 3, 64, 96], images!.floats.subarray(2 * 3 * 64 * 96));
  const output = (await runOnce(teacher.model.graph, { images: one }))["output0"]!.floats;
  const scores = read.tensors["teacher/scores"]!.floats;
  for (let i = 0; i < scores.length; i++) assert.ok(Math.abs(scores[i]! - output[4 * 126 + i]!) < 1e-3);
  const corners = read.tensors["teacher/boxes"]!.floats;
  for (let a = 0; a < 126; a++) assert.ok(Math.abs(corners[a]! - (output[a]! - output[2 * 126 + a]! / 2)) < 0.2);
  truncateSync(cache.files[0]!, 100);
  assert.throws(() => openTeacherCache(cache), (error: unknown) => error instanceof UserError && error.code === "TEACHER_CACHE");
}));

test("two teachers are averaged by weight", () => inFolder(async (folder) => {
  const items = await scenes(folder, 1);
  const batches = batchesOf(items, { augment: null, plan: { epochs: 1, count: 1 } });
  const [a, b] = [await teacherOf(detector(5), 3), await teacherOf(detector(8), 1)];
  const scoresOf = async (teachers: readonly Teacher[], name: string) => {
    const cache = await cacheTeachers({ teachers, classes: sceneClasses, batches, folder: join(folder, name) });
    return openTeacherCache(cache).read(0, [0]).tensors["teacher/scores"]!.floats;
  };
  const [both, first, second] = [await scoresOf([a, b], "both"), await scoresOf([a], "a"), await scoresOf([b], "b")];
  for (let i = 0; i < both.length; i++) assert.ok(Math.abs(both[i]! - (0.75 * first[i]! + 0.25 * second[i]!)) < 2e-3);
}));

test("a teacher with another head is heard through its boxes", () => inFolder(async (folder) => {
  const items = await scenes(folder, 1);
  // One object of class 1 (truck), whatever the picture: box 16..48 x 16..48, probability 0.8, as [N, K, 4] and [N, K, classes] after a pooled zero.
  const rows = 126;
  const graph = parseGraph(`<opset 17> (images: f32[1,3,64,96]) {
    const boxes0: f32[1,${rows},4] = fill 0 const box: f32[1,1,4] = [16, 16, 48, 48] const scores0: f32[1,${rows - 1},5] = fill 0 const score: f32[1,1,5] = [0, 0.8, 0.1, 0, 0]
    const zero: f32[1] = [0] const s0: i64[1] = [${rows - 1}] const o: i64[1] = [0] const ax: i64[1] = [1]
    rest = Slice(boxes0, o, s0, ax) m = ReduceMax<keepdims=1>(images) f = Mul(m, zero) f2 = Squeeze(f) b1 = Concat<axis=1>(box, rest) s1 = Concat<axis=1>(score, scores0)
    boxes = Add(b1, f2) scores = Add(s1, f2) } -> boxes, scores`);
  writeClassNames(graph, sceneClasses);
  const model = await describeDetector(graph, "boxes", { classes: sceneClasses, preprocess: contract, family: "boxes" });
  const batches = batchesOf(items, { augment: null, plan: { epochs: 1, count: 1 } });
  const cache = await cacheTeachers({ teachers: [{ model, weight: 1 }], classes: sceneClasses, batches, folder: join(folder, "c") });
  assert.is(cache.aligned, false);
  const { tensors } = openTeacherCache(cache).read(0, [0]);
  const [scores, corners] = [tensors["teacher/scores"]!.floats, tensors["teacher/boxes"]!.floats];
  const told = Array.from({ length: 126 }, (_, a) => a).filter((a) => scores[126 + a]! > 0);
  assert.ok(told.length > 0 && told.length <= 27);
  for (const a of told) {
    assert.ok(Math.abs(scores[126 + a]! - 0.8) < 1e-3 && Math.abs(scores[252 + a]! - 0.1) < 1e-3);
    assert.equal([0, 1, 2, 3].map((row) => corners[row * 126 + a]), [16, 16, 48, 48]);
  }
}));

test("training lowers the loss; stopped and resumed it ends with the same bytes", () => inFolder(async (folder) => {
  const items = await scenes(folder, 8);
  const job: DetectorTraining = { student: detector(2), family: "yolov8", batches: batchesOf(items, { augment: null, plan: { epochs: 8, count: 0 } }), epochs: 8, learningRate: 3e-3 };
  const whole = await trainDetector(job);
  assert.ok(whole.history.at(-1)!.loss < 0.85 * whole.history[0]!.loss, whole.history.map(({ loss }) => loss.toFixed(2)).join(" "));
  const stop = new AbortController();
  const checkpointPath = join(folder, "checkpoint");
  await trainDetector(job, { checkpointPath, signal: stop.signal, onStep: ({ step }) => { if (step === 7) stop.abort(new Error("stopped")); } })
    .then(() => assert.unreachable(), (error: unknown) => assert.is((error as Error).message, "stopped"));
  assert.ok(existsSync(checkpointPath));
  const resumed = await trainDetector(job, { checkpointPath });
  assert.ok(Buffer.from(serializeModel(resumed.graph)).equals(serializeModel(whole.graph)));
}));

test("an untrained detector scores low; one that lacks a class of the data is refused", () => inFolder(async (folder) => {
  const items = (await scenes(folder, 2)).slice(0, 1);
  const model = await describeDetector(detector(2), "detector");
  const { accuracy, detections } = await evaluateDetector(model, items, sceneClasses);
  assert.ok(accuracy.map >= 0 && accuracy.map < 0.5);
  assert.is(detections.length, 1);
  await evaluateDetector(model, items, ["car", "zebra"]).then(() => assert.unreachable(), (error: unknown) => assert.is((error as UserError).code, "CLASSES_DIFFER"));
  const session = await openSession(model.graph);
  assert.is(session.inputs[0]!.name, "images");
  await session.close();
}));

test.run();
