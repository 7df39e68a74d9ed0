import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchmarkRecord } from "../../pipeline/result.ts";
import { checkComparable, compareRecords, notComparable } from "../../targets/compare.ts";
import { timeFor, warmUp } from "../../targets/measure.ts";
import { blockMedians, confidenceOf, latencyOf, mannWhitney } from "../../targets/statistics.ts";
import { seededNumbers } from "../helpers/models.ts";
import { refusal } from "../helpers/refusal.ts";

// scipy.stats.mannwhitneyu(after, before, alternative="greater", method="asymptotic"), scipy 1.17.1
for (const [before, after, p] of [
  [[1, 2, 3, 4, 5], [2, 3, 4, 5, 6], 0.19880737597826537],
  [[1, 1, 2, 2, 3], [3, 3, 4, 4, 5], 0.009432837192081834],
  [[5, 6, 7, 8], [1, 2, 3, 4], 0.9929310152720443],
] as const) test(`Mann-Whitney of ${before.join()} and ${after.join()} as scipy has it`, () => assert.ok(Math.abs(mannWhitney(before, after) - p) < 1e-6, String(mannWhitney(before, after))));

test("equal samples are no evidence", () => assert.is(mannWhitney([3, 3, 3], [3, 3, 3]), 1));

test("the confidence interval of the median covers the truth about 95 times in 100", () => {
  let covered = 0;
  for (let trial = 0; trial < 400; trial++) {
    const [low, high] = confidenceOf([...seededNumbers(200, 1 + 7919 * trial)]).p50;
    if (low <= 0.5 && 0.5 <= high) covered++;
  }
  assert.ok(covered >= 365 && covered <= 395, `${covered} of 400`);
});

test("block medians keep order and a short list as it is", () => {
  assert.equal(blockMedians([3, 1, 2]), [3, 1, 2]);
  assert.equal(blockMedians([1, 2, 3, 10, 20, 30], 2), [2, 20]);
});

test("timing makes at least the runs and the seconds that are asked", async () => {
  const samples = await timeFor(() => Promise.resolve(), 7, 0);
  assert.is(samples.length, 7);
  const started = performance.now();
  assert.ok((await timeFor(() => new Promise((resolve) => { setTimeout(resolve, 2); }), 1, 0.1)).length > 1);
  assert.ok(performance.now() - started >= 100);
});

test("warming up ends although a work gets faster and faster", async () => {
  let run = 0;
  const started = performance.now();
  await warmUp(() => new Promise((resolve) => { setTimeout(resolve, 300 / (1 + run++ / 3)); }), 0.5);
  assert.ok(performance.now() - started < 20_000);
});

test("warming up lasts until the work gets no faster", async () => {
  let run = 0;
  const runs = await warmUp(() => new Promise((resolve) => { setTimeout(resolve, run++ < 20 ? 40 - run : 4); }), 10);
  assert.ok(runs > 20, `${runs} runs`);
});

const recordWith = (samples: readonly number[], more: Partial<BenchmarkRecord> = {}): BenchmarkRecord => {
  const latency = latencyOf(samples);
  return {
    model: "int8.onnx", sha256: "0", target: "pi5", provider: "cpu", precision: "int8", threads: 4, batch: 1, runs: samples.length, warmup: 20, stable: true, inferenceMs: latency, fps: 1000 / latency.mean,
    device: { name: "Raspberry Pi 5", cpu: "Cortex-A76", governor: "performance" }, blockMediansMs: blockMedians(samples), at: "2026-01-01T00:00:00.000Z", ...more,
  };
};
const around = (ms: number, seed: number): number[] => [...seededNumbers(400, seed, ms - 1, ms + 1)];

for (const [what, after, regressed] of [
  ["the same speed", around(20, 2), false], ["2 % slower, below the limit", around(20.4, 2), false], ["10 % slower", around(22, 2), true], ["10 % faster", around(18, 2), false],
] as const) test(`against an earlier record: ${what}`, () => assert.is(compareRecords([recordWith(around(20, 1))], [recordWith(after)], 0.05)[0]!.regressed, regressed));

test("a large but noisy difference of few samples is not significant", () => {
  const [change] = compareRecords([recordWith([20, 30, 10])], [recordWith([22, 35, 12])], 0.05);
  assert.ok(change!.slower > 0.05 && !change!.regressed);
});

test("the last of several earlier records counts; other devices, threads and emulation do not mix", async () => {
  const before = [recordWith(around(10, 1)), recordWith(around(20, 1)), recordWith(around(5, 1), { threads: 1 }), recordWith(around(5, 1), { emulated: true })];
  const [change] = compareRecords(before, [recordWith(around(20, 3), { device: { name: "Raspberry Pi 4" } })], 0.05);
  assert.not(change!.regressed);
  assert.match(change!.doubts.join(), "another device (Raspberry Pi 5, now Raspberry Pi 4)");
  assert.is((await refusal(Promise.resolve().then(() => compareRecords(before, [recordWith(around(20, 3), { target: "orin" })], 0.05)))).code, "NOTHING_TO_COMPARE");
});

test("a record of another processor is no measure, a stable one comes before a later doubtful one", async () => {
  const pi5 = recordWith(around(20, 1));
  const other = recordWith(around(5, 1), { device: { name: "Raspberry Pi 4", cpu: "Cortex-A72" } });
  assert.is(compareRecords([pi5, other], [recordWith(around(20, 2))], 0.05)[0]!.beforeMs, pi5.inferenceMs.p50);
  assert.match((await refusal(Promise.resolve().then(() => compareRecords([other], [pi5], 0.05)))).message, "(4 threads, batch 1) on Cortex-A72");
  assert.is(compareRecords([pi5, recordWith(around(40, 1), { stable: false })], [recordWith(around(20, 2))], 0.05)[0]!.beforeMs, pi5.inferenceMs.p50);
});

const refusedWith = async (before: readonly BenchmarkRecord[], after: BenchmarkRecord, code: string): Promise<string> => {
  const error = await refusal(Promise.resolve().then(() => compareRecords(before, [after], 0.05)));
  assert.is(error.code, code);
  return error.message;
};
const now = recordWith(around(20, 2));
const doubtful = { stable: false, unstableReasons: ["clock not locked"] };

test("a base that is not stable is refused with its reasons, unless it is asked for; then the doubt is said", async () => {
  const unstable = recordWith(around(20, 1), doubtful);
  assert.match(await refusedWith([unstable, unstable], now, "BASE_NOT_STABLE"), "its earlier 2 records are not stable (clock not locked)");
  assert.match(compareRecords([unstable], [now], 0.05, { allowUnstable: true })[0]!.doubts.join(), "the earlier measurement was not stable");
  assert.is((await refusal(Promise.resolve().then(() => checkComparable([unstable], ["int8.onnx"], ["pi5"])))).code, "BASE_NOT_STABLE");
  checkComparable([unstable, now], ["int8.onnx"], ["pi5"]);
  checkComparable([unstable], ["int8.onnx"], ["pi5"], { allowUnstable: true });
});

test("a measurement that is not stable now is judged, and doubted", () => {
  for (const [ms, regressed] of [[20, false], [30, true]] as const) {
    const [change] = compareRecords([recordWith(around(20, 1))], [recordWith(around(ms, 2), doubtful)], 0.05);
    assert.is(change!.regressed, regressed);
    assert.match(change!.doubts.join(), "this measurement is not stable");
  }
});

for (const [what, more, why] of [
  ["threads", { threads: 1 }, "threads 1, now 4"], ["batch", { batch: 8 }, "batch 8, now 1"], ["precision", { precision: "float32" }, "precision float32, now int8"],
  ["provider", { provider: "tensorrt" }, "provider tensorrt, now cpu"], ["an emulator", { emulated: true }, "emulated true, now false"],
  ["processor", { device: { name: "Raspberry Pi 5", cpu: "Cortex-A72", governor: "performance" } }, "processor Cortex-A72, now Cortex-A76"],
] as const) test(`unlike things are not compared: ${what}`, async () => assert.match(await refusedWith([recordWith(around(20, 1), more)], now, "NOTHING_TO_COMPARE"), why));

test("another power mode is another machine; one that a record does not know, another governor and another runtime are doubts", async () => {
  const on = (more: Partial<BenchmarkRecord["device"]>): BenchmarkRecord => recordWith(around(20, 1), { device: { ...now.device, ...more } });
  assert.match(await refusedWith([on({ powerMode: "15W" })], { ...now, device: { ...now.device, powerMode: "MAXN" } }, "NOTHING_TO_COMPARE"), "power mode 15W, now MAXN");
  assert.match(compareRecords([on({ powerMode: "15W" })], [now], 0.05)[0]!.doubts.join(), "the present record does not say its power mode");
  assert.match(compareRecords([on({ cpu: null })], [now], 0.05)[0]!.doubts.join(), "the earlier record does not say its processor");
  assert.match(compareRecords([on({ governor: "ondemand" })], [now], 0.05)[0]!.doubts.join(), "another governor ondemand, now performance");
  const runtimes = (version: string): BenchmarkRecord => on({ runtimes: { "onnxruntime-node": version } });
  assert.match(compareRecords([runtimes("1.29.0")], [runtimes("1.30.0")], 0.05)[0]!.doubts.join(), "another runtime onnxruntime-node 1.29.0, now onnxruntime-node 1.30.0");
});

test("a record without block medians is doubted, one without a time is no base, and what has no base is named", async () => {
  const { blockMediansMs: _, ...bare } = recordWith(around(20, 1));
  assert.match(compareRecords([bare], [now], 0.05)[0]!.doubts.join(), "judged by the limit alone");
  assert.match(await refusedWith([{ ...bare, inferenceMs: { ...bare.inferenceMs, p50: 0 } }], now, "NOTHING_TO_COMPARE"), "hold no time");
  const other = { ...now, model: "float.onnx" };
  assert.is(compareRecords([bare], [now, other], 0.05).length, 1);
  assert.equal(notComparable([bare], [now, other]).map(({ record: { model }, why }) => [model, why]), [["float.onnx", "it has no earlier record"]]);
  assert.match(await refusedWith([], now, "NOTHING_TO_COMPARE"), "no earlier record");
});

test.run();
