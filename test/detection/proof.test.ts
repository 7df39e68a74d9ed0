import { test } from "uvu";
import * as assert from "uvu/assert";
import { agrees, distanceOf, distanceText } from "../../detection/distance.ts";
import type { Rows } from "../../detection/rows.ts";
import { placeInto } from "../../detection/placement.ts";
import { Tensor } from "../../graph/tensor.ts";
import { preprocessPreset } from "../../vision/preprocess.ts";

/** Two anchors, three classes. */
const rows = (
  change: {
    readonly corners?: Readonly<Record<number, number>>;
    readonly scores?: Readonly<Record<number, number>>;
  } = {},
): Rows => ({
  anchors: 2,
  corners: Float32Array.from([10, 10, 20, 20, 0, 0, 300, 200], (value, i) => change.corners?.[i] ?? value),
  scores: Float32Array.from([0.9, 0.5, 1e-5, 2e-5, 3e-5, 4e-5], (value, i) => change.scores?.[i] ?? value),
});

test("equal rows agree; the rounding of float32 agrees", () => {
  assert.ok(agrees(distanceOf([rows()], [rows()])));
  assert.ok(
    agrees(
      distanceOf([rows()], [rows({ corners: { 0: 10.00001, 6: 300.0002 }, scores: { 0: 0.9000001, 5: 4.000001e-5 } })]),
    ),
  );
});

test("the noise of the runtime's sigmoid near 0 agrees: 6e-7 against 1.5e-8", () => {
  const saturated = (score: number): Rows => ({ ...rows(), scores: new Float32Array(6).fill(score) });
  assert.ok(agrees(distanceOf([saturated(6e-7)], [saturated(1.5e-8)])));
});

for (const [what, change, boxesOff, classesOff] of [
  ["a small box off by a twentieth of a pixel", { corners: { 1: 10.05 } }, 0.5, []],
  ["a large box off by half a pixel", { corners: { 6: 300.5 } }, 0.5, []],
  ["a box that is no number", { corners: { 7: NaN } }, 0.5, []],
  ["a score off by 0.002", { scores: { 1: 0.502 } }, 0, [1]],
  ["two tiny scores that changed places", { scores: { 3: 4e-5, 5: 2e-5 } }, 0, [0, 2]],
  ["a score that is no number", { scores: { 4: NaN } }, 0, [1]],
] as const) {
  test(`told apart: ${what}`, () => {
    const distance = distanceOf([rows(), rows()], [rows(), rows(change)]);
    assert.is(agrees(distance), false);
    assert.equal([distance.boxesOff, [...distance.classesOff]], [boxesOff / 2, [...classesOff]]);
  });
}

test("told apart: a missing picture, other anchors", () => {
  assert.is(agrees(distanceOf([rows(), rows()], [rows()])), false);
  assert.is(
    agrees(
      distanceOf([rows()], [{ ...rows(), anchors: 1, corners: new Float32Array(4), scores: new Float32Array(3) }]),
    ),
    false,
  );
});

test("the difference is said in words", () => {
  const text = distanceText(distanceOf([rows()], [rows({ corners: { 6: 312.25 }, scores: { 1: 0.7 } })]), [
    "car",
    "bus",
    "bike",
  ]);
  assert.match(text, /^boxes by up to 12\.3 px on 50 % of the anchors; scores of "bus" by up to 0\.2/);
});

/** Values of torch.nn.functional.interpolate(x, size=(4, 6), mode="bilinear", align_corners=False) for x = [[0, 10, 20], [30, 50, 70]]. */
const doubled = [
  0, 2.5, 7.5, 12.5, 17.5, 20, 7.5, 10.625, 16.875, 23.125, 29.375, 32.5, 22.5, 26.875, 35.625, 44.375, 53.125, 57.5,
  30, 35, 45, 55, 65, 70,
];

test("pictures are placed into another input like torch's bilinear resize, padded in the contract's values", () => {
  const plane = [0, 10, 20, 30, 50, 70];
  const { placed, placement } = placeInto(
    Tensor.float32([1, 3, 2, 3], [...plane, ...plane.map((v) => v + 1), ...plane.map((v) => v + 2)]),
    preprocessPreset("yolov8", [6, 6]),
  );
  assert.equal(placement, { scale: 2, left: 0, top: 1 });
  for (let c = 0; c < 3; c++) {
    const [got, pad] = [
      [...placed.floats.subarray(36 * c, 36 * (c + 1))],
      new Array<number>(6).fill(Math.fround(114 / 255)),
    ];
    assert.equal([got.slice(0, 6), got.slice(30)], [pad, pad]);
    for (const [i, value] of doubled.entries())
      assert.ok(Math.abs(got[6 + i]! - value - c) < 1e-4, `plane ${c}, ${i}: ${got[6 + i]}`);
  }
});

test.run();
