import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cocoAccuracy, type EvaluatedPicture } from "../../vision/coco-map.ts";

interface Fixture {
  readonly classes: string[];
  readonly pictures: { truth: { c: number; box: [number, number, number, number]; crowd?: boolean; area?: number }[]; found: [number, number, number, number, number, number][] }[];
  readonly stats: number[];
  readonly perClass: { class: string; map: number; map50: number }[];
}

const path = process.env["COCO_MAP_FIXTURE"] ?? new URL("../fixtures/coco-map/accuracy.json", import.meta.url);
const fixture = JSON.parse(readFileSync(path, "utf8")) as Fixture;
const pictures: EvaluatedPicture[] = fixture.pictures.map(({ truth, found }) => ({
  groundTruth: truth.map(({ c, ...rest }) => ({ classIndex: c, ...rest })),
  detections: found.map(([classIndex, score, ...box]) => ({ classIndex, score, box })),
}));
const accuracy = cocoAccuracy(pictures, fixture.classes);

const figures = ["map", "map50", "map75", "mapSmall", "mapMedium", "mapLarge", "ar1", "ar10", "ar100", "arSmall", "arMedium", "arLarge"] as const;
figures.forEach((figure, i) => {
  test(`${figure} equals pycocotools`, () => {
    const expected = fixture.stats[i] ?? NaN;
    assert.ok(Math.abs(accuracy[figure] - expected) < 1e-9, `${accuracy[figure]} instead of ${expected}`);
  });
});

test("each class equals pycocotools; those without ground truth are left out", () => {
  const expected = fixture.perClass.filter(({ map }) => map !== -1);
  assert.equal(accuracy.perClass.map((c) => c.class), expected.map((c) => c.class));
  accuracy.perClass.forEach((c, i) => {
    assert.ok(Math.abs(c.map - (expected[i]?.map ?? NaN)) < 1e-9);
    assert.ok(Math.abs(c.map50 - (expected[i]?.map50 ?? NaN)) < 1e-9);
  });
});

test("perfect detections score 1, no ground truth scores -1", () => {
  const box = [10, 10, 50, 50] as const;
  const perfect = [{ groundTruth: [{ box, classIndex: 0 }], detections: [{ box, classIndex: 0, score: 0.5 }] }];
  assert.is(Math.round(cocoAccuracy(perfect, ["a"]).map * 1e9), 1e9);
  assert.is(cocoAccuracy([{ groundTruth: [], detections: [] }], ["a"]).map, -1);
});

test.run();
