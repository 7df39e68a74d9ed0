import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

/** Data sets as people have them: numbers that mean something else, folders of other names, files of other machines. */

type Box = readonly [number, number, number, number];

/** Four objects of a picture of 100 x 100 as corners x1 y1 x2 y2. */
const corners: readonly Box[] = [[10, 10, 40, 40], [50, 50, 95, 90], [60, 5, 90, 30], [5, 60, 30, 95]];
const sizes = corners.map(([x1, y1, x2, y2]): Box => [x1, y1, x2 - x1, y2 - y1]);
const centres = sizes.map(([x, y, w, h]): Box => [x + w / 2, y + h / 2, w, h]);

const coco = (boxes: readonly Box[], change: object = {}) => JSON.stringify({
  images: [{ id: 1, file_name: "a.png", width: 100, height: 100 }], categories: [{ id: 1, name: "car" }],
  annotations: boxes.map((bbox, index) => ({ id: index + 1, image_id: 1, category_id: 1, bbox })), ...change,
});
const cocoOf = (boxes: readonly Box[], change: object = {}) => ({ "a.png": [100, 100], "val.json": coco(boxes, change) }) as const;
const yolo = (boxes: readonly Box[]) => ({ "images/a.png": [100, 100], "labels/a.txt": boxes.map((box) => `0 ${box.map((value) => value / 100).join(" ")}\n`).join(""), "classes.txt": "car\n" }) as const;
const xml = (boxes: readonly Box[], name = "car", head = "", rest = "") => `${head}<annotation>${boxes.map((box) => `<object><name>${name}</name>${rest}<bndbox>${["xmin", "ymin", "xmax", "ymax"].map((key, i) => `<${key}>${box[i]}</${key}>`).join("")}</bndbox></object>`).join("")}</annotation>`;
const voc = (text: string) => ({ "Annotations/a.xml": text, "JPEGImages/a.png": [100, 100] }) as const;

const hundredth = (boxes: readonly Box[]) => boxes.map((box) => box.map((value) => value / 100) as unknown as Box);
const boxesOf = async (place: string) => (await openDataset(place)).items.map(({ boxes }) => boxes?.map(({ box }) => box.map((value) => Math.round(value * 1e6) / 1e6)));

for (const [what, files, reason] of [
  ["corners in COCO's bbox", cocoOf(corners), /3 of 4 boxes leave their picture.*two corners/],
  ["corners in YOLO labels", yolo(corners), /of 4 boxes leave their picture.*two corners/],
  ["fractions in COCO's bbox", cocoOf(hundredth(sizes)), /all 4 boxes lie between 0 and 1/],
  ["fractions in VOC", voc(xml(hundredth(corners))), /all 4 boxes lie between 0 and 1/],
] as const)
  test(`${what} are refused, never measured`, () => withDataset(files, async (root) => {
    const error = await failure(openDataset(root));
    assert.is(error.code, "LABELS_AMBIGUOUS", error.message);
    assert.match(error.message, reason);
    assert.match(error.nextStep, /write/);
  }));

test("boxes that reach out of their picture are counted; so many that they are misread are said to be", async () => {
  await withDataset(cocoOf(centres), async (root) => assert.match((await openDataset(root)).notes.join("\n"), /3 of 4 boxes reach out of their picture.*\(first: a\.png\): so many are a sign/));
  await withDataset(yolo(sizes), async (root) => assert.match((await openDataset(root)).notes.join("\n"), /of 4 boxes reach out of their picture.*so many are a sign/));
  await withDataset(yolo([...centres, [98, 50, 10, 10], [50, 50, 8, 8]]), async (root) => assert.match((await openDataset(root)).notes.join("\n"), /1 of 6 boxes reach out of their picture by more than a tenth of their area \(first: images\/a\.png\)$/m));
  // Amodal boxes of large objects: they leave the picture, and as corners they would too.
  await withDataset(cocoOf([[-30, -30, 150, 150], [-20, 5, 110, 120], [-40, 0, 160, 90], [0, -50, 101.5, 160]]), async (root) => assert.is((await openDataset(root)).items.length, 1));
  for (const files of [cocoOf(sizes), yolo(centres), yolo([[50, 50, 96, 96], [50, 50, 90, 98], [51, 50, 98, 98], [50, 50, 99, 99]]), voc(xml(corners))])
    await withDataset(files, async (root) => assert.not.match((await openDataset(root)).notes.join("\n"), /reach out/));
});

test("COCO polygons without bbox: their bounding boxes, counted", () =>
  withDataset(cocoOf([], { annotations: [{ id: 1, image_id: 1, category_id: 1, segmentation: [[10, 12, 30, 12, 20.5, 40], [50, 50, 60, 55, 55, 45]] }, { id: 2, image_id: 1, category_id: 1, bbox: [], segmentation: [[1, 2, 5, 2, 5, 9, 1, 9]] }] }), async (root) => {
    assert.equal(await boxesOf(root), [[[10, 12, 50, 43], [1, 2, 4, 7]]]);
    assert.match((await openDataset(root)).notes.join("\n"), /2 annotations have polygons and no bbox/);
  }));

for (const name of ["/home/someone/data/a.png", "D:\\photos\\val\\a.png", "https://example.org/val2017/a.png?size=full", "../../media/upload/1/a.png"])
  test(`COCO pictures named ${name} are found by their last part, which is said`, () => withDataset(cocoOf(sizes, { images: [{ id: 1, file_name: name }] }), async (root) => {
    const { items, notes } = await openDataset(root);
    assert.is(items[0]?.path, path.join(root, "a.png"));
    assert.match(notes.join("\n"), /lead nowhere here: their last part is looked for/);
  }));

test("COCO names whose last parts repeat are not guessed", () =>
  withDataset({ "a.png": [8, 8], "val.json": coco([], { images: [{ id: 1, file_name: "/x/1/a.png" }, { id: 2, file_name: "/x/2/a.png" }] }) }, async (root) =>
    assert.is((await failure(openDataset(root))).code, "DATASET_MISSING")));

test("COCO: data/ beside labels.json; pictures with absolute names are not said to lie in several folders; the first pictures may be missing", async () => {
  await withDataset({ "data/a.png": [100, 100], "labels.json": coco(sizes) }, async (root) => assert.equal(await boxesOf(root), [sizes]));
  await withDataset({ "a.png": [100, 100] }, async (root) => {
    writeFileSync(path.join(root, "val.json"), coco(sizes, { images: [{ id: 1, file_name: path.join(root, "a.png") }] }));
    assert.not.match((await openDataset(root)).notes.join("\n"), /pictures of these names/);
  });
  const images = Array.from({ length: 9 }, (_, i) => ({ id: i + 1, file_name: i === 7 ? "a.png" : `${i}.png` }));
  await withDataset(cocoOf(sizes, { images }), async (root) => assert.is((await openDataset(root, { skipInvalid: true })).items.length, 1));
});

test("data.yaml with Windows separators, under another name, in UTF-16", async () => {
  const files = { "images/val/a.png": [100, 100], "labels/val/a.txt": "0 0.5 0.5 0.2 0.2\n" } as const;
  const yaml = (place: string) => `train: ${place}\nval: ${place}\nnames: [car]\n`;
  for (const [name, place] of [["data.yaml", "images\\val"], ["data.yaml", ".\\images\\val"], ["traffic.yaml", "images/val"]] as const)
    await withDataset({ ...files, [name]: yaml(place) }, async (root) => assert.equal(await boxesOf(root), [[[40, 40, 20, 20]]], `${name} ${place}`));
  await withDataset(files, async (root) => {
    writeFileSync(path.join(root, "data.yaml"), Buffer.from(`\uFEFF${yaml("images/val")}`, "utf16le"));
    writeFileSync(path.join(root, "labels/val/a.txt"), Buffer.from("\uFEFF0 0.5 0.5 0.4 0.4\r\n", "utf16le"));
    assert.equal(await boxesOf(root), [[[30, 30, 40, 40]]]);
  });
});

test("classes.txt two folders above; a column more is called a prediction", async () => {
  const files = { "classes.txt": "car\n", "images/val/a.png": [100, 100], "labels/val/a.txt": "0 0.5 0.5 0.2 0.2\n" } as const;
  await withDataset(files, async (root) => assert.equal((await openDataset(path.join(root, "images", "val"))).classes, ["car"]));
  await withDataset({ ...files, "labels/val/a.txt": "0 0.5 0.5 0.2 0.2 0.87\n" }, async (root) => assert.match((await failure(openDataset(root))).message, /predictions, not labels/));
});

test("VOC in annotations/, in labels/, in VOC2012/; ImageSets with extensions; words for difficult; entities; declared encodings", async () => {
  for (const [annotations, pictures] of [["annotations", "images"], ["labels", "images"], ["annotations/xmls", "images"], ["VOC2012/Annotations", "VOC2012/JPEGImages"]] as const)
    await withDataset({ [`${annotations}/a.xml`]: xml(corners), [`${pictures}/a.png`]: [100, 100] }, async (root) => assert.is((await openDataset(root)).items[0]?.boxes?.length, 4, annotations));
  await withDataset({ ...voc(xml(corners)), "ImageSets/Main/val.txt": "a.png\n" }, async (root) => assert.is((await openDataset(root)).items.length, 1));
  for (const [word, crowd] of [["True", true], ["", undefined], ["Unspecified", undefined], ["0", undefined]] as const)
    await withDataset(voc(xml(corners, "car", "", `<difficult>${word}</difficult>`)), async (root) => assert.is((await openDataset(root)).items[0]?.boxes?.[0]?.crowd, crowd, word));
  await withDataset(voc(xml(corners, "salt &amp; pepper &lt;&#33;&gt;")), async (root) => assert.equal((await openDataset(root)).classes, ["salt & pepper <&#33;>"]));
  await withDataset(voc(""), async (root) => {
    writeFileSync(path.join(root, "Annotations/a.xml"), Buffer.from(xml(corners, "caf\u00e9", '<?xml version="1.0" encoding="ISO-8859-1"?>'), "latin1"));
    assert.equal((await openDataset(root)).classes, ["caf\u00e9"]);
    writeFileSync(path.join(root, "Annotations/a.xml"), Buffer.from(xml(corners, "caf\u00e9"), "latin1"));
    assert.is((await failure(openDataset(root))).code, "BAD_CLASS_NAMES");
  });
});

test("a link that leads nowhere is a broken picture, and as a label no label file", () => withDataset(yolo(centres), async (root) => {
  mkdirSync(path.join(root, "away"));
  symlinkSync(path.join(root, "away/b.png"), path.join(root, "images/b.png"));
  assert.match((await failure(openDataset(root))).message, /b\.png: Cannot read image/);
  rmSync(path.join(root, "images/b.png"));
  symlinkSync(path.join(root, "away/a.txt"), path.join(root, "labels/c.txt"));
  writeFileSync(path.join(root, "images/c.png"), await import("node:fs/promises").then(({ readFile }) => readFile(path.join(root, "images/a.png"))));
  assert.match((await openDataset(root)).notes.join("\n"), /1 picture \(images\/c\.png\) without a label file/);
}));

test.run();
