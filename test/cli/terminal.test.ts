import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { variantTable } from "../../cli/table.ts";
import { parseRunResult, stageReport, type BenchmarkRecord, type RunResult } from "../../pipeline/result.ts";
import { bytes, count, ms, points } from "../../report/figures.ts";
import { cli } from "../helpers/cli.ts";
import { figuresIn, shownAsFractions } from "../helpers/figures.ts";
import { makeDetector, makeScenes, scenePicture, tinySize } from "../helpers/scenes.ts";
import { inPty, noPty } from "../helpers/terminal.ts";

/** Real commands in a pseudo-terminal: every figure is read back from what a terminal emulator shows in the end. */
const terminal = suite("terminal");
const teacher = join(import.meta.dirname, "..", "..", "examples", "roadscenes", "teacher.onnx");
let folder = "";

terminal.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgestill-terminal-"));
  await makeScenes(folder, 4, 3);
  await makeDetector(join(folder, "small.onnx"));
  // the teacher is its own student, so that figures are of a detector that detects
  await writeFile(join(folder, "config.yaml"), [
    "name: tiny", "data: {train: data/train.json, val: data/val.json, images: data/images}", `teacher: {model: ${teacher}}`, `student: {model: ${teacher}}`,
    "distill: {epochs: 1, batch: 4, variants: 1, baseline: false, learningRate: 0.00001, evaluateEvery: 1}", "prune: {macs: 0.95, criterion: l2, recover: {epochs: 0}}",
    "quantize: {method: minmax, scheme: cpu, images: 2, maxDrop: 1}", "targets: []", "report: {pictures: 0}", "gates: {mapDrop: -0.9}", "",
  ].join("\n"));
});
terminal.after(() => rm(folder, { recursive: true, force: true }));

/** `wanted` is in `shown`, in this order, each whole in its row. */
const inOrder = (shown: readonly string[], wanted: readonly string[], what: string): void => {
  let at = 0;
  for (const figure of wanted) {
    const found = shown.indexOf(figure, at);
    assert.ok(found >= 0, `${what}: ${figure} is not shown whole after ${shown.slice(Math.max(0, at - 3), at).join(" ")}`);
    at = found + 1;
  }
};
const figuresOf = (rows: readonly string[]): string[] => rows.flatMap(figuresIn);
const runOf = async (): Promise<RunResult> => {
  const [name] = (await readdir(join(folder, "runs"))).filter((entry) => entry !== "cache");
  const path = join(folder, "runs", name!, "run.json");
  return parseRunResult(await readFile(path, "utf8"), path);
};
const accuraciesOf = ({ variants }: RunResult): number[] => variants.flatMap(({ accuracy }) => (accuracy ? [accuracy.map, accuracy.map50, ...Object.values(accuracy.perClass).map((ap) => ap ?? 0)] : []));
const tableFigures = ({ variants }: RunResult): string[] =>
  variants.flatMap(({ accuracy, parameters, macs, sizeBytes }) => [points(accuracy!.map), points(accuracy!.map50), count(parameters), count(macs), bytes(sizeBytes)].flatMap(figuresIn));

terminal("compress at 60 columns: each mAP of training, evaluation and table is on the screen, and the gate's exit code", async () => {
  const { exitCode, screen } = await inPty(["compress", "config.yaml"], { columns: 60, cwd: folder });
  assert.is(exitCode, 1, screen.text.slice(-2000)); // the gate asks for more than the teacher has
  const run = await runOf();
  assert.ok(run.variants[0]!.accuracy!.map > 0.2, "the figures are of a detector that detects");
  for (const point of stageReport(run, "distill")!.curves!.distilled!) assert.match(screen.text, `mAP ${points(point.map!)}, mAP50 ${points(point.map50!)}`);
  for (const { name, accuracy } of run.variants) assert.match(screen.text, `${name}: mAP ${points(accuracy!.map)}, mAP50 ${points(accuracy!.map50)} (`);
  for (const note of stageReport(run, "quantize")!.notes!) assert.match(screen.text, note);
  assert.match(screen.text, /gate mapDrop failed: −?\d+\.\d points, limit −90\.0 points/);
  inOrder(figuresOf(screen.rows.slice(screen.rows.findIndex((row) => row.startsWith("evaluate: done")))), tableFigures(run), "the table");
  assert.equal(shownAsFractions(screen.text, accuraciesOf(run)), []);
  assert.not.match(screen.text, "█");
  assert.not(screen.cursorHidden);
});

terminal("compress at 40 columns: the table of the finished run", async () => {
  const { screen } = await inPty(["compress", "config.yaml"], { columns: 40, cwd: folder });
  inOrder(figuresOf(screen.rows), tableFigures(await runOf()), "the table");
});

for (const [name, columns, ...args] of [
  ["eval", 80, teacher, "--data", "data/val.json"], ["eval", 60, teacher, "--data", "data/val.json"], ["inspect", 60, "small.onnx"], ["prune", 60, "small.onnx", "--macs", "0.7", "-o", "pruned.onnx"],
  ["quantize", 60, "small.onnx", "--data", "data/images", "--images", "2", "--method", "minmax", "-o", "int8.onnx"],
] as const) terminal(`${name} at ${columns} columns shows what it gives to a pipe, no figure broken`, async () => {
  const piped = await cli([name, ...args], folder);
  assert.is(piped.exitCode, 0, piped.stderr);
  assert.ok(figuresIn(piped.stdout).length > 1);
  const { screen } = await inPty([name, ...args], { columns, cwd: folder, redirect: "2> errors.txt" });
  assert.is(screen.text, piped.stdout.replace(/\s+/g, " ").trim());
  assert.equal(figuresOf(screen.rows), figuresIn(piped.stdout));
});

terminal("predict at 60 columns: every box, with names in wide characters and longer than the terminal", async () => {
  const names = ["歩行者", "a-class-whose-name-is-longer-than-any-terminal-is-wide-and-still-has-to-be-shown", "lastbil", "cykel", "交通信号灯"];
  const args = ["predict", teacher, await scenePicture(folder, "val", 0), await scenePicture(folder, "val", 1), "--names", names.join(","), "--score", "0.1"];
  const { stdout } = await cli([...args, "--json"], folder);
  const wanted = (JSON.parse(stdout) as { image: string; detections: { box: number[]; score: number; class: string }[] }[]);
  const { screen } = await inPty(args, { columns: 60, cwd: folder });
  const figures = figuresOf(screen.rows);
  for (const { detections } of wanted) {
    assert.ok(detections.length > 0);
    for (const { box, score, class: name } of detections) inOrder(figures, [score.toFixed(2), ...box.map((value) => Math.abs(value).toFixed(1))], name);
  }
  for (const name of new Set(wanted.flatMap(({ detections }) => detections.map((found) => found.class)))) assert.match(screen.lines.join("\n"), name);
});

terminal("bench at 60 columns: the figures of the record", async () => {
  const { exitCode, screen } = await inPty(["bench", teacher, "--seconds", "0.2", "--threads", "1", "--history", "history.jsonl"], { columns: 60, cwd: folder });
  assert.is(exitCode, 0);
  const record = JSON.parse(await readFile(join(folder, "history.jsonl"), "utf8")) as BenchmarkRecord;
  const { inferenceMs: { p50, p90, p99 }, fps } = record;
  inOrder(figuresOf(screen.rows), [ms(p50), ms(p90), ms(p99), ms(fps)], "bench");
  for (const reason of record.unstableReasons ?? []) assert.match(screen.text, reason);
});

terminal("Ctrl-C and a window that gets narrower: the lines are whole, the bar is gone, the cursor is there", async () => {
  await writeFile(join(folder, "long.yaml"), [
    "name: stopped", "data: {train: data/train.json, val: data/val.json, images: data/images}", `input: {size: [${tinySize.join(", ")}]}`, "student: {arch: yolo, width: 0.125}",
    "distill: {epochs: 500, batch: 2, evaluateEvery: 0}", "targets: []", "",
  ].join("\n"));
  let [narrowed, pressed] = [false, false];
  const { exitCode, screen, output } = await inPty(["compress", "long.yaml", "--fresh", "--runs", "stopped"], {
    columns: 80, cwd: folder,
    onOutput: (text, { press, resize }) => {
      if (!narrowed && text.includes("epoch 1/500: loss")) {
        narrowed = true;
        resize(42);
      }
      if (!pressed && text.includes("epoch 3/500: loss")) {
        pressed = true;
        press("\x03");
      }
    },
  });
  assert.is(exitCode, 130, screen.text.slice(-1000));
  assert.match(output, "training baseline");
  assert.match(screen.text, "stopping after the present step (again to stop at once) …");
  assert.match(screen.text, "stopped; what is finished is kept. To go on: edgestill compress long.yaml --runs \\ stopped");
  const epochs = stripVTControlCharacters(output).replace(/\s+/g, " ").match(/baseline epoch \d+\/500: loss [\d.]+, [\d.]+ pictures\/s/g)!;
  assert.ok(epochs.length >= 3);
  for (const line of epochs) assert.match(screen.text, line);
  assert.not(screen.cursorHidden);
});

terminal("colours: none with NO_COLOR, none on a terminal that only prints, none in a pipe of a CI", async () => {
  const error = ["eval", "none.onnx", "--data", "data/val.json"];
  const shown = await inPty(error, { columns: 60, cwd: folder });
  assert.match(shown.output, "\x1b[31merror\x1b[39m");
  assert.match(shown.screen.text, "next step:");
  const plain = await inPty(error, { columns: 60, cwd: folder, env: { NO_COLOR: "1" } });
  assert.not.match(plain.output, "\x1b");
  const dumb = await inPty(["eval", teacher, "--data", "data/val.json"], { columns: 60, cwd: folder, env: { TERM: "dumb" } });
  assert.not.match(dumb.output, "\x1b");
  await inPty(error, { columns: 60, cwd: folder, env: { CI: "true" }, redirect: "> out.txt 2> errors.txt" });
  assert.not.match(await readFile(join(folder, "errors.txt"), "utf8"), "\x1b");
});

if (noPty === undefined) terminal.run();
else console.log(`skipped: commands in a pseudo-terminal (${noPty})`);

const table = suite("table");
table("the sample run's table holds the same figures at every width", async () => {
  const path = join(import.meta.dirname, "..", "fixtures", "report", "run.json");
  const run = parseRunResult(await readFile(path, "utf8"), path);
  const wanted = figuresIn(variantTable(run));
  for (let columns = 20; columns < 250; columns += 3) {
    const rows = variantTable(run, columns).split("\n");
    const figures = figuresOf(rows).filter((figure) => figure !== "50");
    inOrder(figures, tableFigures(run), `${columns} columns`);
    assert.ok(figures.length >= wanted.length, `${columns} columns`);
  }
});
table.run();
