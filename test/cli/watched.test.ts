import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import sharp from "sharp";
import { startCli } from "../helpers/cli.ts";
import { writeEndlessModel } from "../helpers/loops.ts";
import { noPty } from "../helpers/terminal.ts";

/** The command line and the process that watches it, while native code never returns. */
const watched = suite("watched");
let folder = "";
const args = ["predict", "endless.onnx", "picture.png"];

watched.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgestill-watched-"));
  await writeEndlessModel(join(folder, "endless.onnx"));
  await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } }).png().toFile(join(folder, "picture.png"));
});
watched.after(() => rm(folder, { recursive: true, force: true }));

const childrenOf = async (pid: number): Promise<number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim().split(" ").filter((word) => word !== "").map(Number);

const isAlive = async (pid: number): Promise<boolean> => {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return status !== undefined && !/\) [ZX] /.test(status);
};

const until = async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; !(await isSo()); tries++) {
    assert.ok(tries < 1000, `${what} within 100 s`);
    await wait(100);
  }
};

/** A process below `pid` that is the command line itself. */
const workerBelow = async (pid: number): Promise<number> => {
  for (const child of await childrenOf(pid)) if ((await readFile(`/proc/${child}/cmdline`, "utf8")).includes("watched.ts")) return child;
  throw new Error("the working process is not there");
};

const inNativeCode = "running endless.onnx";

const started = async (): Promise<{ readonly child: ReturnType<typeof startCli>; readonly worker: number }> => {
  const child = withSetting("EDGESTILL_DEBUG", "1", () => startCli(args, folder));
  let text = "";
  child.stderr.on("data", (piece: Buffer) => { text += piece.toString(); });
  await until("the model runs", () => text.includes(inNativeCode));
  return { child, worker: await workerBelow(child.pid!) };
};

/** Starts something with a variable in its environment. */
const withSetting = <Result>(name: string, value: string, start: () => Result): Result => {
  process.env[name] = value;
  try {
    return start();
  } finally {
    delete process.env[name];
  }
};

const assertGone = (pid: number): Promise<void> => until(`process ${pid} ends`, async () => !(await isAlive(pid)));

for (const signal of ["SIGFPE", "SIGSEGV", "SIGABRT"] as const) watched(`${signal} in native code is an error that names the model`, async () => {
  const { child, worker } = await started();
  process.kill(worker, signal);
  const { exitCode, stderr, stdout } = await child;
  assert.is(exitCode, 1, stderr);
  assert.match(stderr, `error [NATIVE_CRASH]: Native code crashed while running endless.onnx (${signal}: `);
  assert.match(stderr, "next step: ");
  assert.is(stdout, "");
});

watched("a process that the system kills is an error that speaks of memory", async () => {
  const { child, worker } = await started();
  process.kill(worker, "SIGKILL");
  const { exitCode, stderr } = await child;
  assert.is(exitCode, 1);
  assert.match(stderr, "error [KILLED]: The working process was killed while running endless.onnx (SIGKILL: ");
  assert.match(stderr, "check the free memory");
});

for (const signal of ["SIGKILL", "SIGHUP"] as const) watched(`when ${signal} ends the watching process the working one ends too, though native code never returns`, async () => {
  const { child, worker } = await started();
  process.kill(child.pid!, signal);
  assert.is((await child).signal, signal);
  await assertGone(worker);
});

for (const signal of ["SIGTERM"] as const) watched(`${signal} twice ends a command whose native code never returns`, async () => {
  const { child, worker } = await started();
  process.kill(child.pid!, signal);
  await wait(100);
  process.kill(child.pid!, signal);
  assert.is((await child).exitCode, 130);
  await assertGone(worker);
});

watched("one SIGTERM, or the two that `timeout` sends, ends a command whose native code never returns", async () => {
  for (const times of [1, 2]) {
    const { child, worker } = await started();
    for (let time = 0; time < times; time++) process.kill(child.pid!, "SIGTERM");
    const { exitCode, stderr } = await child;
    assert.is(exitCode, 130);
    assert.match(stderr, "stopped; what is finished is kept.");
    await assertGone(worker);
  }
});

watched("output that cannot be written is an error; a reader that went away, a closed input and nobody who reads messages are none", async () => {
  const shell = async (after: string, words: readonly string[]): Promise<string> =>
    (await execa("bash", ["-c", `(${startedAs(words)}) ${after}`], { cwd: folder, reject: false, all: true })).all;
  assert.match(await shell("> /dev/full; echo exit code $?", ["--help"]), /error \[OUTPUT\]: Cannot write to the standard output: the disk is full.[^]*exit code 1/);
  const inspect = ["inspect", "endless.onnx"];
  assert.match(await shell("> /dev/full; echo exit code $?", inspect), /error \[OUTPUT\][^]*exit code 1/);
  assert.match(await shell("| head -1; echo exit code ${PIPESTATUS[0]}", inspect), /^endless.onnx: [^\n]*\nexit code 0$/);
  assert.match(await shell("<&- ; echo exit code $?", inspect), /exit code 0$/);
  assert.match(await shell("2>&1 >out.txt | true; echo exit code ${PIPESTATUS[0]}", ["bench", "none.onnx"]), /^exit code 1$/);
});

for (const command of [args, ["bench", "endless.onnx", "--seconds", "0.1"]]) watched(`${command[0]}: a run that does not end is stopped at its time limit`, async () => {
  const { exitCode, stderr } = await withSetting("EDGESTILL_RUN_LIMIT", "5", () => startCli(command, folder));
  assert.is(exitCode, 1, stderr);
  assert.match(stderr, /error \[TIME_LIMIT\]: A single run of \S*endless.onnx took longer than 5 s and was stopped: the model has a loop that may never end/);
  assert.match(stderr, "EDGESTILL_RUN_LIMIT=<seconds>");
});

watched("the exit code is the command's", async () => {
  const { exitCode, stderr } = await startCli(["inspect", "none.onnx"], folder);
  assert.is(exitCode, 1);
  assert.match(stderr, "error [MODEL_FILE]");
  assert.is((await startCli(["inspect"], folder)).exitCode, 2);
});

watched("Ctrl-C in a terminal, pressed twice, ends both", async () => {
  if (noPty !== undefined) return console.log(`skipped: Ctrl-C in a terminal (${noPty})`);
  const terminal = withSetting("EDGESTILL_DEBUG", "1", () => spawn("script", ["-qec", startedAs(args), "/dev/null"], { cwd: folder, stdio: ["pipe", "pipe", "ignore"] }));
  const ended = once(terminal, "exit");
  let text = "";
  terminal.stdout.on("data", (piece: Buffer) => { text += piece.toString(); });
  await until("the model runs", () => text.includes(inNativeCode));
  const [watching] = await childrenOf(terminal.pid!);
  const worker = await workerBelow(watching!);
  terminal.stdin.write("\x03");
  await wait(300);
  terminal.stdin.write("\x03");
  assert.is((await ended)[0], 130);
  await assertGone(worker);
});

/** The command line for a shell, which becomes it. */
const startedAs = (words: readonly string[]): string =>
  `exec ${[process.execPath, "--import", import.meta.resolve("tsx"), join(import.meta.dirname, "..", "..", "cli", "main.ts"), ...words].map((word) => `'${word}'`).join(" ")}`;

if (process.platform === "linux") watched.run();
else console.log("skipped: the watched process (it is followed through /proc)");
