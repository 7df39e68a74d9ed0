import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

const images = [{ id: 42, file_name: "b.png", width: 20, height: 10 }, { id: 7, file_name: "a.png", width: 10, height: 10 }];
const categories = [{ id: 3, name: "truck" }, { id: 1, name: "car" }];
const box = { id: 1, image_id: 42, category_id: 3, bbox: [1.5, 2, 5, 6], area: 20.5, iscrowd: 0 };
const crowd = { id: 2, image_id: 42, category_id: 1, bbox: [15, 2, 5.4, 6], area: 30, iscrowd: 1 };
const pictures = { "images/a.png": [10, 10], "images/b.png": [20, 10] } as const;
const coco = (change: object) => ({ ...pictures, "val.json": JSON.stringify({ images, categories, annotations: [box, crowd], ...change }) });

test("COCO JSON: ids kept, pictures in order of image id, classes of category id, crowd and area kept, boxes as annotated", () =>
  withDataset(coco({}), async (root) => {
    const { classes, categoryIds, items } = await openDataset(path.join(root, "val.json"));
    assert.equal([classes, categoryIds], [["car", "truck"], [1, 3]]);
    assert.equal(items.map(({ id, imageId }) => [id, imageId]), [["a.png", 7], ["b.png", 42]]);
    assert.equal(items[1]?.boxes, [
      { box: [1.5, 2, 5, 6], classIndex: 1, area: 20.5 },
      { box: [15, 2, 5.4, 6], classIndex: 0, crowd: true, area: 30 },
    ]);
    assert.equal(items[0]?.boxes, []);
  }));

test("a folder with annotations/ opens the split's JSON", () =>
  withDataset({ ...pictures, "annotations/instances_val.json": coco({})["val.json"], "annotations/instances_train.json": "{}" }, async (root) =>
    assert.is((await openDataset(root)).items.length, 2),
  ));

test("without annotations the pictures are unlabelled", () =>
  withDataset(coco({ annotations: undefined }), async (root) => assert.equal((await openDataset(path.join(root, "val.json"))).items.map(({ boxes }) => boxes), [null, null])));

for (const [what, change, expected] of [
  ["a box of three numbers", { annotations: [{ ...box, bbox: [1, 2, 3] }] }, /annotations\[0\] \(id 1\): bbox/],
  ["a box without width", { annotations: [crowd, { ...box, bbox: [1, 2, 0, 3] }] }, /annotations\[1\] \(id 1\): bbox\.2/],
  ["an unknown category", { annotations: [{ ...box, category_id: 9 }] }, /no category has id 9/],
  ["an unknown image", { annotations: [{ ...box, image_id: 9 }] }, /no image has id 9/],
  ["a box outside its picture", { annotations: [{ ...box, bbox: [50, 50, 5, 5] }] }, /outside the picture \(20x10\)/],
  ["an image id used twice", { images: [...images, images[0]] }, /id 42 .* twice/],
  ["a wrong declared size", { images: [{ ...images[0], width: 10, height: 20 }, images[1]] }, /10x20, this one is 20x10/],
  ["a missing picture", { images: [...images, { id: 8, file_name: "gone.png" }] }, /gone\.png/],
] as const)
  test(`${what} is reported`, () =>
    withDataset(coco(change), async (root) => {
      const error = await failure(openDataset(path.join(root, "val.json")));
      assert.is(error.code, "DATASET_INVALID");
      assert.match(error.message, expected);
      assert.ok((await openDataset(path.join(root, "val.json"), { skipInvalid: true })).items.length >= 1);
    }));

for (const [what, text, expected] of [
  ["cut off", '{"images": [\n{"id": 1,', /val\.json/],
  ["without categories", '{"images": []}', /categories/],
  ["a list", "[]", /file/],
] as const)
  test(`COCO JSON that is ${what} is an error`, () =>
    withDataset({ "val.json": text }, async (root) => {
      const error = await failure(openDataset(path.join(root, "val.json")));
      assert.is(error.code, "BAD_COCO_JSON");
      assert.match(error.message, expected);
    }));

test("pictures that are nowhere near: the error lists where it looked", () =>
  withDataset({ "val.json": coco({})["val.json"] }, async (root) => assert.match((await failure(openDataset(path.join(root, "val.json")))).message, /"b\.png" is in none of/)));

test("the image folder can be given", () =>
  withDataset({ "far/away/a.png": [10, 10], "far/away/b.png": [20, 10], "val.json": coco({})["val.json"] }, async (root) =>
    assert.is((await openDataset({ path: path.join(root, "val.json"), images: path.join(root, "far/away") })).items.length, 2),
  ));

test.run();
