import { test } from "uvu";
import * as assert from "uvu/assert";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { parseRunResult, type BenchmarkRecord, type RunResult } from "../../pipeline/result.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import { compress, type CompressOptions, type CompressResult } from "../../pipeline/run.ts";
import { startCli } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";
import { makeScenes, writeConfig } from "../helpers/scenes.ts";
import { noSshd, startLoopbackDevice, waitFor, type LoopbackDevice } from "../helpers/sshd.ts";
import { parsePage } from "../report/dom.ts";

/** The whole job with a target behind a real ssh connection to this machine. */

const missing = noSshd();
let [folder, runs, config] = ["", "", ""];
let device: LoopbackDevice;

const onDevice = (name: string, body: () => Promise<void>): void => {
  test(name, async () => {
    if (missing !== undefined) return console.log(missing);
    await body();
  });
};

const writeWithBoard = async (): Promise<string> => {
  const path = await writeConfig(folder, [
    "distill: {epochs: 1, batch: 2, evaluateEvery: 0}", "quantize: {images: 2, maxDrop: 1, scheme: cpu}", "bundle: {formats: [cpp], archive: false}",
    `targets: [local, {name: board, kind: linux, host: ${device.host}, sshConfig: ${device.sshConfig}, node: ${execPath}, threads: 1}]`,
  ]);
  await writeFile(path, (await readFile(path, "utf8")).replace("benchmark: {seconds: 0.2}", "benchmark: {seconds: 0.2, runs: 100, soakSeconds: 0.2}"));
  return path;
};

const run = async (options: CompressOptions = {}): Promise<CompressResult & { readonly lines: string[] }> => {
  const lines: string[] = [];
  return { ...(await compress(config, { runs, ...options, reporter: { ...silentReporter, line: (text) => lines.push(text) } })), lines };
};

const timesOf = ({ variants }: RunResult, target: string): BenchmarkRecord[] => variants.flatMap(({ latency }) => latency[target] ?? []);
const runnerRuns = (): boolean => spawnSync("pgrep", ["-f", `${device.home}.*runner-.*mjs .*job.json`]).status === 0;
const sshRuns = (): boolean => spawnSync("pgrep", ["-f", `^ssh .*${device.sshConfig}.* sh -c`]).status === 0;

const savedRun = async (): Promise<RunResult> => {
  const file = join(runs, (await readdir(runs)).find((name) => name.startsWith("tiny-"))!, "run.json");
  return parseRunResult(await readFile(file, "utf8"), file);
};

const reusedStages = (lines: readonly string[]): string[] => lines.flatMap((line) => /^(\w+): finished already$/.exec(line)?.[1] ?? []);

test.before(async () => {
  if (missing !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), "edgestill-compress-"));
  runs = join(folder, "runs");
  await makeScenes(folder, 4, 2);
  device = await startLoopbackDevice();
  config = await writeWithBoard();
});

test.after(async () => {
  if (missing !== undefined) return;
  await device.stop();
  await rm(folder, { recursive: true });
});

onDevice("kill -9 in the middle of the remote benchmark: nothing keeps running, the device is free", async () => {
  const child = startCli(["compress", config, "--runs", runs], folder);
  await Promise.race([waitFor(runnerRuns, 60_000), child]);
  child.kill("SIGKILL");
  const { signal, stderr } = await child;
  assert.is(signal, "SIGKILL", stderr);
  await waitFor(() => !runnerRuns() && !sshRuns(), 10_000);
});

onDevice("the next run begins with the device; a connection that breaks is an error, the other target's records are kept and shown", async () => {
  const lines: string[] = [];
  const broken = refusal(compress(config, { runs, reporter: { ...silentReporter, line: (text) => lines.push(text) } }));
  await Promise.race([waitFor(runnerRuns, 60_000), broken]);
  await device.cutConnections();
  const error = await broken;
  assert.is(error.code, "CONNECTION_LOST");
  assert.match(error.message, "The benchmark on board failed");
  assert.match(error.nextStep, "--without board");
  assert.equal(reusedStages(lines), ["distill", "quantize", "evaluate"]);
  assert.ok(lines.includes("benchmark on local: measured already"), lines.join("\n"));
  await waitFor(() => !runnerRuns(), 10_000);
  const saved = await savedRun();
  assert.is(timesOf(saved, "local").length, 2);
  assert.equal(timesOf(saved, "board"), []);
  assert.not(saved.stages.some(({ name }) => name === "bundle"));
});

onDevice("without the device the run goes on to its end", async () => {
  const saved = await savedRun();
  const { result, lines } = await run({ without: ["board"] });
  assert.ok(lines.includes("benchmark on local: measured already"), lines.join("\n"));
  assert.equal(timesOf(result, "local"), timesOf(saved, "local"));
  assert.equal(timesOf(result, "board"), []);
  assert.equal(await devicesInBundle(result), ["local"]);
});

onDevice("with the device back, both targets have records, the report a plot with the Pareto front of each, the bundle is made again", async () => {
  const { result, reportPath, lines } = await run();
  assert.equal(reusedStages(lines), ["distill", "quantize", "evaluate"]);
  assert.equal(result.variants.map(({ name }) => name), ["baseline", "int8"]);
  for (const target of ["local", "board"]) {
    const records = timesOf(result, target);
    assert.equal(records.map(({ model }) => model), ["baseline", "int8"]);
    for (const record of records) assert.ok(record.target === target && record.inferenceMs.p50 > 0 && record.endToEndMs!.p50 > 0 && record.soak!.length > 0);
  }
  for (const { threads, againstHost } of timesOf(result, "board")) assert.equal([threads, againstHost!.bitEqual], [1, true]);
  const figures = [...parsePage(await readFile(reportPath, "utf8")).querySelectorAll("#tradeoff figure")];
  assert.equal(figures.map((figure) => figure.querySelector("h3")!.textContent), ["mAP against p50 latency on local", "mAP against p50 latency on board"]);
  for (const figure of figures) {
    assert.is(figure.querySelectorAll(".wide circle").length, 2);
    assert.ok(figure.querySelector(".wide [stroke-dasharray]"));
  }
  assert.equal(await devicesInBundle(result), ["local", "board"]);
  assert.equal(reusedStages((await run()).lines), ["distill", "quantize", "evaluate", "benchmark", "bundle"]);
});

onDevice("only a target of the config can be left out", async () => {
  const error = await refusal(run({ without: ["pi5"] }));
  assert.is(error.code, "UNKNOWN_TARGET");
  assert.match(error.nextStep, "local, board");
});

/** Targets with a latency in the run's bundle. */
const devicesInBundle = async ({ stages }: RunResult): Promise<string[]> => {
  const runFolder = join(runs, (await readdir(runs)).find((name) => name.startsWith("tiny-"))!);
  const report = stages.find(({ name }) => name === "bundle")!.report as { readonly folder: string };
  const timings = JSON.parse(await readFile(join(runFolder, report.folder, "measured/timings.json"), "utf8")) as { readonly latency: readonly { readonly target: string }[] };
  return [...new Set(timings.latency.map(({ target }) => target))];
};

test.run();
