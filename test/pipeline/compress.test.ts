import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { compress } from "../../pipeline/run.ts";
import { parseRunResult, stageReport, type RunResult } from "../../pipeline/result.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import { inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, scenePicture, writeConfig } from "../helpers/scenes.ts";

const refusal = async (folder: string, extra: readonly string[]): Promise<UserError> => {
  const error: unknown = await compress(await writeConfig(folder, extra), { runs: join(folder, "runs") }).then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof UserError, String(error));
  return error;
};

const withLines = async (config: string, options: Parameters<typeof compress>[1]): Promise<{ result: RunResult; runFolder: string; reportPath: string; lines: string[] }> => {
  const lines: string[] = [];
  return { ...(await compress(config, { ...options, reporter: { ...silentReporter, line: (text) => lines.push(text) } })), lines };
};

test("teacher, baseline, distilled, pruned, int8: all measured, and reused the second time", () => inFolder(async (folder) => {
  await makeScenes(folder);
  await makeDetector(join(folder, "teacher.onnx"));
  const config = await writeConfig(folder, [
    "teacher: {model: teacher.onnx}", "distill: {epochs: 1, batch: 6, variants: 1, distribution: false, evaluateEvery: 0}",
    "prune: {macs: 0.7, criterion: l2, recover: {epochs: 1}}", "quantize: {images: 4, maxDrop: 1, qat: {epochs: 1}}", "gates: {mapDrop: 1, sizeRatio: 0.0001}",
  ]);
  const runs = join(folder, "runs");
  const first = await withLines(config, { runs });
  const { result } = first;
  assert.equal(result.variants.map(({ name }) => name), ["teacher", "baseline", "distilled", "pruned", "int8.cpu", "int8.tensorrt"]);
  assert.equal(result.variants.map(({ parent }) => parent), [null, null, "teacher", "distilled", "pruned", "pruned"]);
  for (const { name, accuracy, latency } of result.variants) {
    assert.ok(accuracy && accuracy.images === 4, name);
    assert.is("local" in latency, name !== "int8.tensorrt", name);
  }
  const [distilled, pruned] = [result.variants[2]!, result.variants[3]!];
  assert.ok(Math.abs(pruned.macs / distilled.macs - 0.7) < 0.05);
  assert.ok(result.variants[4]!.sizeBytes < 0.5 * pruned.sizeBytes);
  assert.equal(result.gates.map(({ passed }) => passed), [true, false]);
  assert.equal(result.stages.map(({ name }) => name), ["plan", "distill", "prune", "quantize", "evaluate", "benchmark"]);
  const quantized = stageReport(result, "quantize")!;
  assert.equal(quantized.qat!.map(({ epoch }) => epoch), [0, 1]);
  assert.equal(quantized.notes!.map((note) => /^(cpu|tensorrt): (trained|calibrated) weights/.exec(note)?.slice(1, 3).join()), ["cpu,trained", "cpu,calibrated", "tensorrt,trained", "tensorrt,calibrated"]);
  const file = join(first.runFolder, "run.json");
  assert.equal(parseRunResult(await readFile(file, "utf8"), file).variants.length, 6);
  assert.match(await readFile(first.reportPath, "utf8"), "data:image/jpeg;base64");

  const second = await withLines(config, { runs });
  assert.is(second.lines.filter((line) => line.endsWith("finished already")).length, 5);
  assert.equal(second.result.variants.map(({ sha256 }) => sha256), result.variants.map(({ sha256 }) => sha256));
}));

test("a teacher that does not know a class is refused by name before training", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  await makeDetector(join(folder, "teacher.onnx"), { classes: ["car", "truck"] });
  const error = await refusal(folder, ["teacher: {model: teacher.onnx}"]);
  assert.is(error.code, "CLASSES_DIFFER");
  assert.match(error.message, /teacher\.onnx.*"pedestrian"/);
}));

test("a corrupt picture is refused by name, and skipped where the config allows", () => inFolder(async (folder) => {
  await makeScenes(folder, 3, 1);
  const broken = await scenePicture(folder, "train", 1);
  await writeFile(broken, "no jpeg");
  assert.match((await refusal(folder, [])).message, basename(broken));
  const config = await writeConfig(folder, []);
  await writeFile(config, (await readFile(config, "utf8")).replace("data: {", "data: {skipInvalid: true, "));
  const { result } = await compress(config, { runs: join(folder, "runs"), until: "plan" });
  assert.equal((result.stages[0]!.report as { train: { images: number; problems: number } }).train, { images: 2, boxes: (result.stages[0]!.report as { train: { boxes: number } }).train.boxes, problems: 1, droppedBoxes: {} });
}));

test("an unknown stage is refused", () => inFolder(async (folder) => {
  await makeScenes(folder, 2, 1);
  const error: unknown = await compress(await writeConfig(folder, []), { runs: join(folder, "runs"), until: "polish" as "plan" }).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.code === "UNKNOWN_STAGE");
}));

test.run();
