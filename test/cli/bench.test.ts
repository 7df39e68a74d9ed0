import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { appendHistory, checkHistory, readRecords } from "../../pipeline/models/bench.ts";
import type { BenchmarkRecord, LatencyMs } from "../../pipeline/result.ts";
import { soakLines, sparkline } from "../../cli/soak.ts";
import { cli, inFolder } from "../helpers/cli.ts";
import { makeDetector } from "../helpers/scenes.ts";
import { refusal } from "../helpers/refusal.ts";

const times: LatencyMs = { p50: 10, p90: 10, p95: 10, p99: 10, mean: 10, min: 10, max: 10 };
const record: BenchmarkRecord = {
  model: "a.onnx", sha256: "0", target: "local", provider: "cpu", precision: "float32", threads: 1, batch: 1, runs: 200, warmup: 10, stable: true, inferenceMs: times, fps: 100,
  device: { name: "here" }, at: "2026-01-01T00:00:00.000Z",
};
const line = JSON.stringify(record);

/** The same, so many times as slow, and stable whatever this machine does besides. */
const scaled = ({ unstableReasons: _, ...of }: BenchmarkRecord, factor: number): BenchmarkRecord => ({
  ...of, stable: true, blockMediansMs: of.blockMediansMs!.map((ms) => ms * factor),
  inferenceMs: Object.fromEntries(Object.entries(of.inferenceMs).map(([name, ms]) => [name, ms * factor])) as unknown as LatencyMs,
});

test("a gate: 0 and a longer history where nothing is slower, 1 and the same history on a regression, 1 before measuring where nothing can be compared", () => inFolder(async (folder) => {
  await makeDetector(join(folder, "a.onnx"));
  const history = join(folder, "history.jsonl");
  const gate = (...more: string[]) => cli(["bench", "a.onnx", "--seconds", "0.3", "--threads", "1", ...more], folder);
  const begun = await gate("--history", "history.jsonl", "--json");
  assert.is(begun.exitCode, 0, begun.stderr);
  const [first] = JSON.parse(begun.stdout) as BenchmarkRecord[];
  assert.equal(await readRecords(history), [first!]);

  await writeFile(history, `${JSON.stringify(scaled(first!, 1000))}\n`);
  const passed = await gate("--history", "history.jsonl", "--against", "history.jsonl");
  assert.is(passed.exitCode, 0, passed.stderr);
  assert.is((await readRecords(history)).length, 2);

  await writeFile(history, `${JSON.stringify(scaled(first!, 0.001))}\n`);
  const failed = await gate("--history", "history.jsonl", "--against", "history.jsonl", "--json");
  assert.is(failed.exitCode, 1);
  assert.match(failed.stderr, /regression: a\.onnx on local \(1 thread, batch 1\) is [\d.]+ % slower, limit 5 %.*; not added to history\.jsonl/);
  assert.is((JSON.parse(failed.stdout) as { changes: { regressed: boolean }[] }).changes[0]!.regressed, true);
  assert.is((await readRecords(history)).length, 1);

  // of two models one has no earlier record: not compared is not passed, and it becomes the next measure
  await makeDetector(join(folder, "b.onnx"));
  await writeFile(history, `${JSON.stringify(scaled(first!, 1000))}\n`);
  const half = await gate("b.onnx", "--history", "history.jsonl", "--against", "history.jsonl");
  assert.is(half.exitCode, 1);
  assert.match(half.stderr, "b.onnx on local (1 thread, batch 1) is not compared: it has no earlier record; it is added to history.jsonl");
  assert.is((await readRecords(history)).length, 3);

  const doubtful = { ...scaled(first!, 1000), stable: false, unstableReasons: ["wide spread"] };
  await writeFile(history, `${JSON.stringify(doubtful)}\n`);
  const refused = await gate("--against", "history.jsonl", "--seconds", "3000");
  assert.is(refused.exitCode, 1);
  assert.match(refused.stderr, /\[BASE_NOT_STABLE\]: .*a\.onnx on local \(1 thread, batch 1\): wide spread\..*\nnext step: .*--allow-unstable/);
  const allowed = await gate("--against", "history.jsonl", "--allow-unstable");
  assert.is(allowed.exitCode, 0, allowed.stderr);
  assert.match(allowed.stdout, "to be doubted: the earlier measurement was not stable");

  await writeFile(history, `${JSON.stringify({ ...first!, model: "b.onnx", target: "pi5" })}\n`);
  const other = await gate("--against", "history.jsonl", "--seconds", "3000");
  assert.is(other.exitCode, 1);
  assert.match(other.stderr, "There is no earlier record of a.onnx on local; the earlier file has b.onnx on pi5.");
}));

for (const [what, content, problem] of [
  ["an empty file", "", "it is empty"], ["a cut line", `${line}\n${line.slice(0, 50)}`, "line 2 is not JSON, or cut off"], ["another kind of JSON", `${line}\n{"model": "a.onnx"}\n`, 'line 2: "sha256" is missing'],
  ["a list without records", "[]", "it holds no record"], ["a list of something else", "[1]", "record 1: it: "], ["no text", Buffer.from([8, 7, 18, 0, 255]), "line 1 is not JSON"],
] as const) test(`${what} is no earlier measurement, and the error says why`, () => inFolder(async (folder) => {
  const path = join(folder, "history.jsonl");
  await writeFile(path, content);
  const error = await refusal(readRecords(path));
  assert.is(error.code, "NOT_RECORDS");
  assert.match(error.message, problem);
}));

test("both forms of --json and a history are read", () => inFolder(async (folder) => {
  const path = join(folder, "file");
  for (const text of [`[${line}]`, `{"records": [${line}], "changes": []}`, `${line}\n\n`]) {
    await writeFile(path, text);
    assert.equal(await readRecords(path), [record]);
  }
}));

test("report makes a page of a records file beside it", () => inFolder(async (folder) => {
  await writeFile(join(folder, "pi5.jsonl"), line);
  const { exitCode, stdout, stderr } = await cli(["report", "pi5.jsonl"], folder);
  assert.is(exitCode, 0, stderr);
  assert.is(stdout.trim(), "pi5.html");
  assert.match(await readFile(join(folder, "pi5.html"), "utf8"), "a.onnx on local: 10.0 ms, 100 FPS");
}));

test("a missing file says how to begin", () => inFolder(async (folder) => {
  assert.match((await refusal(readRecords(join(folder, "none.jsonl")))).nextStep, "and without --against");
}));

test("a history is begun and continued, also after a last line without its end; other files are left as they are", () => inFolder(async (folder) => {
  const path = join(folder, "history.jsonl");
  await checkHistory(path);
  await appendHistory(path, [record]);
  await writeFile(path, (await readFile(path, "utf8")).trimEnd());
  await checkHistory(path);
  await appendHistory(path, [record, record]);
  assert.is((await readRecords(path)).length, 3);
  for (const [content, code] of [["no history", "NOT_RECORDS"], [`[${line}]`, "NOT_RECORDS"]] as const) {
    await writeFile(path, content);
    assert.is((await refusal(checkHistory(path))).code, code);
  }
  assert.is((await refusal(checkHistory(join(folder, "none", "history.jsonl")))).code, "CANNOT_WRITE");
  assert.is((await refusal(checkHistory(folder))).code, "CANNOT_WRITE");
}));

test("a curve of blocks: a drop is seen, noise is not, many values share columns", () => {
  assert.is(sparkline([100, 100, 50, 0]), "██▅▁");
  assert.is(sparkline([100, 99.8, 100]), "███");
  assert.is(sparkline([0, 0]), "▁▁");
  assert.is([...sparkline(Array.from({ length: 600 }, (_, at) => at))].length, 60);
});

test("a long run in lines: start, curve, end and range of what was measured", () => {
  const soak = [200, 150].map((fps, at) => ({ seconds: 30 * (at + 1), fps, p99Ms: 7, temperatureC: 60 + 20 * at, clockMHz: null }));
  assert.equal(soakLines({ ...record, soak }), [
    "a.onnx on local, over 1 min:", "  FPS       200 █▁ 150    (150 to 200)", "  p99 ms   7.00 ██ 7.00   (7.00 to 7.00)", "  °C       60.0 ▁█ 80.0   (60.0 to 80.0)",
  ]);
  assert.equal(soakLines({ ...record, soak, emulated: true }), []);
});

test.run();
