import { test } from "uvu";
import * as assert from "uvu/assert";
import path from "node:path";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

const label = (...numbers: readonly number[]) => numbers.map((number, i) => `${number} 0.5 0.5 0.${i + 2} 0.5`).join("\n");
const yolo = (names: string, ...numbers: readonly number[]) => ({ "data.yaml": `val: images\nnames: ${names}\n`, "images/a.png": [100, 100], "labels/a.txt": label(...numbers) }) as const;

test("a set that lacks some of the wanted classes: an error, or a note", () => withDataset(yolo("[bus, car]", 0), async (root) => {
  assert.is((await failure(openDataset(root, { classes: ["bus", "tram"] }))).code, "UNKNOWN_CLASS");
  const { classes, categoryIds, items, notes } = await openDataset(root, { classes: ["tram", "car", "bus"], lacking: "note" });
  assert.equal([classes, categoryIds, items[0]?.boxes?.map(({ classIndex }) => classIndex)], [["tram", "car", "bus"], [3, 2, 1], [2]]);
  assert.match(notes.join("\n"), /no boxes of "tram", "car": without an AP \(null\), not in the mean/);
  assert.is((await failure(openDataset(root, { classes: ["tram"], lacking: "note" }))).code, "UNKNOWN_CLASS");
}));

test("classes that are not wanted are left out by name and number", () => withDataset(yolo("[bus, car, tram]", 0, 1, 1, 2), async (root) =>
  assert.match((await openDataset(root, { classes: ["bus"] })).notes.join("\n"), /3 boxes of classes that are not wanted are left out: car 2, tram 1/)));

test("spellings of one class are one class, which is said", () => withDataset(yolo("[Car, bus, car, CAR]", 0, 1, 2, 2, 3), async (root) => {
  const { classes, categoryIds, items, notes } = await openDataset(root);
  assert.equal([classes, categoryIds, items[0]?.boxes?.map(({ classIndex }) => classIndex)], [["Car", "bus"], [3, 2], [0, 1, 0, 0, 0]]);
  assert.match(notes.join("\n"), /the classes "Car" \(1: 1 boxes\) and "car" \(3: 2 boxes\) and "CAR" \(4: 1 boxes\) are the same/);
}));

test("another order of the classes is matched by name", () => withDataset(yolo("{0: traffic_light, 1: Motorbike}", 1, 0), async (root) =>
  assert.equal((await openDataset(root, { classes: ["motorcycle", "traffic light"] })).items[0]?.boxes?.map(({ classIndex }) => classIndex), [0, 1])));

test("two COCO categories of one name: the id is that of the boxes", () => {
  const json = { images: [{ id: 1, file_name: "a.png" }], categories: [{ id: 0, name: "cars" }, { id: 1, name: "cars" }], annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 4, 4], area: 16, iscrowd: 0 }] };
  return withDataset({ "val.json": JSON.stringify(json), "a.png": [8, 8] }, async (root) => {
    const { classes, categoryIds } = await openDataset(path.join(root, "val.json"));
    assert.equal([classes, categoryIds], [["cars"], [1]]);
  });
});

test.run();
