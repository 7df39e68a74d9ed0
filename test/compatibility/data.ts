import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import * as assert from "uvu/assert";
import { evaluateModel } from "../../pipeline/models/evaluate.ts";
import { openDataset, type Dataset } from "../../vision/index.ts";
import { saveModel } from "../../onnx/save.ts";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { writeClassNames } from "../../students/metadata.ts";
import { withDataset } from "../vision/datasets/folder.ts";
import type { Case, Kind } from "./case.ts";

type Files = Parameters<typeof withDataset>[0];
type Options = NonNullable<Parameters<typeof openDataset>[1]>;

const opens = (input: string, files: Files, check: (set: Dataset) => string, path = "", options: Options = {}): Case => ({
  input, gives: "right", run: () => withDataset(files, async (root) => check(await openDataset(join(root, path), options))),
});
const refuses = (input: string, files: Files, code = "DATASET_NOT_READ", path = ""): Case => ({
  input, gives: code,
  run: () => withDataset(files, async (root) => `${(await openDataset(join(root, path))).items.length} pictures`),
});

const a = { "images/a.png": [8, 8] } as const;
const box = "0 0.5 0.5 0.5 0.5";
const yolo = { "data.yaml": "val: images\nnames: [bus, car]\n", ...a, "labels/a.txt": box } as const;
const coco = (name = "a.png", categories: readonly object[] = [{ id: 1, name: "car" }]): string => JSON.stringify({
  images: [{ id: 0, file_name: name, width: 8, height: 8 }], categories,
  annotations: [{ id: 1, image_id: 0, category_id: 1, bbox: [1, 1, 4, 4], area: 16, iscrowd: 0 }],
});
const said = ({ notes }: Dataset, note: RegExp): void => assert.match(notes.join("\n"), note);

/** Says the same box with the same score on every picture of 64 × 64. */
const sameBox = async (file: string): Promise<void> => {
  const graph = new Graph("same", 17);
  const b = new Builder(graph, "m");
  const nothing = b.mul(b.mean(graph.addInput("images", "float32", [1, 3, 64, 64]), undefined, false), 0);
  const rows = [[8, 8, 40, 40, 0.9, 0], ...new Array<number[]>(4).fill([0, 0, 1, 1, 0, 0])];
  const output = b.add(b.constant(Tensor.float32([1, 5, 6], rows.flat())), nothing);
  output.name = "output0";
  graph.outputs.push(output);
  writeClassNames(graph, ["thing"]);
  await saveModel(graph, file);
};

/** Two pictures, equal scores, the object in picture 1 alone; pycocotools gives 0.50495. */
const ties = (order: readonly number[]): Case => ({
  input: `COCO JSON with images listed ${order.join(", ")}, equal scores`,
  gives: "right",
  run: () => withDataset({ "1.png": [64, 64], "2.png": [64, 64] }, async (root) => {
    await sameBox(join(root, "m.onnx"));
    const one = (id: number, bbox: readonly number[]) => ({ id, image_id: id, category_id: 7, bbox, area: bbox[2]! * bbox[3]!, iscrowd: 0 });
    await writeFile(join(root, "val.json"), JSON.stringify({
      images: order.map((id) => ({ id, file_name: `${id}.png`, width: 64, height: 64 })), categories: [{ id: 7, name: "thing" }],
      annotations: [one(1, [8, 8, 32, 32]), one(2, [40, 40, 10, 10])],
    }));
    const { map } = await evaluateModel(join(root, "m.onnx"), { family: "end2end", data: { path: join(root, "val.json") } });
    assert.ok(Math.abs(map - 0.5049504950495048) < 1e-9, String(map));
    return "mAP 50.495, as pycocotools";
  }),
});

const broken: Case = {
  input: "a JPEG that breaks off, --skip-invalid",
  gives: "right",
  run: () => withDataset(yolo, async (root) => {
    const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: "teal" } }).jpeg().toBuffer();
    await writeFile(join(root, "images/cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
    await cp(join(root, "labels/a.txt"), join(root, "labels/cut.txt"));
    const set = await openDataset(root, { skipInvalid: true });
    said(set, /left out as broken: 1 problem/);
    return `${set.items.length} picture read, 1 counted as broken`;
  }),
};

/** A 24-bit BMP of one pixel. */
const bmp: Case = {
  input: "YOLO folder, half of the pictures .bmp",
  gives: "right",
  run: () => withDataset({ ...yolo, "labels/b.txt": box }, async (root) => {
    const bytes = Buffer.alloc(58);
    bytes.write("BM");
    for (const [value, at] of [[58, 2], [54, 10], [40, 14], [1, 18], [1, 22], [4, 34]] as const) bytes.writeInt32LE(value, at);
    bytes.writeInt16LE(1, 26);
    bytes.writeInt16LE(24, 28);
    await writeFile(join(root, "images/b.bmp"), bytes);
    const { items } = await openDataset(root);
    assert.equal(items.map(({ boxes }) => boxes?.length), [1, 1]);
    return "both pictures read, each with its box";
  }),
};

export const data: Kind = {
  title: "Metrics and data",
  cases: [
    ties([1, 2]),
    ties([2, 1]),
    opens("Roboflow's COCO folder, category 0 a supercategory", {
      "_annotations.coco.json": coco("a.png", [{ id: 0, name: "things", supercategory: "none" }, { id: 1, name: "car", supercategory: "things" }]), "a.png": [8, 8],
    }, ({ classes, categoryIds }) => {
      assert.equal([classes, categoryIds], [["car"], [1]]);
      return "class car, category id 1 kept";
    }),
    opens("COCO folder with a picture that is not listed", { "_annotations.coco.json": coco(), "a.png": [8, 8], "b.png": [8, 8] }, (set) => {
      assert.is(set.items.length, 1);
      said(set, /b\.png/);
      return "the picture is named in a note";
    }),
    bmp,
    broken,
    opens("a YOLO picture without a label file", { ...yolo, "images/plain.png": [8, 8] }, (set) => {
      assert.equal(set.items.map(({ boxes }) => boxes?.length), [1, 0]);
      said(set, /plain\.png\) without a label file: taken as pictures without objects/);
      return "background, which is said";
    }),
    opens("the same, unlabelled: teacher", { ...yolo, "images/plain.png": [8, 8] }, (set) => {
      assert.equal(set.items.map(({ boxes }) => boxes?.length ?? null), [1, null]);
      return "for the teacher alone, which is said";
    }, "", { unlabelled: "teacher" }),
    opens("a label file without a picture", { ...yolo, "labels/gone.txt": box }, (set) => {
      said(set, /gone\.txt\) without a picture/);
      return "named in a note";
    }),
    opens("extensions .PNG and .TXT", { "data.yaml": yolo["data.yaml"], "images/A.PNG": [8, 8], "labels/A.TXT": box }, ({ items }) => {
      assert.equal(items.map(({ boxes }) => boxes?.length), [1]);
      return "read";
    }),
    opens("pictures of formats that are not read (.heic, .PPM)", { ...yolo, "images/b.heic": "x", "images/c.PPM": "x" }, (set) => {
      said(set, /2 pictures .*not read/);
      return "counted in a note";
    }),
    opens("classes of one name in several spellings", { ...yolo, "data.yaml": "val: images\nnames: [Car, bus, car]\n", "labels/a.txt": `${box}\n2 0.5 0.5 0.2 0.2` }, (set) => {
      assert.equal([set.classes, set.items[0]!.boxes!.map(({ classIndex }) => classIndex)], [["Car", "bus"], [0, 0]]);
      said(set, /are the same/);
      return "one class, which is said";
    }),
    opens("a validation set that lacks a class of the training set", yolo, (set) => {
      assert.equal(set.classes, ["tram", "bus"]);
      said(set, /no boxes of "tram"/);
      return "without an AP, not in the mean, which is said";
    }, "", { classes: ["tram", "bus"], lacking: "note" }),
    opens("CVAT's YOLO 1.1 (obj.data)", {
      "obj.data": "classes = 2\nvalid = data/valid.txt\nnames = data/obj.names\n", "obj.names": "bus\ncar\n", "valid.txt": "data/obj_valid_data/a.png\n",
      "obj_valid_data/a.png": [10, 10], "obj_valid_data/a.txt": "1 0.5 0.5 0.5 0.5\n",
    }, ({ classes, items }) => {
      assert.equal([classes, items[0]!.boxes], [["bus", "car"], [{ box: [2.5, 2.5, 5, 5], classIndex: 1 }]]);
      return "read, its box and class";
    }, "obj.data"),
    opens("Pascal VOC", { "Annotations/1.xml": "<annotation><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object></annotation>", "JPEGImages/1.png": [8, 8] },
      ({ classes, items }) => {
        assert.equal([classes, items[0]!.boxes!.length], [["a"], 1]);
        return "read";
      }),
    {
      input: "a YOLO folder without class names, eval",
      gives: "NO_CLASS_NAMES",
      run: () => withDataset({ ...a, "labels/a.txt": box }, async (root) => {
        await sameBox(join(root, "m.onnx"));
        return `mAP ${(await evaluateModel(join(root, "m.onnx"), { family: "end2end", data: { path: root } })).map}`;
      }),
    },
    refuses("CVAT for images", { ...a, "annotations.xml": '<?xml version="1.0"?>\n<annotations><version>1.1</version></annotations>' }),
    refuses("LabelMe", { "a.png": [8, 8], "a.json": JSON.stringify({ version: "5.0", shapes: [], imagePath: "a.png" }) }),
    refuses("Datumaro", { "images/default/a.png": [8, 8], "annotations/default.json": JSON.stringify({ info: {}, categories: { label: { labels: [{ name: "car" }] } }, items: [] }) }),
    refuses("Label Studio", { ...a, "export.json": JSON.stringify([{ id: 1, annotations: [{ result: [] }], data: { image: "a.png" } }]) }),
    refuses("Supervisely", { "meta.json": JSON.stringify({ classes: [], tags: [] }), "ds/img/a.png": [8, 8], "ds/ann/a.png.json": JSON.stringify({ size: {}, objects: [] }) }),
    refuses("BDD100K", { ...a, "labels.json": JSON.stringify([{ name: "a.png", labels: [] }]) }),
    refuses("KITTI", { "image_2/a.png": [8, 8], "label_2/a.txt": "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n" }),
    refuses("VisDrone", { ...a, "annotations/a.txt": "684,8,273,116,0,0,0,0\n" }),
    refuses("a TFRecord beside pictures", { "a.png": [8, 8], "train.tfrecord": "x" }),
    refuses("labels in a folder that is not looked into", { "pictures/a.png": [8, 8], "boxes/a.txt": `${box}\n` }, "UNKNOWN_DATASET_FORMAT"),
    refuses("COCO JSON that breaks off", { "val.json": '{"images": [\n{"id": 1,' }, "BAD_COCO_JSON", "val.json"),
    refuses("a COCO box outside its picture", { "val.json": coco().replace("[1,1,4,4]", "[50,50,5,5]"), "a.png": [8, 8] }, "DATASET_INVALID", "val.json"),
  ],
};
