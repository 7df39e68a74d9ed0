import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

const names = "names: [bus, motorbike, traffic_light]\n";
const good = {
  "data.yaml": `train: images/train\nval: images/val\n${names}`,
  "images/train/b.png": [40, 20],
  "images/train/a.png": [10, 10],
  "images/train/empty.png": [10, 10],
  "images/val/v.png": [8, 8],
  "labels/train/a.txt": "1 0.5 0.5 0.2 0.4\n\n2 0.1 0.1 0.2 0.2\r\n1 0.5 0.5 0.2 0.4\n",
  "labels/train/b.txt": "0 0.25 0.25 0.75 0.25 0.75 0.5\n",
  "labels/val/v.txt": "0 0.5 0.5 1 1",
} as const;

test("data.yaml: boxes in pixels, polygons as boxes, sorted ids, identical lines once", () =>
  withDataset(good, async (root) => {
    const { classes, items, problems, notes } = await openDataset({ path: path.join(root, "data.yaml"), split: "train" });
    assert.equal(classes, ["bus", "motorbike", "traffic_light"]);
    assert.equal(items.map(({ id, imageId, width, height }) => [id, imageId, width, height]), [
      ["images/train/a.png", 1, 10, 10],
      ["images/train/b.png", 2, 40, 20],
      ["images/train/empty.png", 3, 10, 10],
    ]);
    assert.equal(items.map(({ boxes }) => boxes), [
      [{ box: [4, 3, 2, 4], classIndex: 1 }, { box: [0, 0, 2, 2], classIndex: 2 }],
      [{ box: [10, 5, 20, 5], classIndex: 0 }],
      [],
    ]);
    assert.is(problems.length, 0);
    assert.equal(notes, [
      "1 picture (images/train/empty.png) without a label file: taken as pictures without objects (unlabelled: skip, teacher or error says otherwise)",
      "1 identical label lines counted once",
      "1 label lines are polygons or turned boxes: their bounding boxes are used",
    ]);
  }));

test("a folder with data.yaml opens its val split", () =>
  withDataset(good, async (root) => assert.equal((await openDataset(root)).items.map(({ id }) => id), ["images/val/v.png"])));

test("wanted classes are matched by name; other boxes are counted", () =>
  withDataset(good, async (root) => {
    const { classes, items, droppedBoxes } = await openDataset({ path: root, split: "train" }, { classes: ["Traffic Light", "motorcycle"] });
    assert.equal(classes, ["Traffic Light", "motorcycle"]);
    assert.equal(items.map(({ boxes }) => boxes?.map(({ classIndex }) => classIndex)), [[1, 0], [], []]);
    assert.equal(droppedBoxes, { bus: 1 });
  }));

test("an unknown class is an error that lists the classes", () =>
  withDataset(good, async (root) => {
    const error = await failure(openDataset(root, { classes: ["bus", "tram"] }));
    assert.is(error.code, "UNKNOWN_CLASS");
    assert.match(error.message, /"tram".*"bus", "motorbike", "traffic_light"/);
  }));

for (const [what, line, expected] of [
  ["too few fields", "0 0.5 0.5 0.1", /4 fields/],
  ["a word", "0 0.5 abc 0.1 0.1", /"abc" is not a number/],
  ["an unknown class number", "3 0.5 0.5 0.1 0.1", /class 3/],
  ["a fractional class number", "0.5 0.5 0.5 0.1 0.1", /class 0\.5/],
  ["pixels instead of fractions", "0 100 50 20 20", /100 is not a fraction/],
  ["an empty box", "0 0.5 0.5 0 0.1", /no area/],
  ["infinity", "0 1e999 0.5 0.1 0.1", /not a number/],
] as const)
  test(`${what} is reported with file and line`, () =>
    withDataset({ ...good, "labels/train/a.txt": `1 0.5 0.5 0.2 0.4\n${line}\n` }, async (root) => {
      const error = await failure(openDataset({ path: root, split: "train" }));
      assert.is(error.code, "DATASET_INVALID");
      assert.match(error.message, /labels.train.a\.txt:2: /);
      assert.match(error.message, expected);
      const { items, problems } = await openDataset({ path: root, split: "train" }, { skipInvalid: true });
      assert.equal(items.map(({ imageId }) => imageId), [2, 3]);
      assert.is(problems.length, 1);
    }));

test("corrupt pictures and malformed labels are reported together, in order", () =>
  withDataset({ ...good, "images/train/c.png": "no picture", "labels/train/a.txt": "x\ny" }, async (root) => {
    const told: string[] = [];
    const error = await failure(openDataset({ path: root, split: "train" }, { onProblem: ({ file }) => told.push(path.basename(file)) }));
    assert.equal(told.sort(), ["a.txt", "a.txt", "c.png"]);
    assert.match(error.message, /3 problems:[^]*c\.png[^]*a\.txt:1[^]*a\.txt:2/);
  }));

test("a list of images, also of missing ones", () =>
  withDataset({ ...good, "data.yaml": `train: list.txt\n${names}`, "list.txt": "./images/train/b.png\nimages/train/gone.png\n" }, async (root) => {
    const { items, problems } = await openDataset({ path: root, split: "train" }, { skipInvalid: true });
    assert.equal(items.map(({ id }) => id), ["images/train/b.png"]);
    assert.match(problems[0]?.file ?? "", /gone\.png$/);
  }));

test("names as a map, path elsewhere, Roboflow's ../", () =>
  withDataset({ ...good, "data.yaml": "path: /home/author/datasets/x\ntrain: ../images/train\nnames: {0: bus, 1: motorbike, 2: light}\n" }, async (root) => {
    const { classes, items } = await openDataset({ path: root, split: "train" });
    assert.equal([classes, items.length], [["bus", "motorbike", "light"], 3]);
  }));

for (const [what, yaml, expected] of [
  ["broken YAML", "names: [a, b", /data\.yaml/],
  ["no names", "train: images/train", /names/],
  ["a gap in the names", "train: images/train\nnames: {0: a, 2: b}", /gaps/],
  ["a wrong nc", `train: images/train\nnc: 4\n${names}`, /nc is 4/],
  ["a missing split", `val: images/val\n${names}`, /names no train pictures; it has: val/],
  ["a missing folder", `train: pictures\n${names}`, /pictures/],
] as const)
  test(`data.yaml with ${what} is an error`, () =>
    withDataset({ ...good, "data.yaml": yaml }, async (root) => assert.match((await failure(openDataset({ path: root, split: "train" }))).message, expected)));

test("without data.yaml the class names must come from somewhere", () => {
  const files = Object.fromEntries(Object.entries(good).filter(([name]) => name !== "data.yaml"));
  return withDataset(files, async (root) => {
    assert.is((await failure(openDataset({ path: root, split: "train" }))).code, "NO_CLASS_NAMES");
    const named = await openDataset({ path: root, split: "train" }, { labelNames: ["x", "y", "z"] });
    assert.equal([named.classes, named.items.length], [["x", "y", "z"], 3]);
  });
});

test("classes.txt names the classes; labels may lie beside the pictures", () =>
  withDataset({ "classes.txt": "a\nb\n", "1.png": [10, 10], "1.txt": "1 0.5 0.5 1 1" }, async (root) => {
    const { classes, items } = await openDataset(root);
    assert.equal([classes, items[0]?.boxes], [["a", "b"], [{ box: [0, 0, 10, 10], classIndex: 1 }]]);
  }));

test("a data.yaml whose pictures have no label at all is an error", () =>
  withDataset({ "data.yaml": `val: images\n${names}`, "images/1.png": [4, 4] }, async (root) => assert.is((await failure(openDataset(root))).code, "NO_LABELS")));

test("an empty split is an error", () =>
  withDataset({ "data.yaml": `val: images\n${names}`, "images/readme.md": "" }, async (root) => assert.is((await failure(openDataset(root))).code, "DATASET_EMPTY")));

test.run();
