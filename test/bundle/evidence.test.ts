import { test } from "uvu";
import * as assert from "uvu/assert";
import { driftRows } from "../../bundle/evidence/drift.ts";
import { averagePrecision, rank } from "../../bundle/evidence/precision.ts";
import { metricOf } from "../../bundle/evidence/requirements.ts";
import { sliceAccuracies } from "../../bundle/evidence/slices.ts";
import type { RunResult } from "../../pipeline/result.ts";
import { cocoAccuracy, type Box, type EvaluatedPicture } from "../../vision/index.ts";
import { diceFor } from "../../vision/random.ts";

const classes = ["car", "person", "never"];

/** Pictures with boxes of two classes and detections that find most of them, some twice, some nowhere. */
const pictures = (count: number): EvaluatedPicture[] => Array.from({ length: count }, (_, picture) => {
  const dice = diceFor(picture, 11);
  const box = (): Box => [dice.between(0, 300), dice.between(0, 200), dice.between(5, 150), dice.between(5, 150)];
  const groundTruth = Array.from({ length: 1 + dice.index(5) }, () => ({ box: box(), classIndex: dice.index(2), ...(dice.chance(0.1) && { crowd: true }) }));
  const near = groundTruth.flatMap(({ box: [x, y, w, h], classIndex }) => (dice.chance(0.8) ? [{ box: [x + dice.between(-4, 4), y + dice.between(-4, 4), w * dice.between(0.8, 1.2), h] as const, classIndex, score: dice.between(0.2, 1) }] : []));
  const stray = Array.from({ length: dice.index(4) }, () => ({ box: box(), classIndex: dice.index(2), score: dice.between(0, 0.8) }));
  return { groundTruth, detections: [...near, ...stray].sort((a, b) => b.score - a.score) };
});

test("every picture once: the figures of cocoAccuracy, whole, by class and by size", () => {
  const all = pictures(40);
  const truth = cocoAccuracy(all, classes);
  const [whole, small, medium, large] = sliceAccuracies(all, { classes, ids: all.map((_, i) => String(i)), slices: {}, seed: 1 });
  for (const [slice, expected] of [[whole, truth.map], [small, truth.mapSmall], [medium, truth.mapMedium], [large, truth.mapLarge]] as const) assert.ok(Math.abs(slice!.map.value! - expected) < 1e-6, slice!.slice);
  assert.ok(Math.abs(whole!.map50.value! - truth.map50) < 1e-6);
  for (const { class: name, map, instances } of truth.perClass) {
    assert.ok(Math.abs(whole!.perClass[name]!.ap.value! - map) < 1e-6, name);
    assert.is(whole!.perClass[name]!.instances, instances);
  }
  assert.equal(whole!.perClass["never"], { ap: { value: null, low: null, high: null }, instances: 0 });
});

test("a weight counts a picture that often: the same as giving it again", () => {
  const all = pictures(12);
  const weights = all.map((_, i) => [0, 1, 3][i % 3]!);
  const repeated = all.flatMap((picture, i) => Array.from({ length: weights[i]! }, () => picture));
  for (const classIndex of [0, 1]) {
    const once = averagePrecision(rank(repeated, classIndex, "all"), repeated.map(() => 1))!;
    const weighted = averagePrecision(rank(all, classIndex, "all"), weights)!;
    once.forEach((ap, t) => assert.ok(Math.abs(ap - weighted[t]!) < 0.02, `${ap} ${weighted[t]}`));
  }
});

test("a slice sees its own pictures; the interval holds the value, is seeded, and narrows with more pictures", () => {
  const all = pictures(60);
  const ids = all.map((_, i) => String(i));
  const night = new Set(ids.filter((id) => Number(id) % 3 === 0));
  const measure = (seed: number) => sliceAccuracies(all, { classes, ids, slices: { night }, seed });
  const [whole, , , , part] = measure(1);
  const expected = cocoAccuracy(all.filter((_, i) => i % 3 === 0), classes);
  assert.ok(Math.abs(part!.map.value! - expected.map) < 1e-6);
  assert.is(part!.images, 20);
  for (const { map: { value, low, high } } of [whole!, part!]) assert.ok(low! < value! && value! < high!);
  assert.ok(whole!.map.high! - whole!.map.low! < part!.map.high! - part!.map.low!);
  assert.equal(measure(1), measure(1));
  assert.not.equal(measure(1), measure(2));
});

const runOf = (variants: readonly Partial<RunResult["variants"][number]>[]): RunResult =>
  ({ name: "r", config: {}, seed: 1, environment: {}, stages: [], gates: [], variants: variants.map((variant) => ({ latency: {}, ...variant })) }) as unknown as RunResult;
const accuracy = (car: number) => ({ map: car / 2, map50: car, perClass: { car } });

test("drift follows the deployed file's parents from the teacher; a baseline is no part of it", () => {
  const [, car] = driftRows(runOf([
    { name: "teacher", stage: "teacher", parent: null, accuracy: accuracy(0.8) }, { name: "baseline", stage: "baseline", parent: null, accuracy: accuracy(0.3) },
    { name: "distilled", stage: "distilled", parent: "teacher", accuracy: accuracy(0.7) }, { name: "int8", stage: "int8", parent: "distilled", accuracy: accuracy(0.65) },
  ]), ["distilled", "int8"]);
  assert.equal(car!.steps.map(({ variant, ap, change }) => [variant, ap, change === null ? null : Number(change.toFixed(6))]), [["teacher", 0.8, null], ["distilled", 0.7, -0.1], ["int8", 0.65, -0.05]]);
});

test("metrics by name; what does not exist is no metric", () => {
  for (const name of ["map", "map50", "mapDrop", "macs", "ap.car", "orin.p99Ms"]) assert.ok(metricOf(name), name);
  for (const name of ["constructor", "recall", "p99Ms", "mAP"]) assert.is(metricOf(name), undefined, name);
});

test.run();
