import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateRoadscenes } from "../../examples/roadscenes/generate.ts";
import { defaultLearningRate } from "../../pipeline/learning-rate.ts";
import { UserError } from "../../graph/error.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import { compress } from "../../pipeline/run.ts";
import { choosingText } from "../../report/summary.ts";
import { stageReport, type RunResult } from "../../pipeline/result.ts";
import { cli, inFolder } from "../helpers/cli.ts";

const teacher = join(import.meta.dirname, "../../examples/roadscenes/teacher.onnx");

/** A config on road scenes with the example's teacher as the given student: real weights that training can spoil. */
const prepare = async (folder: string, extra: readonly string[], data = ""): Promise<string> => {
  await generateRoadscenes({ dir: join(folder, "data"), train: 16, val: 12, test: 10, seed: 3 });
  const path = join(folder, "config.yaml");
  await writeFile(path, ["name: choices", "seed: 1", `data: {train: data/train.json, val: data/val.json, images: data/images${data}}`, `student: {model: ${teacher}}`,
    "targets: []", "report: {pictures: 0}", ...extra, ""].join("\n"));
  return path;
};
const mapOf = (result: RunResult, name: string): number => result.variants.find((variant) => variant.name === name)!.accuracy!.map;

test("a learning rate that destroys the weights gives the start back, and says so", () => inFolder(async (folder) => {
  const { result } = await compress(await prepare(folder, ["distill: {epochs: 2, batch: 8, learningRate: 0.2, evaluateEvery: 1}"]), { runs: join(folder, "runs") });
  const { curves, choices } = stageReport(result, "distill")!;
  assert.equal(curves!.baseline!.map(({ epoch, chosen }) => [epoch, chosen ?? false]), [[0, true], [1, false], [2, false]]);
  assert.ok(curves!.baseline![2]!.map! < 0.5 * curves!.baseline![0]!.map!, "the rate was meant to destroy the weights");
  assert.equal(choices!.map(({ candidates, chosen }) => [candidates, chosen]), [[3, "the start"]]);
  assert.is(mapOf(result, "baseline"), mapOf(result, "student"));
  assert.equal(result.losses, []);
  assert.is(result.choosing!.measuredOn, "val");
  assert.is(result.choosing!.candidates, 3);
  assert.ok(result.choosing!.helpedAtMost! > 0);
}));

test("figures come from data.test where there is one, choices from data.val; the learning rate follows the origin of the weights", () => inFolder(async (folder) => {
  const run = async (extra: string, rate = ""): Promise<RunResult> =>
    (await compress(await prepare(folder, [`distill: {epochs: 1, batch: 8${rate}}`], extra), { runs: join(folder, "runs") })).result;
  const [plain, tested] = [await run(""), await run(", test: data/test.json")];
  const explicit = await run("", `, learningRate: ${defaultLearningRate.given}`);
  const rateOf = (result: RunResult): number => stageReport(result, "distill")!.curves!.baseline![1]!.lr;
  assert.is(rateOf(plain), rateOf(explicit), "a given model's rate");
  assert.is(mapOf(plain, "student"), stageReport(plain, "distill")!.curves!.baseline![0]!.map);
  assert.is(stageReport(tested, "distill")!.curves!.baseline![0]!.map, mapOf(plain, "student"));
  assert.is.not(mapOf(tested, "student"), mapOf(plain, "student"));
  assert.is(tested.variants[0]!.accuracy!.images, 10);
  assert.equal([tested.choosing!.measuredOn, tested.choosing!.pictures, tested.choosing!.helpedAtMost], ["test", 10, 0]);
  const evaluated = await cli(["eval", teacher, "--data", join(folder, "data/test.json"), "--json"]);
  assert.is((JSON.parse(evaluated.stdout) as { map: number }).map, mapOf(tested, "student"), "eval on the test set gives the reported figure");
}));

test("a variant far below its parent is said on the terminal, in run.json and in the report, and ends compress with 1 unless the config allows it", () => inFolder(async (folder) => {
  const cut = ["distill: {epochs: 0}", "prune: {macs: 0.3, criterion: l2, recover: {epochs: 0}}"];
  const config = await prepare(folder, cut);
  const args = ["compress", config, "--runs", join(folder, "runs")];
  const refused = await cli([...args, "--json"]);
  assert.is(refused.exitCode, 1);
  assert.match(refused.stderr, /pruned is \d+\.\d points of mAP below student \(allowed: 3\.0\)/);
  const result = JSON.parse(refused.stdout) as RunResult;
  assert.equal(result.losses!.map(({ variant, parent, allowed }) => [variant, parent, allowed]), [["pruned", "student", 0.03]]);
  const page = await readFile(join(folder, "runs", (await cli(args)).stdout.match(/choices-[0-9a-f]{8}/)![0], "report.html"), "utf8");
  assert.match(page, /<h1>[^<]*Not as good as it started: pruned is/);
  const allowed = await cli(["compress", await prepare(folder, [...cut, "allowedDrop: {prune: 1}"]), "--runs", join(folder, "runs")]);
  assert.is(allowed.exitCode, 0, allowed.stderr);
}));

test("a pruning target that is not reached is said; a pattern that excludes nothing is refused before training", () => inFolder(async (folder) => {
  const lines: string[] = [];
  const reporter = { ...silentReporter, warn: (text: string) => lines.push(text) };
  const runs = join(folder, "runs");
  const config = await prepare(folder, ["distill: {epochs: 0}", "prune: {macs: 0.01, criterion: l2, recover: {epochs: 0}}"]);
  await compress(config, { runs, reporter, until: "prune" });
  assert.match(lines.join("\n"), /pruning reached \d+\.\d% of the MACs instead of 1\.0%/);
  const excluding = await prepare(folder, ["prune: {macs: 0.5, exclude: [nothing]}"]);
  const error: unknown = await compress(excluding, { runs, until: "plan" }).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.code === "EXCLUDE_UNMATCHED", String(error));
}));

test("a test set that is the validation set gives no figures without choosing, and where nothing was chosen that is said", () => inFolder(async (folder) => {
  const { result } = await compress(await prepare(folder, ["distill: {epochs: 0}"], ", test: data/val.json"), { runs: join(folder, "runs") });
  assert.is(result.choosing!.measuredOn, "val");
  assert.match(choosingText(result)!, /^Measured on the 12 pictures of data\.val; nothing was chosen on them\./);
}));

test.run();
