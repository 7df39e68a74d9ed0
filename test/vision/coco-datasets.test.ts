import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { accuracyRecord } from "../../pipeline/accuracy.ts";
import { cocoAccuracy, groundTruthJson, openDataset, type Dataset, type Detection } from "../../vision/index.ts";
import { withDataset } from "./datasets/folder.ts";

type Numbers = [number, number, number, number];
interface Coco {
  readonly images: readonly { id: number; file_name: string; width: number; height: number }[];
  readonly categories: readonly { id: number; name: string }[];
  readonly annotations: readonly { id: number; image_id: number; category_id: number; bbox: Numbers; area: number; iscrowd: number }[];
}
interface Case {
  readonly truth: Coco;
  readonly detections: readonly { image_id: number; category_id: number; bbox: Numbers; score: number }[];
  readonly stats: readonly number[];
  readonly perClass: Readonly<Record<string, number | null>>;
}

const file = process.env["COCO_DATASETS_FIXTURE"] ?? new URL("../fixtures/coco-map/datasets.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as Case[];
const figures = ["map", "map50", "map75", "mapSmall", "mapMedium", "mapLarge", "ar1", "ar10", "ar100", "arSmall", "arMedium", "arLarge"] as const;

const opened = (truth: Coco, use: (dataset: Dataset) => Promise<void> | void): Promise<void> =>
  withDataset({ ...Object.fromEntries(truth.images.map(({ file_name, width, height }) => [file_name, [width, height] as const])), "val.json": JSON.stringify(truth) }, async (root) =>
    use(await openDataset(path.join(root, "val.json"))));

const judge = ({ items, classes, categoryIds }: Dataset, detections: Case["detections"]) => cocoAccuracy(items.map(({ imageId, boxes }) => ({
  groundTruth: boxes ?? [],
  detections: detections.filter(({ image_id }) => image_id === imageId).map(({ category_id, bbox, score }): Detection => ({ classIndex: categoryIds.indexOf(category_id), box: bbox, score }))
    .filter(({ classIndex }) => classIndex >= 0),
})), classes);

for (const [index, { truth, detections, stats, perClass }] of cases.entries())
  test(`data set ${index}: all twelve figures and every class equal pycocotools`, () => opened(truth, (dataset) => {
    const accuracy = judge(dataset, detections);
    for (const [i, figure] of figures.entries()) assert.ok(Math.abs(accuracy[figure] - stats[i]!) < 1e-9, `${figure}: ${accuracy[figure]} instead of ${stats[i]}`);
    const record = accuracyRecord(accuracy, dataset.classes);
    for (const [name, expected] of Object.entries(perClass)) {
      const actual = record.perClass[name] ?? null;
      assert.ok(actual === expected || Math.abs((actual ?? NaN) - (expected ?? NaN)) < 1e-9, `${name}: ${actual} instead of ${expected}`);
    }
  }));

const byId = <T extends { readonly id: number }>(list: readonly T[]): T[] => [...list].sort((a, b) => a.id - b.id);

for (const [index, { truth }] of cases.entries())
  test(`data set ${index}: the saved ground truth has the data set's pictures, ids and boxes`, () => opened(truth, (dataset) => {
    const saved = JSON.parse(groundTruthJson(dataset, dataset.items)) as Coco;
    assert.equal(saved.images.map(({ id }) => id), byId(truth.images).map(({ id }) => id));
    const used = new Set(truth.annotations.map(({ category_id }) => category_id));
    for (const { id, name } of truth.categories.filter((category) => used.has(category.id))) assert.is(saved.categories.find((category) => category.id === id)?.name, name);
    const lines = ({ annotations }: Coco): string[] => annotations.map(({ image_id, category_id, bbox, area, iscrowd }) => JSON.stringify([image_id, category_id, bbox, area, iscrowd])).sort();
    assert.equal(lines(saved), lines(truth));
    assert.is(new Set(saved.annotations.map(({ id }) => id)).size, truth.annotations.length);
    assert.is(saved.annotations.some(({ id }) => id === 0), truth.annotations.some(({ id }) => id === 0));
  }));

test.run();
