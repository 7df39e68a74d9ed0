import { test } from "uvu";
import * as assert from "uvu/assert";
import { judgeGates } from "../../pipeline/gates.ts";
import type { BenchmarkRecord, RunResult, Variant } from "../../pipeline/result.ts";

const times = (p50: number): BenchmarkRecord => ({ inferenceMs: { p50, p90: p50, p95: p50, p99: 2 * p50, mean: p50, min: p50, max: p50 }, stable: true }) as unknown as BenchmarkRecord;
const variant = (name: string, stage: Variant["stage"], map: number | null, more: Partial<Variant> = {}): Variant => ({
  name, stage, parent: null, model: `${name}.onnx`, sha256: "0", parameters: 1, macs: 100, sizeBytes: 1000, accuracy: map === null ? null : { map, map50: map + 0.1, perClass: {} }, latency: {}, ...more,
});
const run = (...variants: Variant[]): RunResult => ({ name: "r", config: {}, seed: 1, environment: {}, stages: [], gates: [], variants });
const teacher = variant("teacher", "teacher", 0.6, { latency: { pi5: times(40) } });
const int8 = (name: string, map: number | null, p50 = 10): Variant => variant(name, "int8", map, { macs: 50, sizeBytes: 250, latency: { pi5: times(p50) } });

for (const [what, limits, result, passed] of [
  ["a drop at its limit passes", { mapDrop: 0.125 }, run(variant("teacher", "teacher", 0.625), int8("int8", 0.5)), true],
  ["a drop above its limit fails", { mapDrop: 0.02 }, run(teacher, int8("int8", 0.57)), false],
  ["the worst of the last stage's files counts", { mapDrop: 0.02 }, run(teacher, int8("int8.cpu", 0.59), int8("int8.tensorrt", 0.3)), false],
  ["an accuracy that was not measured fails", { mapDrop: 0.02 }, run(teacher, int8("int8.cpu", 0.59), int8("int8.tensorrt", null)), false],
  ["without a teacher the first variant counts", { mapDrop: 0.02 }, run(variant("baseline", "baseline", 0.6), int8("int8", 0.57)), false],
  ["map50", { map50Drop: 0.02 }, run(teacher, int8("int8", 0.57)), false],
  ["half the MACs", { macsRatio: 0.5 }, run(teacher, int8("int8", 0.5)), true],
  ["a quarter of the bytes is more than a fifth", { sizeRatio: 0.2 }, run(teacher, int8("int8", 0.5)), false],
  ["a latency below its limit", { "pi5.p99Ms": 20 }, run(teacher, int8("int8", 0.5)), true],
  ["a latency above its limit", { "pi5.p99Ms": 19.9 }, run(teacher, int8("int8", 0.5)), false],
  ["a target without a record fails", { "orin.p99Ms": 20 }, run(teacher, int8("int8", 0.5)), false],
  ["an emulator's time is no measurement", { "pi5.p99Ms": 1000 }, run(teacher, { ...int8("int8", 0.5), latency: { pi5: { ...times(1), emulated: true } } }), false],
  ["a run without variants fails", { mapDrop: 0.02 }, run(), false],
] as const) test(`gates: ${what}`, () => assert.equal(judgeGates(limits, result).map((gate) => gate.passed), [passed]));

test.run();
