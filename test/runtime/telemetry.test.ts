import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, scenePicture, writeConfig } from "../helpers/scenes.ts";

/**
 * Nothing leaves the machine: the command line is run with a home of its own and without the variable that turns ONNX Runtime's telemetry off; it leaves no
 * file there and, where strace is at hand, opens no internet socket and reads neither the machine's id nor the resolver's settings.
 */
const main = join(import.meta.dirname, "../../cli/main.ts");
const hasStrace = await execa("strace", ["-V"], { reject: false }).then(({ exitCode }) => exitCode === 0);
if (!hasStrace) console.log("skipped: system calls are not watched (no strace here)");

const forbidden = /AF_INET|\/etc\/machine-id|\/var\/lib\/dbus\/machine-id|\/etc\/resolv\.conf|\.onnxruntime/;

const watched = async (folder: string, args: readonly string[]): Promise<void> => {
  const home = join(folder, "home");
  await mkdir(home, { recursive: true });
  const log = join(folder, "calls.txt");
  const command = [process.execPath, "--import", import.meta.resolve("tsx"), main, ...args];
  const [program, ...rest] = hasStrace ? ["strace", "-f", "-qq", "-e", "trace=socket,connect,open,openat", "-o", log, ...command] : command;
  const { exitCode, stderr } = await execa(program!, rest, {
    reject: false, stdin: "ignore",
    env: { HOME: home, XDG_CACHE_HOME: join(home, ".cache"), ORT_DISABLE_TELEMETRY: undefined, NO_COLOR: "1" },
  });
  assert.is(exitCode, 0, stderr);
  assert.equal(await readdir(home), [], "files in the home folder");
  if (hasStrace) assert.equal((await readFile(log, "utf8")).split("\n").filter((line) => forbidden.test(line)), []);
};

test("predict, training, int8, a benchmark in its worker process, a bundle and its verification leave nothing and look nothing up", () => inFolder(async (folder) => {
  await makeScenes(folder, 6, 4);
  const model = join(folder, "teacher.onnx");
  await makeDetector(model);
  await watched(folder, ["predict", model, await scenePicture(folder, "val", 0), "--json"]);
  const config = await writeConfig(folder, ["distill: {epochs: 1, batch: 6, evaluateEvery: 0}", "quantize: {images: 4, maxDrop: 1}", "allowedDrop: {quantize: 1}", "bundle: {formats: [cpp]}"]);
  const runs = join(folder, "runs");
  await watched(folder, ["compress", config, "--runs", runs]);
  const run = (await readdir(runs)).find((name) => name.startsWith("tiny-"))!;
  const bundle = (await readdir(join(runs, run), { recursive: true })).find((name) => name.endsWith("manifest.json"))!;
  await watched(folder, ["verify", join(runs, run, bundle, "..")]);
}));

test("a worker thread in which telemetry cannot be turned off is refused", async () => {
  const source = `import(${JSON.stringify(import.meta.resolve("tsx/esm/api"))}).then(({ register }) => { register(); return import(${JSON.stringify(new URL("../../runtime/session.ts", import.meta.url).href)}); })
    .then(() => "loaded", (error) => error.code).then((found) => require("node:worker_threads").parentPort.postMessage(found));`;
  const load = (env: NodeJS.ProcessEnv): Promise<unknown> => new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, env });
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  assert.is(await load({ ...process.env, ORT_DISABLE_TELEMETRY: undefined }), "TELEMETRY");
  assert.is(await load({ ...process.env, ORT_DISABLE_TELEMETRY: "1" }), "loaded");
});

test.run();
