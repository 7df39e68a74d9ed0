import { execa } from "execa";
import { existsSync } from "node:fs";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { jetsonKind } from "../../../targets/jetson/kind.ts";
import type { JetsonSettings } from "../../../targets/jetson/settings.ts";
import type { BenchmarkHooks, BenchmarkJob, BenchmarkModel } from "../../../targets/target.ts";
import { refusal } from "../../helpers/refusal.ts";
import { studentFile, withStandIns, type StandIn } from "./bench-with-stand-ins.ts";

const settings: JetsonSettings = { name: "orin", kind: "jetson", host: "stand-in" };
const job = (models: readonly BenchmarkModel[], more: Partial<BenchmarkJob> = {}): BenchmarkJob => ({ models, runs: 200, seconds: 1, ...more });
const bench = ({ transport }: StandIn, models: readonly BenchmarkModel[], more: Partial<BenchmarkJob> = {}, own: Partial<JetsonSettings> = {}, hooks: BenchmarkHooks = {}) =>
  jetsonKind.benchmark({ transport, settings: { ...settings, ...own } }, job(models, more), hooks);
const isLocked = ({ env }: StandIn): boolean => existsSync(env["STAND_IN_CLOCKS"]!);
const until = async (done: () => boolean, seconds: number): Promise<number> => {
  const start = performance.now();
  while (!done() && performance.now() - start < 1000 * seconds) await wait(50);
  return (performance.now() - start) / 1000;
};
/** Cut short where the machine's own load makes a figure doubtful: it is no part of what the stand-ins say. */
const ownReasons = (reasons: readonly string[] | undefined): string[] => (reasons ?? []).filter((reason) => !reason.startsWith("other work"));

test("stand-in, not a device: int8, fp16 and fp32 on TensorRT 10.3 with locked clocks; the engines are kept", () => withStandIns({}, async (device) => {
  const models = [await studentFile(device.folder, "int8"), await studentFile(device.folder, "float32")];
  const records = await bench(device, models, { lockClocks: true }, { precisions: ["fp16", "fp32"] });
  assert.equal(records.map(({ model, precision, provider }) => `${model} ${precision} ${provider}`), ["int8 int8 tensorrt", "float32 fp16 tensorrt", "float32 fp32 tensorrt"]);
  const [int8] = records;
  assert.is(int8!.runs, 200);
  assert.ok(Math.abs(int8!.inferenceMs.p50 - 3.65) < 0.05, `copies and compute: ${int8!.inferenceMs.p50}`);
  assert.equal(ownReasons(int8!.unstableReasons), []);
  assert.equal({ ...int8!.device.runtimes, mode: int8!.device.powerMode }, { tensorrt: "10.3.0", mode: "MAXN_SUPER (2)" });
  assert.is(int8!.power!.meanW, 6.21);
  assert.is(int8!.thermal!.throttled, false);
  assert.equal((int8!.details as { convolutions: unknown }).convolutions, { total: 2, int8: 1, float: ["/model.22/cv3/Conv"] });
  assert.is((int8!.details as { slowestLayers: { name: string }[] }).slowestLayers[0]!.name, 'cv2 "odd"');
  assert.is((int8!.details as { clocksLocked: boolean }).clocksLocked, true);
  assert.not(isLocked(device), "restored");
  const calls = await device.calls();
  const verbs = calls.map((call) => (call.startsWith("trtexec") ? (call.includes("--onnx=") ? "build" : call.includes("--exportTimes=") ? "measure" : "") : call.startsWith("jetson_clocks --store") ? "store" : call.startsWith("jetson_clocks --restore") ? "restore" : call === "jetson_clocks " ? "lock" : "")).filter((verb) => verb !== "");
  assert.equal(verbs, ["build", "build", "build", "store", "lock", "measure", "measure", "measure", "restore"], "engines first, then the lock");
  assert.is(new Set(calls.filter((call) => call.includes("--onnx=")).map((call) => /--timingCacheFile=(\S+)/.exec(call)![1])).size, 1, "one timing cache");
  const again = await bench(device, models.slice(0, 1));
  assert.is((again[0]!.details as { engine: { built: boolean } }).engine.built, false);
  assert.match(ownReasons(again[0]!.unstableReasons).join(), "clocks not locked");
}));

for (const release of ["8.2.1", "8.5.2", "8.6.1", "10.16.2", "11.4.1"]) {
  test(`stand-in, not a device: every command suits TensorRT ${release}`, () => withStandIns({ STAND_IN_TRT: release }, async (device) => {
    const [record] = await bench(device, [await studentFile(device.folder, "int8")], {}, { workspaceMiB: 256 });
    assert.is(record!.device.runtimes!["tensorrt"], release);
    assert.ok(Math.abs(record!.inferenceMs.p50 - 3.65) < 0.05, `the same is measured: ${record!.inferenceMs.p50}`);
  }));
}

test("stand-in, not a device: on a DLA the layers that fall back are listed", () => withStandIns({ STAND_IN_TRT: "11.4.1" }, async (device) => {
  const [record] = await bench(device, [await studentFile(device.folder, "int8")], {}, { dla: 0 });
  assert.is(record!.provider, "tensorrt dla0");
  assert.equal((record!.details as { gpuFallback: string[] }).gpuFallback, ["COPY: images_QuantizeLinear", "SOFTMAX: /model.22/dfl/Softmax"]);
}));

test("stand-in, not a device: soak gives FPS over time", () => withStandIns({}, async (device) => {
  const [record] = await bench(device, [await studentFile(device.folder, "int8")], { soakSeconds: 1 });
  assert.ok(record!.soak!.length >= 1 && record!.soak![0]!.fps > 0);
}));

for (const [fault, code, words] of [
  ["build", "ENGINE_BUILD", "only supports symmetric quantization"], ["oom", "DEVICE_OUT_OF_MEMORY", "does not fit"],
] as const) {
  test(`stand-in, not a device: ${code} names the reason and leaves no half engine`, () => withStandIns({ STAND_IN_TRT_FAULT: fault }, async (device) => {
    const error = await refusal(bench(device, [await studentFile(device.folder, "int8")]));
    assert.is(error.code, code);
    assert.match(error.message, words);
    assert.equal((await readdir(join(device.folder, "cache/edgestill/tensorrt"))).filter((name) => /engine|part/.test(name)), []);
  }));
}

test("stand-in, not a device: an engine of another TensorRT is built anew, once; where that does not help it is an error", () => withStandIns({}, async (device) => {
  const model = await studentFile(device.folder, "int8");
  await bench(device, [model]);
  const folder = join(device.folder, "cache/edgestill/tensorrt");
  const engine = join(folder, (await readdir(folder)).find((name) => name.endsWith(".engine"))!);
  await writeFile(engine, JSON.stringify({ code: 8602, bytes: 1, int8: true }));
  const notes: string[] = [];
  const [record] = await bench(device, [model], {}, {}, { onNote: (text) => notes.push(text) });
  assert.is((record!.details as { engine: { built: boolean } }).engine.built, true);
  assert.ok(notes.some((note) => note.includes("another TensorRT")), notes.join());
  assert.is((JSON.parse(await readFile(engine, "utf8")) as { code: number }).code, 100300);
}));

test("stand-in, not a device: a refused engine that was just built", () => withStandIns({ STAND_IN_TRT_FAULT: "foreign" }, async (device) => {
  assert.is((await refusal(bench(device, [await studentFile(device.folder, "int8")]))).code, "ENGINE_FOREIGN");
}));

test("stand-in, not a device: throttling and trtexec's own doubts make a record unstable", () => withStandIns({ STAND_IN_THROTTLE: "1", STAND_IN_UNSTABLE: "1" }, async (device) => {
  const [record] = await bench(device, [await studentFile(device.folder, "int8")], { lockClocks: true });
  assert.is(record!.stable, false);
  assert.is(record!.thermal!.throttled, true);
  const reasons = record!.unstableReasons!.join("; ");
  assert.match(reasons, "throttled: the GPU ran below its clock");
  assert.match(reasons, "coefficient of variance = 7.1%");
}));

test("stand-in, not a device: Ctrl-C in the middle of a measurement: idle and restored within five seconds", () => withStandIns({ STAND_IN_TRT_FAULT: "hang-run" }, async (device) => {
  const stop = new AbortController();
  const model = await studentFile(device.folder, "int8");
  const running = bench(device, [model], { lockClocks: true }, {}, { signal: stop.signal }).catch((error: unknown) => error);
  await until(() => isLocked(device), 60);
  assert.ok(isLocked(device), "locked while it measures");
  await wait(500);
  stop.abort(new Error("interrupted"));
  const error = await Promise.race([running, wait(15_000)]);
  assert.is((error as Error | undefined)?.message, "interrupted");
  assert.ok((await until(() => !isLocked(device), 5)) < 5, "restored");
  const { stdout } = await execa("ps", ["-eo", "args"]);
  assert.equal(stdout.split("\n").filter((line) => line.includes(device.folder) && !line.startsWith("ps")), []);
}));

for (const [moment, fault] of [["with locked clocks", ""], ["while jetson_clocks still works", "slow"]] as const) {
  test(`stand-in, not a device: the host dies (SIGKILL) ${moment}: the device restores them by itself`, () => withStandIns({ STAND_IN_CLOCKS_FAULT: fault }, async (device) => {
    const child = execa(process.execPath, ["--import", import.meta.resolve("tsx"), join(import.meta.dirname, "lock-and-wait.ts")], { env: device.env, reject: false, cleanup: true });
    await until(() => isLocked(device), 60);
    assert.ok(isLocked(device), "locked");
    child.kill("SIGKILL");
    await child;
    await until(() => !isLocked(device), 30);
    assert.not(isLocked(device), "restored");
  }));
}

test("stand-in, not a device: without the right to lock, an error with the line for sudoers, before any measurement", () => withStandIns({ STAND_IN_CLOCKS_FAULT: "root" }, async (device) => {
  const error = await refusal(bench(device, [await studentFile(device.folder, "int8")], { lockClocks: true }));
  assert.is(error.code, "LOCK_CLOCKS");
  assert.match(error.message, "run as root");
  assert.match(error.nextStep, "sudoers");
  assert.not((await device.calls()).some((call) => call.includes("--exportTimes")));
}));

test("stand-in, not a device: the int8 file for the CPU is refused before anything travels", () => withStandIns({}, async (device) => {
  const error = await refusal(bench(device, [await studentFile(device.folder, "cpu")]));
  assert.is(error.code, "TENSORRT_REFUSES");
  assert.not((await device.calls()).some((call) => call.includes("--onnx=")));
}));

test("stand-in, not a device: check says what is there", () => withStandIns({}, async ({ transport, env }) => {
  const { facts, findings } = await jetsonKind.probe({ transport, settings });
  assert.is(facts.more["TensorRT"], "10.3.0");
  assert.is(facts.more["trtexec"], join(env["PATH"]!.split(":")[0]!, "trtexec"));
  assert.is(facts.more["power mode"], "MAXN_SUPER (2)");
  assert.is(facts.more["clocks"], "not locked");
  assert.ok(findings.every(({ severity, fix }) => severity === "warning" && fix.length > 0), JSON.stringify(findings));
}));

test.run();
