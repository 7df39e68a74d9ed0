import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

/** Folders as other tools export them: read, or refused by name; never taken for unlabelled pictures. */

type Files = Parameters<typeof withDataset>[0];
const a = { "images/a.png": [8, 8] } as const;

const refused: readonly [tool: RegExp, files: Files][] = [
  [/CVAT for images/, { ...a, "annotations.xml": "<?xml version=\"1.0\"?>\n<annotations><version>1.1</version></annotations>" }],
  [/Datumaro/, { "images/default/a.png": [8, 8], "annotations/default.json": JSON.stringify({ info: {}, categories: { label: { labels: [{ name: "car" }] } }, items: [] }) }],
  [/LabelMe/, { "a.png": [8, 8], "a.json": JSON.stringify({ version: "5.0", shapes: [], imagePath: "a.png" }) }],
  [/LabelMe/, { "a.png": [8, 8], "b.png": [8, 8], "a.json": JSON.stringify({ shapes: [], imagePath: "a.png" }), "b.json": JSON.stringify({ shapes: [], imagePath: "b.png" }) }],
  [/Supervisely/, { "meta.json": JSON.stringify({ classes: [], tags: [] }), "ds/img/a.png": [8, 8], "ds/ann/a.png.json": JSON.stringify({ size: {}, objects: [] }) }],
  [/Label Studio/, { ...a, "export.json": JSON.stringify([{ id: 1, annotations: [{ result: [] }], data: { image: "a.png" } }]) }],
  [/CreateML/, { "a.png": [8, 8], "_annotations.createml.json": JSON.stringify([{ image: "a.png", annotations: [] }]) }],
  [/BDD100K/, { ...a, "labels.json": JSON.stringify([{ name: "a.png", labels: [] }]) }],
  [/VIA/, { ...a, "via.json": JSON.stringify({ "a.png123": { filename: "a.png", size: 123, regions: [] } }) }],
  [/TFRecord/, { "a.png": [8, 8], "train.tfrecord": "x" }],
  [/TFRecord/, { "a.png": [8, 8], "train.record-00000-of-00010": "x" }],
  [/Open Images/, { ...a, "boxes.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\n" }],
  [/CSV boxes/, { "a.png": [8, 8], "_annotations.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,8,8,car,1,1,4,4\n" }],
  [/KITTI/, { "image_2/a.png": [8, 8], "label_2/a.txt": "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n" }],
  [/DOTA/, { ...a, "labelTxt/a.txt": "imagesource:GoogleEarth\ngsd:0.1\n2753 2408 2861 2385 2888 2468 2805 2502 plane 0\n" }],
  [/VisDrone/, { ...a, "annotations/a.txt": "684,8,273,116,0,0,0,0\n" }],
  [/MOT/, { "img1/a.png": [8, 8], "gt/gt.txt": "1,1,912,484,97,109,1,1,1\n" }],
];
for (const [index, [tool, files]] of refused.entries())
  test(`${tool.source} (${index}) is refused by name, with what to export`, () => withDataset(files, async (root) => {
    const error = await failure(openDataset(root));
    assert.is(error.code, "DATASET_NOT_READ", error.message);
    assert.match(error.message, tool);
    assert.match(error.nextStep, /COCO/);
  }));

test("JSON of another tool, given as the file, is refused by name", () => withDataset({ "x.json": JSON.stringify([{ image_id: 1, category_id: 1, bbox: [0, 0, 1, 1], score: 1 }]) }, async (root) =>
  assert.match((await failure(openDataset(path.join(root, "x.json")))).message, /a list of COCO annotations or detections/)));

test("labels that lie where none are looked for are refused, not passed over", async () => {
  for (const label of ["boxes/a.txt", "xml/a.xml", "json/a.json"])
    await withDataset({ "pictures/a.png": [8, 8], [label]: "0 0.5 0.5 0.5 0.5\n" }, async (root) => {
      const error = await failure(openDataset(root));
      assert.is(error.code, "UNKNOWN_DATASET_FORMAT");
      assert.match(error.message, label);
    });
  await withDataset({ ...a, "LICENSE.txt": "free", "readme.json": "{}", "b.json": "{}" }, async (root) => assert.is((await openDataset(root)).items[0]?.boxes, null));
});

const cvat = {
  "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n", "obj.names": "bus\ncar\n", "train.txt": "data/obj_train_data/a.png\ndata/obj_train_data/b.png\n",
  "obj_train_data/a.png": [10, 10], "obj_train_data/b.png": [10, 10], "obj_train_data/a.txt": "1 0.5 0.5 0.5 0.5\n", "obj_train_data/b.txt": "",
} as const;

test("CVAT's YOLO 1.1 is read: obj.data, names, the list with its folder data/", () => withDataset(cvat, async (root) => {
  for (const place of [root, path.join(root, "obj.data")]) {
    const { classes, items } = await openDataset({ path: place, split: "train" });
    assert.equal([classes, items.map(({ id, boxes }) => [id, boxes])], [["bus", "car"], [["obj_train_data/a.png", [{ box: [2.5, 2.5, 5, 5], classIndex: 1 }]], ["obj_train_data/b.png", []]]]);
  }
  assert.match((await failure(openDataset(root))).message, /lists no val pictures; it has: train/);
}));

for (const [what, change, expected] of [
  ["another count of classes", { "obj.data": cvat["obj.data"].replace("2", "3") }, /says 3 classes and .* has 2/],
  ["no names", { "obj.names": "" }, /no class names/],
] as const)
  test(`obj.data with ${what} is an error`, () => withDataset({ ...cvat, ...change }, async (root) => assert.match((await failure(openDataset({ path: root, split: "train" }))).message, expected)));

test("split folders without data.yaml, class names above them", () =>
  withDataset({ "classes.txt": "bus", "train/images/t.png": [8, 8], "train/labels/t.txt": "", "val/images/a.png": [8, 8], "val/labels/a.txt": "0 0.5 0.5 1 1" }, async (root) => {
    assert.equal((await openDataset(root)).items.map(({ id }) => id), ["images/a.png"]);
    assert.equal((await openDataset({ path: root, split: "train" })).items.map(({ id }) => id), ["images/t.png"]);
  }));

const coco = (name: string) => JSON.stringify({ images: [{ id: 1, file_name: name }], categories: [{ id: 1, name: "x" }], annotations: [] });

test("several COCO files in a folder: the split's, or a question", async () => {
  await withDataset({ "train.json": coco("t.png"), "val.json": coco("v.png"), "images/t.png": [8, 8], "images/v.png": [8, 8] }, async (root) => assert.equal((await openDataset(root)).items.map(({ id }) => id), ["v.png"]));
  await withDataset({ "one.json": coco("t.png"), "two.json": coco("v.png"), "images/t.png": [8, 8] }, async (root) => assert.is((await failure(openDataset(root))).code, "AMBIGUOUS_DATASET"));
});

test.run();
