import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { refusal } from "../../helpers/refusal.ts";
import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { collectStatistics, rangesOf } from "../../../pipeline/quantize/calibrate.ts";
import { calibrators, quantizationError, rangeOf } from "../../../pipeline/quantize/calibrators.ts";
import { Histogram } from "../../../pipeline/quantize/histogram.ts";
import { calibrationMethods, rangesFromJson, rangesToJson } from "../../../pipeline/quantize/ranges.ts";

interface Expected {
  readonly min: number;
  readonly max: number;
  readonly percentile: number;
  readonly entropy: number;
  readonly symmetric: { readonly threshold: number; readonly error: number };
  readonly affine: { readonly low: number; readonly high: number; readonly error: number };
}
const { count, expected } = JSON.parse(readFileSync(new URL("../../fixtures/calibration/expected.json", import.meta.url), "utf8")) as
  { readonly count: number; readonly expected: Readonly<Record<string, Expected>> };

/** The values of ../../fixtures/calibration/make.py. */
const valuesOf = (name: string): Float32Array => Float32Array.from({ length: count }, (_, i) => {
  const u = (i + 0.5) / count;
  const x = Math.sign(u - 0.5) * Math.log(1 - 2 * Math.abs(u - 0.5));
  if (name === "laplace") return x;
  return name === "relu" ? Math.max(x, 0) : (3 * x) / (1 + Math.exp(-3 * x));
});

const histogramOf = (...parts: readonly Float32Array[]): Histogram => {
  const histogram = new Histogram();
  for (const part of parts) histogram.add(part);
  return histogram;
};

const isNear = (found: number, wanted: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(found - wanted) <= tolerance, `${what}: ${found} instead of ${wanted}`);

/** Squared error on the values themselves. */
const errorOf = (values: Float32Array, low: number, high: number, levels: number): number => {
  const scale = (high - low) / levels;
  return values.reduce((sum, x) => sum + (x - Math.min(high, Math.max(low, Math.round(x / scale) * scale))) ** 2, 0) / values.length;
};

for (const [name, wanted] of Object.entries(expected)) {
  const values = valuesOf(name);
  const histogram = histogramOf(values);

  test(`${name}: minimum, maximum and percentile are numpy's`, () => {
    const range = rangeOf(histogram, "minmax");
    isNear(range.min, wanted.min, 1e-5, "min");
    isNear(range.max, wanted.max, 1e-5, "max");
    isNear(calibrators.percentile(histogram).threshold, wanted.percentile, 0.02 * wanted.percentile, "percentile");
  });

  test(`${name}: the mse bounds lose at most 3% more than the best of a brute-force search`, () => {
    const { threshold, low, high } = calibrators.mse(histogram);
    assert.ok(errorOf(values, -threshold, threshold, 254) <= 1.03 * wanted.symmetric.error, `symmetric ${threshold}, best ${wanted.symmetric.threshold}`);
    assert.ok(errorOf(values, low, high, 255) <= 1.03 * wanted.affine.error, `affine ${low}..${high}, best ${wanted.affine.low}..${wanted.affine.high}`);
    isNear(quantizationError(histogram, low, high, 255), errorOf(values, low, high, 255), 0.2 * wanted.affine.error, "estimate from the bins");
  });

  // ONNX Runtime spends half of its bins on the negative side, whatever the values, so for "relu" it works with half the levels.
  if (name !== "relu") test(`${name}: the entropy threshold is near ONNX Runtime's`, () => {
    isNear(calibrators.entropy(histogram).threshold, wanted.entropy, 0.2 * wanted.entropy, "entropy");
  });
}

test("a stream gives the same histogram as all values at once, whatever the order", () => {
  const values = valuesOf("silu");
  const parts = Array.from({ length: 7 }, (_, part) => values.filter((_value, i) => i % 7 === part).map((value) => value * (part === 3 ? 40 : 1)));
  const whole = histogramOf(Float32Array.from(parts.flatMap((part) => [...part])));
  for (const order of [parts, [...parts].reverse()]) {
    const streamed = histogramOf(...order);
    assert.is(streamed.reach, whole.reach);
    assert.equal(streamed.counts, whole.counts);
    for (const method of calibrationMethods) assert.equal(rangeOf(streamed, method), rangeOf(whole, method));
  }
});

test("memory of a histogram does not grow with the values, and its range doubles as they do", () => {
  const histogram = new Histogram();
  for (let exponent = -20; exponent < 20; exponent++) histogram.add(Float32Array.of(2 ** exponent, -(2 ** exponent)));
  assert.is(histogram.counts.length, 8192);
  assert.is(histogram.reach, 2 ** 19);
  assert.is(histogram.counts.reduce((sum, n) => sum + n, 0), 80);
});

const reluNet = (): Graph => {
  const graph = new Graph("relu", 17);
  const b = new Builder(graph, "relu");
  const x = graph.addInput("x", "float32", ["N", 2, 2, 2]);
  graph.outputs.push(b.op("Relu", [x]));
  return graph;
};
const feed = (...values: readonly number[]) => ({ x: Tensor.float32([1, 2, 2, 2], Float32Array.from({ length: 8 }, (_, i) => values[i % values.length]!)) });

test("statistics are those of all pictures; the table survives JSON", async () => {
  const graph = reluNet();
  const statistics = await collectStatistics(graph, [graph.inputs[0]!, graph.outputs[0]!], [feed(-3, 1), feed(2, 0.5)], { budgetBytes: 1 });
  const table = rangesOf(statistics, "minmax");
  assert.is(table.pictures, 2);
  assert.is(table.ranges.get("x")!.min, -3);
  assert.is(table.ranges.get("x")!.max, 2);
  assert.is(table.ranges.get(graph.outputs[0]!.name)!.low, 0);
  assert.is(statistics.channelMeans.get("x")![0], 0.125);
  assert.equal(rangesFromJson(JSON.parse(JSON.stringify(rangesToJson(table))) as ReturnType<typeof rangesToJson>), table);
});

test("no calibration data, feeds of another size and NaN are errors that name the thing", async () => {
  const graph = reluNet();
  const values = [graph.inputs[0]!, graph.outputs[0]!];
  assert.is((await refusal(collectStatistics(graph, values, []))).code, "NO_CALIBRATION_DATA");
  const wrong = await refusal(collectStatistics(graph, values, [feed(1), { x: Tensor.float32([1, 2, 4, 4], new Float32Array(32)) }]));
  assert.is(wrong.code, "CALIBRATION_FEED");
  assert.match(wrong.message, "picture 2");
  assert.match(wrong.message, "[1, 2, 4, 4]");
  assert.is((await refusal(collectStatistics(graph, values, [{}]))).code, "CALIBRATION_FEED");
  const broken = await refusal(collectStatistics(graph, values, [feed(1, NaN)]));
  assert.is(broken.code, "NON_FINITE_ACTIVATION");
  assert.match(broken.message, '"x"');
});

test.run();
