import { test } from "uvu";
import * as assert from "uvu/assert";
import { expectedMaximum } from "../../pipeline/choosing.ts";
import type { QuantizeConfig } from "../../pipeline/config-schema.ts";
import { allowedDropOf, lossesOf } from "../../pipeline/losses.ts";
import { mapStandardError } from "../../pipeline/evaluate/standard-error.ts";
import type { Variant, VariantStage } from "../../pipeline/result.ts";

const variant = (name: string, stage: VariantStage, parent: string | null, map: number | null): Variant => ({
  name, stage, parent, model: `${name}.onnx`, sha256: "", parameters: 1, macs: 1, sizeBytes: 1, latency: {}, accuracy: map === null ? null : { map, map50: map, perClass: {} },
});
const allowed = { distill: 0.01, prune: 0.03, quantize: 0.01 };
const names = (variants: readonly Variant[]): string[] => lossesOf(variants, allowed).map((loss) => `${loss.variant} below ${loss.parent}`);

for (const [what, variants, expected] of [
  ["a trained student below the given one", [variant("student", "student", null, 0.591), variant("distilled", "distilled", "student", 0.137)], ["distilled below student"]],
  ["a baseline below the given one", [variant("student", "student", null, 0.5), variant("baseline", "baseline", "student", 0.4)], ["baseline below student"]],
  ["fresh weights below their teacher", [variant("teacher", "teacher", null, 0.6), variant("distilled", "distilled", "teacher", 0.3)], []],
  ["slices not trained yet", [variant("teacher", "teacher", null, 0.6), variant("student", "student", "teacher", 0)], []],
  ["pruned a little worse", [variant("distilled", "distilled", null, 0.6), variant("pruned", "pruned", "distilled", 0.575)], []],
  ["pruned much worse", [variant("distilled", "distilled", null, 0.6), variant("pruned", "pruned", "distilled", 0.565)], ["pruned below distilled"]],
  ["one of two int8 files worse", [variant("pruned", "pruned", null, 0.5), variant("int8.cpu", "int8", "pruned", 0.495), variant("int8.tensorrt", "int8", "pruned", 0.48)], ["int8.tensorrt below pruned"]],
  ["not evaluated", [variant("distilled", "distilled", null, null), variant("pruned", "pruned", "distilled", 0.1)], []],
] as const) test(`loss: ${what}`, () => assert.equal(names(variants), expected));

test("int8 may lose what the search for its float layers accepts, unless the config says otherwise", () => {
  const limits = { distill: 0.01, prune: 0.03, quantize: undefined };
  assert.is(allowedDropOf({ allowedDrop: limits, quantize: undefined }).quantize, 0.01);
  assert.is(allowedDropOf({ allowedDrop: limits, quantize: { maxDrop: 0.02 } as QuantizeConfig }).quantize, 0.02);
  assert.is(allowedDropOf({ allowedDrop: { ...limits, quantize: 0.005 }, quantize: { maxDrop: 0.02 } as QuantizeConfig }).quantize, 0.005);
});

test("the expected best of n standard normal draws (published values)", () => {
  for (const [n, value] of [[1, 0], [2, 0.5642], [5, 1.1630], [10, 1.5388], [20, 1.8675], [100, 2.5076]] as const) assert.ok(Math.abs(expectedMaximum(n) - value) < 0.03, `${n}: ${expectedMaximum(n)}`);
});

test("the standard error of mAP is that of a share where every picture has one object, found or not", () => {
  const box = [10, 10, 20, 20] as const;
  const pictures = Array.from({ length: 200 }, (_, i) => ({
    groundTruth: [{ box, classIndex: 0, crowd: false }],
    detections: i % 10 < 3 ? [{ box, classIndex: 0, score: 0.9 }] : [],
  }));
  const expected = Math.sqrt((0.3 * 0.7) / 200);
  const found = mapStandardError(pictures, 1);
  assert.ok(Math.abs(found / expected - 1) < 0.3, `${found} against ${expected}`);
  assert.is(mapStandardError(pictures, 1), found);
});

test.run();
