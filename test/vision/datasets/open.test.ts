import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { canonicalClass, cocoClasses, datasetFingerprint, mapClasses, openDataset } from "../../../vision/index.ts";
import { failure, withDataset } from "./folder.ts";

test("a folder of pictures is an unlabelled dataset", () =>
  withDataset({ "a.png": [4, 4], "sub/b.png": [5, 4], "notes.md": "x" }, async (root) => {
    const { classes, items } = await openDataset(root);
    assert.equal(classes, []);
    assert.equal(items.map(({ id, imageId, boxes }) => [id, imageId, boxes]), [["a.png", 1, null], ["sub/b.png", 2, null]]);
    assert.equal((await openDataset(root, { classes: ["car"] })).classes, ["car"]);
  }));

test("an empty folder, a missing path and an unknown file are errors", () =>
  withDataset({ "a.bin": "x" }, async (root) => {
    assert.is((await failure(openDataset(root))).code, "DATASET_EMPTY");
    assert.is((await failure(openDataset(path.join(root, "none")))).code, "DATASET_MISSING");
    assert.is((await failure(openDataset(path.join(root, "a.bin")))).code, "UNKNOWN_DATASET_FORMAT");
  }));

test("a dataset of which nothing is usable is an error even with skipInvalid", () =>
  withDataset({ "a.png": "x" }, async (root) => assert.is((await failure(openDataset(root, { skipInvalid: true }))).code, "DATASET_EMPTY")));

test("the pixel limit holds for datasets", () =>
  withDataset({ "a.png": [40, 40] }, async (root) => assert.match((await failure(openDataset(root, { maxPixels: 1000 }))).message, /a\.png/)));

test("the fingerprint changes with labels, names and sizes, not with the place", async () => {
  const files = { "classes.txt": "a\nb", "1.png": [10, 10], "1.txt": "0 0.5 0.5 1 1" } as const;
  const of = (change: Parameters<typeof withDataset>[0]) => withDataset({ ...files, ...change }, async (root) => datasetFingerprint((await openDataset(root)).items));
  const plain = await of({});
  assert.match(plain, /^[0-9a-f]{64}$/);
  assert.is(await of({}), plain);
  const others = await Promise.all([{ "1.txt": "1 0.5 0.5 1 1" }, { "1.png": [10, 11] as const }, { "2.png": [10, 10] as const }].map(of));
  assert.is(new Set([plain, ...others]).size, 4);
});

for (const [voc, coco] of [["aeroplane", "airplane"], ["DiningTable", "dining table"], ["Traffic_Light", "traffic light"], ["tvmonitor", "tv"], ["motorbike", "Motorcycle"], ["constructor", "constructor"]] as const)
  test(`class "${voc}" is "${coco}"`, () => assert.is(canonicalClass(voc), canonicalClass(coco)));

test("two of a dataset's classes may be one wanted class, not the reverse", () => {
  assert.equal(mapClasses(["motorbike", "motorcycle", "bus"], ["motorcycle"]), [0, 0, -1]);
  assert.throws(() => mapClasses(["tv"], ["tv", "TVmonitor"]), /same class/);
});

const assets = fileURLToPath(new URL("../../../../shared/assets/data/", import.meta.url));
const real = (name: string, run: () => Promise<void>) => (existsSync(assets) ? test(name, run) : test.skip(name, run));

for (const [split, pictures, boxes] of [["train", 640, 1475], ["val", 250, 538]] as const)
  real(`highway ${split}: ${pictures} photos, ${boxes} boxes`, async () => {
    const { classes, items, problems } = await openDataset({ path: path.join(assets, "highway"), split });
    assert.equal(classes, ["bus", "car", "motorbike", "person", "truck"]);
    assert.equal([items.length, items.flatMap((item) => item.boxes ?? []).length, problems.length], [pictures, boxes, 0]);
    const asCoco = await openDataset({ path: path.join(assets, "highway"), split }, { classes: ["car", "motorcycle"] });
    assert.is(asCoco.items.length, pictures);
  });

real("coco-val128: 128 photos, 898 boxes", async () => {
  const { items } = await openDataset(path.join(assets, "coco-val128"), { labelNames: cocoClasses, verify: "full" });
  assert.equal([items.length, items.flatMap(({ boxes }) => boxes ?? []).length], [128, 898]);
});

test.run();
