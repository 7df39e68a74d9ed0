import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resizeBilinear, resizeInto, roundHalfEven } from "../../vision/resize.ts";
import { pattern } from "./images.ts";

interface Case {
  readonly from: [number, number];
  readonly to: [number, number];
  readonly sha256: string;
  readonly base64?: string;
}
const fixture = new URL("../fixtures/opencv-resize/expected.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, "utf8")) as { cases: Case[] };

for (const { from, to, sha256, base64 } of cases)
  test(`resize ${from.join("x")} to ${to.join("x")} gives OpenCV's bytes`, () => {
    const { data } = resizeBilinear(pattern(...from), ...to);
    if (base64 !== undefined) assert.equal(Buffer.from(data).toString("base64"), base64);
    assert.is(createHash("sha256").update(data).digest("hex"), sha256);
  });

for (const [from, to] of [[[9, 7], [6, 5]], [[8, 6], [4, 3]], [[5, 4], [5, 4]]] as [[number, number], [number, number]][])
  test(`resizeInto ${from.join("x")} to ${to.join("x")} fills its rectangle only`, () => {
    const source = pattern(...from);
    const whole = resizeBilinear(source, ...to);
    const target = pattern(20, 15);
    const before = target.data.slice();
    resizeInto(source, target, { x: 3, y: 2, width: to[0], height: to[1] });
    for (let y = 0; y < 15; y++)
      for (let i = 0; i < 60; i++) {
        const inside = y >= 2 && y < 2 + to[1] && i >= 9 && i < 9 + to[0] * 3;
        assert.is(target.data[y * 60 + i], inside ? whole.data[(y - 2) * to[0] * 3 + i - 9] : before[y * 60 + i]);
      }
  });

test("resizeInto refuses a rectangle outside the target", () =>
  assert.throws(() => resizeInto(pattern(4, 4), pattern(8, 8), { x: 5, y: 0, width: 4, height: 4 }), /outside/));

for (const [value, expected] of [[0.5, 0], [1.5, 2], [2.5, 2], [-0.5, 0], [2.4, 2], [2.6, 3]] as const)
  test(`roundHalfEven(${value})`, () => assert.is(roundHalfEven(value) + 0, expected));

test.run();
