import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseRunResult } from "../../pipeline/result.ts";
import { bytes, count, grouped, ms, signedPoints, times } from "../../report/figures.ts";
import { renderReport } from "../../report/html.ts";
import { finalVariant, paretoFront, placedOn } from "../../report/variants.ts";

const sample = parseRunResult(readFileSync(new URL("../fixtures/report/run.json", import.meta.url), "utf8"), "run.json");

test("the Pareto front leaves out what another beats in both", () => {
  const front = paretoFront(placedOn(sample, "local")).map(({ variant }) => variant.name);
  assert.equal(front, ["int8", "pruned", "distilled", "teacher"]);
});

test("of equally accurate variants only the fastest is on the front", () => {
  const [place] = placedOn(sample, "local");
  if (!place) throw new Error("bug: the sample has times on local");
  assert.is(paretoFront([place, { ...place, p50Ms: place.p50Ms + 1 }]).length, 1);
});

test("the final variant is the fastest of the last stage", () => {
  const int8 = sample.variants.at(-1);
  const record = int8?.latency["pi5"];
  if (!int8 || !record) throw new Error("bug: the sample ends with int8");
  const slower = { ...int8, name: "int8.tensorrt", latency: { pi5: { ...record, inferenceMs: { ...record.inferenceMs, p50: 9 } } } };
  assert.is(finalVariant({ ...sample, variants: [...sample.variants, slower] })?.name, "int8");
});

test("a target may have the name of what every object has", () => {
  const [first, ...rest] = sample.variants;
  const record = first?.latency["local"];
  if (!first || !record) throw new Error("bug: the sample has times on local");
  const named = { ...sample, variants: [{ ...first, latency: { constructor: record } }, ...rest] };
  assert.equal(placedOn(named, "constructor").map(({ variant }) => variant.name), [first.name]);
  assert.ok(renderReport(named, new Map()).includes("constructor"));
});

for (const [actual, expected] of [
  [count(3_010_000), "3.01 M"], [count(143_000_000), "143 M"], [count(999), "999"], [bytes(561_000), "561 kB"], [bytes(12_180_000), "12.2 MB"],
  [ms(4.6), "4.60"], [ms(27.44), "27.4"], [signedPoints(-0.021), "−2.1"], [signedPoints(0.004), "+0.4"], [signedPoints(-0.0001), "±0.0"],
  [times(21.7), "22×"], [times(5.96), "6.0×"], [grouped(1234567), "1,234,567"],
] as const)
  test(`a figure reads ${expected}`, () => assert.is(actual, expected));

test.run();
