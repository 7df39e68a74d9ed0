import { test } from "uvu";
import * as assert from "uvu/assert";
import { classColour, drawBoxes } from "../../vision/draw.ts";
import type { Image8 } from "../../vision/types.ts";

const grey: Image8 = { width: 80, height: 60, channels: 3, data: new Uint8Array(80 * 60 * 3).fill(90) };
const pixel = ({ width, data }: Image8, x: number, y: number): number[] => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];

test("draws the frame in the class's colour, a label above it, and leaves the original", () => {
  const drawn = drawBoxes(grey, [{ box: [10, 20, 30, 25], classIndex: 2, score: 0.5 }], { classes: ["a", "b", "car"] });
  const colour = [...classColour(2)];
  for (const [x, y] of [[10, 30], [39, 30], [20, 20], [20, 44], [10, 12]] as const) assert.equal(pixel(drawn, x, y), colour, `${x}, ${y}`);
  assert.equal(pixel(drawn, 25, 30), [90, 90, 90]);
  assert.ok(grey.data.every((v) => v === 90));
  const ink = Array.from({ length: 9 * 40 }, (_, i) => pixel(drawn, 10 + (i % 40), 11 + Math.floor(i / 40))).filter((p) => p.every((v) => v === 255) || p.every((v) => v === 0));
  assert.ok(ink.length > 20);
});

test("boxes that reach outside are clipped, unknown classes get their number", () => {
  const drawn = drawBoxes(grey, [{ box: [-50, -50, 500, 500], classIndex: 12 }, { box: [79, 59, 1, 1], classIndex: 0, score: 1 }], { classes: [] });
  assert.is(drawn.data.length, grey.data.length);
});

test("the first twelve class colours differ", () => {
  assert.is(new Set(Array.from({ length: 12 }, (_, i) => classColour(i).join())).size, 12);
});

test.run();
