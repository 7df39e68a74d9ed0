import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { clipBox, fit, letterbox8, parsePreprocess, preprocessPreset, serializePreprocess, toImage, toNetwork, toTensor } from "../../vision/preprocess.ts";
import type { Box, Preprocess } from "../../vision/types.ts";
import { pattern, plain } from "./images.ts";

interface Case {
  readonly preset: "yolov8" | "yolox";
  readonly from: [number, number];
  readonly to: [number, number];
  readonly place: number[];
  readonly pixels: string;
  readonly tensor: string;
}
const fixture = new URL("../fixtures/letterbox/expected.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(fixture, "utf8")) as { cases: Case[] };
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

for (const { preset, from, to, place, pixels, tensor } of cases)
  test(`${preset} ${from.join("x")} on ${to.join("x")}: the trainer's own place, pixels and tensor`, () => {
    const contract = preprocessPreset(preset, to);
    const { padLeft, padTop, newWidth, newHeight } = fit(contract, ...from);
    assert.equal([padLeft, padTop, newWidth, newHeight], place);
    const boxed = letterbox8(pattern(...from), contract);
    assert.is(sha256(boxed.data), pixels);
    const values = new Float32Array(to[0] * to[1] * 3 + 5);
    toTensor(boxed.data, contract, values, 5);
    assert.equal([...values.subarray(0, 5)], [0, 0, 0, 0, 0]);
    assert.is(sha256(new Uint8Array(values.buffer, 20)), tensor);
  });

const v8 = preprocessPreset("yolov8", [320, 192]);

test("stretch fills the network's input", () => {
  const contract: Preprocess = { ...v8, resize: "stretch" };
  const { scaleX, scaleY, padLeft, padTop, newWidth, newHeight } = fit(contract, 640, 640);
  assert.equal([scaleX, scaleY, padLeft, padTop, newWidth, newHeight], [0.5, 0.3, 0, 0, 320, 192]);
});

test("an extreme shape keeps at least one pixel", () => assert.is(fit(v8, 10000, 3).newHeight, 1));

test("letterbox8 into a used buffer leaves nothing of it", () => {
  const image = plain(100, 100, [9, 8, 7]);
  const used = pattern(320, 192).data;
  assert.equal(letterbox8(image, v8, used).data, letterbox8(image, v8).data);
});

test("toTensor applies scale, mean and std in the contract's channel order", () => {
  const contract: Preprocess = { ...v8, size: [1, 1], order: "bgr", scale: 1, mean: [1, 2, 3], std: [2, 4, 8] };
  const out = new Float32Array(3);
  toTensor(Uint8Array.of(10, 20, 30), contract, out);
  assert.equal([...out], [(30 - 1) / 2, (20 - 2) / 4, (10 - 3) / 8]);
});

test("toTensor refuses a picture of another size", () =>
  assert.throws(() => toTensor(new Uint8Array(12), v8, new Float32Array(12)), (error: unknown) => error instanceof UserError && error.code === "WRONG_PICTURE_SIZE"));

for (const [preset, width, height] of [["yolov8", 641, 359], ["yolov8", 33, 250], ["yolox", 500, 375]] as const)
  test(`boxes go to the network and back: ${preset} ${width}x${height}`, () => {
    const geometry = fit(preprocessPreset(preset, [320, 192]), width, height);
    const box: Box = [3.5, 7.25, 20, 30.5];
    const back = toImage(toNetwork(box, geometry), geometry);
    for (const [i, value] of box.entries()) assert.ok(Math.abs(value - back[i]!) < 1e-9);
    const whole = toNetwork([-5, -5, width + 10, height + 10], geometry);
    assert.equal(whole.map(Math.round), [geometry.padLeft, geometry.padTop, geometry.newWidth, geometry.newHeight]);
    assert.equal(toImage([-50, -50, 900, 900], geometry), [0, 0, width, height]);
  });

test("clipBox of a box outside has no area", () => assert.equal(clipBox([20, 3, 5, 5], 10, 10).slice(2), [0, 5]));

test("the contract survives JSON, exactly", () => {
  const text = serializePreprocess(v8);
  assert.equal(parsePreprocess(text), v8);
  assert.is(serializePreprocess(parsePreprocess(text)), text);
});

for (const [what, change, expected] of [
  ["a wrong mode", { resize: "crop" }, /resize/],
  ["a size of zero", { size: [0, 320] }, /size\.0/],
  ["a std of zero", { std: [1, 0, 1] }, /std/],
  ["an unknown key", { colour: 1 }, /colour/],
] as const)
  test(`parsePreprocess refuses ${what}`, () =>
    assert.throws(() => parsePreprocess(JSON.stringify({ ...v8, ...change }), "metadata of m.onnx"), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.is(error.code, "BAD_PREPROCESS");
      assert.match(error.message, expected);
      return /m\.onnx/.test(error.message);
    }));

test("parsePreprocess refuses text that is not JSON", () => assert.throws(() => parsePreprocess("{"), /not a valid preprocess contract/));

test.run();
