import { test } from "uvu";
import * as assert from "uvu/assert";
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process, { execPath } from "node:process";
import { benchModels, type BenchOptions } from "../../pipeline/models/bench.ts";
import { sha256File } from "../../files/digest.ts";
import { patternFeeds } from "../../targets/feeds.ts";
import { cleanTarget, openTarget, probeTarget } from "../../targets/open.ts";
import type { DeviceEntry } from "../../targets/inventory.ts";
import { sshTransport } from "../../targets/ssh.ts";
import { refusal } from "../helpers/refusal.ts";
import { makeDetector, makeScenes, scenePicture } from "../helpers/scenes.ts";
import { noSshd, startLoopbackDevice, waitFor, type LoopbackDevice } from "../helpers/sshd.ts";

/** Benchmarks over a real ssh connection to this machine; stand-ins for the board's own programs lie in its bin folder. */

const missing = noSshd();
let [folder, bin, model, picture] = ["", "", "", ""];
let device: LoopbackDevice;
let entry: DeviceEntry & { readonly node?: string };

/** A stand-in for a program of the board, first on its PATH. */
const standIn = (name: string, script: string): Promise<void> => writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

const onDevice = (name: string, body: () => Promise<void>): void => {
  test(name, async () => {
    if (missing !== undefined) return console.log(missing);
    await body();
  });
};

const bench = (options: BenchOptions = {}, changes: object = {}) =>
  benchModels([model], { targets: [entry.name], inventory: [{ ...entry, ...changes }], runs: 20, seconds: 0.1, threads: 1, ...options });

const runnerRuns = (): boolean => spawnSync("pgrep", ["-f", `${device.home}.*runner-.*mjs .*job.json`]).status === 0;

test.before(async () => {
  if (missing !== undefined) return;
  folder = await mkdtemp(join(tmpdir(), "edgestill-device-"));
  bin = join(folder, "bin");
  model = join(folder, "student.onnx");
  await mkdir(bin);
  await makeDetector(model);
  await makeScenes(folder, 1, 1);
  picture = await scenePicture(folder, "train", 0);
  device = await startLoopbackDevice({ PATH: `${bin}:${process.env["PATH"] ?? ""}` });
  entry = { name: "board", kind: "rpi", host: device.host, sshConfig: device.sshConfig, node: execPath };
  await standIn("vcgencmd", "echo throttled=0x0");
});

test.after(async () => {
  if (missing !== undefined) return;
  await device.stop();
  await rm(folder, { recursive: true });
});

onDevice("the probe tells what the machine is", async () => {
  const { facts } = await probeTarget(entry);
  assert.is(facts.wordBits, 64);
  assert.equal(facts.node, { path: execPath, version: process.version });
  assert.is(facts.throttledBits, "0x0");
  assert.ok(facts.freeDiskBytes! > 0 && facts.memoryBytes! > 0);
  assert.not(facts.emulated);
});

onDevice("a record says all that was measured; the device's outputs are this machine's", async () => {
  const steps = new Set<string>();
  const [record] = await bench({ picture, soakSeconds: 0.2, hooks: { onStep: (label) => steps.add(label) } });
  assert.ok([...steps].some((label) => label.startsWith("ONNX Runtime to")) && [...steps].some((label) => label.startsWith("student.onnx to")), [...steps].join());
  assert.equal([record!.target, record!.provider, record!.threads, record!.batch, record!.precision], ["board", "cpu", 1, 1, "float32"]);
  assert.ok(record!.runs >= 20 && record!.warmup > 0);
  const { p50, p90, p99, min, max } = record!.inferenceMs;
  assert.ok(min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max);
  assert.ok(record!.confidenceMs!.p50[0] <= p50 && p50 <= record!.confidenceMs!.p50[1]);
  assert.is(record!.endToEndFrom, "pixels");
  assert.ok(record!.endToEndMs!.p50 > 0);
  assert.equal(record!.againstHost, { maxAbsError: 0, bitEqual: true });
  assert.ok(record!.soak!.length > 0 && record!.blockMediansMs!.length > 0);
});

onDevice("the second time nothing is copied; threads are swept; clean leaves nothing", async () => {
  const copied: number[] = [];
  const records = await bench({ threads: "sweep", hooks: { onStep: (_, done, total) => { if (done < total) copied.push(done); } } });
  assert.equal(copied, []);
  assert.equal(records.map(({ threads }) => threads), Array.from({ length: records.length }, (_, index) => index + 1));
  assert.equal((await readdir(device.home)).sort(), ["cache"]);
  assert.equal(await readdir(join(device.home, "cache", "edgestill", "job")), []);
  assert.ok(await cleanTarget(entry) > 1_000_000);
  assert.equal(await readdir(join(device.home, "cache")), []);
});

onDevice("two pictures per run", async () => {
  const records = await bench({ batches: [1, 2] });
  assert.equal(records.map(({ batch }) => batch), [1, 2]);
  assert.ok(Math.abs(records[1]!.fps - 2000 / records[1]!.inferenceMs.mean) < 1e-6);
});

test("a batch that the model does not have is refused", async () => {
  const inputs = [{ name: "images", dtype: "float32" as const, shape: [1, 3, 64, 64] }];
  assert.is((await refusal(Promise.resolve().then(() => patternFeeds({ inputs }, 2)))).code, "BATCH_FIXED");
});

onDevice("a device in use is named, with its owner", async () => {
  const transport = await sshTransport(entry);
  const lock = await transport.lock("anna@desk");
  const error = await refusal(bench());
  await lock.release();
  await transport.close();
  assert.is(error.code, "DEVICE_BUSY");
  assert.match(error.message, "anna@desk");
});

onDevice("Ctrl-C: the device is idle, its lock is free", async () => {
  const controller = new AbortController();
  const work = bench({ seconds: 300, hooks: { signal: controller.signal } });
  await Promise.race([waitFor(runnerRuns, 60_000), work]);
  controller.abort(new Error("stopped by the test"));
  await work.then(() => assert.unreachable(), (error: Error) => assert.is(error.message, "stopped by the test"));
  assert.not(runnerRuns());
  const transport = await sshTransport(entry);
  await (await transport.lock("next")).release();
  await transport.close();
});

onDevice("a connection lost in mid-benchmark is an error, and nothing stays running", async () => {
  const work = refusal(bench({ seconds: 300 }));
  await Promise.race([waitFor(runnerRuns, 60_000), work]);
  await device.cutConnections();
  assert.is((await work).code, "CONNECTION_LOST");
  await waitFor(() => !runnerRuns(), 10_000);
});

onDevice("throttling in the middle makes the record unstable", async () => {
  const seen = join(folder, "asked");
  await standIn("vcgencmd", `if [ -e '${seen}' ]; then echo throttled=0x40004; else echo throttled=0x0; [ "$PPID" != 1 ] && grep -q runner- /proc/$PPID/cmdline && : > '${seen}'; fi`);
  const [record] = await bench();
  await standIn("vcgencmd", "echo throttled=0x0");
  assert.is(record!.stable, false);
  assert.match(record!.unstableReasons!.join(), "throttled while measuring");
  assert.is(record!.thermal!.throttled, true);
});

onDevice("a model that the device's runtime refuses is named with the reason", async () => {
  const broken = join(folder, "broken.onnx");
  await writeFile(broken, "this is no model");
  const models = [{ name: "broken.onnx", path: broken, sha256: await sha256File(broken), precision: "float32" }];
  const error = await refusal(openTarget(entry).benchmark({ models, runs: 1, seconds: 0.1 }));
  assert.is(error.code, "SESSION");
  assert.match(error.message, "broken.onnx on board");
});

onDevice("out of memory on the device, as the kernel ends a program", async () => {
  const node = join(bin, "small-node");
  await standIn("small-node", `case "$1" in -*) exec '${execPath}' "$@";; esac; kill -9 $$`);
  assert.is((await refusal(bench({}, { node }))).code, "DEVICE_OUT_OF_MEMORY");
});

onDevice("an old Node.js, and a 32-bit userland under a 64-bit kernel, stop before anything is copied", async () => {
  const node = join(bin, "old-node");
  await standIn("old-node", "echo 'v12.22.12 x64'");
  const old = await refusal(bench({}, { node, kind: "linux" }));
  assert.is(old.code, "TARGET_NOT_READY");
  assert.match(old.message, "v12.22.12");
  await standIn("dpkg", "echo armhf");
  await standIn("getconf", 'case "$1" in LONG_BIT) echo 32;; *) echo glibc 2.36;; esac');
  const narrow = await refusal(bench());
  for (const name of ["dpkg", "getconf"]) await rm(join(bin, name));
  assert.is(narrow.code, "TARGET_NOT_READY");
  assert.match(narrow.message, "the userland 32");
});

onDevice("a full device is named before a byte is sent", async () => {
  await standIn("df", "echo Filesystem; echo 'x 1000000 999999 10 100% /'");
  const transport = await sshTransport(entry);
  const error = await refusal(transport.upload(model, join(device.home, "cache", "x.onnx")));
  await transport.close();
  await rm(join(bin, "df"));
  assert.is(error.code, "DEVICE_FULL");
});

onDevice("Node.js travels on request", async () => {
  const transport = await sshTransport(entry);
  const [record] = await bench({}, { node: undefined, sendNode: execPath });
  assert.is(record!.device.runtimes!["node"], process.version);
  assert.ok(await transport.exists(`${await transport.cacheFolder()}/files/${await sha256File(execPath)}/node`));
  await transport.close();
});

test.run();
