import { test } from "uvu";
import * as assert from "uvu/assert";
import { shiftHsv } from "../../vision/hsv.ts";
import { pattern } from "./images.ts";

test("no shift changes nothing, but for rounding", () => {
  const before = pattern(64, 64).data;
  const after = before.slice();
  shiftHsv(after, { hue: 0, saturation: 1, value: 1 });
  for (const [i, value] of before.entries()) assert.ok(Math.abs(value - after[i]!) <= 1);
});

for (const [what, from, shift, to] of [
  ["a third of a turn: red to green", [255, 0, 0], { hue: 1 / 3, saturation: 1, value: 1 }, [0, 255, 0]],
  ["a third back: red to blue", [255, 0, 0], { hue: -1 / 3, saturation: 1, value: 1 }, [0, 0, 255]],
  ["a sixth: blue to magenta", [0, 0, 200], { hue: 1 / 6, saturation: 1, value: 1 }, [200, 0, 200]],
  ["a sixth: magenta to red", [200, 0, 200], { hue: 1 / 6, saturation: 1, value: 1 }, [200, 0, 0]],
  ["half a turn: orange to azure", [200, 100, 0], { hue: 0.5, saturation: 1, value: 1 }, [0, 100, 200]],
  ["no saturation: grey of the same value", [200, 100, 50], { hue: 0.2, saturation: 0, value: 1 }, [200, 200, 200]],
  ["saturation stops at pure colour", [200, 100, 100], { hue: 0, saturation: 9, value: 1 }, [200, 0, 0]],
  ["half the value", [200, 100, 50], { hue: 0, saturation: 1, value: 0.5 }, [100, 50, 25]],
  ["value stops at 255", [200, 100, 100], { hue: 0, saturation: 1, value: 2 }, [255, 128, 128]],
  ["grey has no hue", [90, 90, 90], { hue: 0.3, saturation: 2, value: 1 }, [90, 90, 90]],
  ["black stays black", [0, 0, 0], { hue: 0.3, saturation: 2, value: 2 }, [0, 0, 0]],
] as const)
  test(what, () => {
    const pixel = Uint8Array.from(from);
    shiftHsv(pixel, shift);
    assert.equal([...pixel], to);
  });

test.run();
