import { test } from "uvu";
import * as assert from "uvu/assert";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { benchModels } from "../../pipeline/models/bench.ts";
import { watchCores } from "../../targets/device/busy.ts";
import { busyCoresBetween, readBusyCores } from "../../targets/jetson/busy.ts";
import { localTransport } from "../../targets/local-transport.ts";
import { makeDetector } from "../helpers/scenes.ts";

/** Other tests may run on this machine: each check compares with what was busy before. */

const transport = localTransport();
const ways = [["this process", () => watchCores()()], ["over a transport", () => readBusyCores(transport)]] as const;

const spin = `for (const end = Date.now() + 20000; Date.now() < end;);`;

/** `work` while other processes keep cores busy, each one. */
const besideLoops = async <T>(count: number, work: () => Promise<T>): Promise<T> => {
  const children = Array.from({ length: count }, () => spawn(execPath, ["-e", `console.log("started"); ${spin}`], { stdio: ["ignore", "pipe", "inherit"] }));
  await Promise.all(children.map((child) => new Promise((resolve) => { child.stdout.once("data", resolve); })));
  try {
    return await work();
  } finally {
    await Promise.all(children.map((child) => new Promise((resolve) => { child.once("close", resolve); child.kill("SIGKILL"); })));
  }
};

const work = (milliseconds: number): void => { for (const end = performance.now() + milliseconds; performance.now() < end;); };

for (const [name, busyCores] of ways) {
  test(`a busy loop of another process is other work (${name})`, async () => {
    const during = await besideLoops(1, busyCores);
    assert.ok(during! > 0.6, `${during} cores`);
  });

  test(`the loop's end is seen at once, whatever the load average says (${name})`, async () => {
    const during = await besideLoops(1, async () => { await busyCores(); return busyCores(); });
    const seen: number[] = [];
    for (let attempt = 0; attempt < 10 && Math.min(...seen) > during! - 0.5; attempt++) seen.push((await busyCores())!);
    assert.ok(Math.min(...seen) < during! - 0.5, `${seen.join()} after ${during}`);
  });
}

test("what this process does in the window is no other work", async () => {
  const seen: number[] = [];
  for (let attempt = 0; attempt < 10 && Math.min(...seen) > 0.5; attempt++) {
    const end = watchCores();
    work(450);
    seen.push((await end())!);
  }
  assert.ok(Math.min(...seen) < 0.5, `${seen.join()} cores`);
});

test("a benchmark beside a busy loop says so; one after benchmarks of our own does not", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-busy-"));
  try {
    const model = join(folder, "student.onnx");
    await makeDetector(model);
    const saysOtherWork = async (): Promise<boolean> => (await benchModels([model], { runs: 20, seconds: 0.1 }))[0]!.unstableReasons?.some((reason) => reason.startsWith("other work")) ?? false;
    assert.ok(await besideLoops(Math.ceil(cpus().length / 8), saysOtherWork));
    let alarm = true;
    for (let attempt = 0; attempt < 10 && alarm; attempt++) alarm = await saysOtherWork();
    assert.not(alarm);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("/proc/stat of two cores, one of them busy; waiting for a disk and a stolen core are not busy", () => {
  const reading = (user: number, idle: number, iowait: number, steal: number) => `cpu  ${user} 0 10 ${idle} ${iowait} 0 0 ${steal} 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\ncpu1 1 0 0 1 0 0 0 0 0 0\n`;
  assert.is(busyCoresBetween(reading(100, 100, 0, 0), reading(150, 150, 0, 0)), 1);
  assert.is(busyCoresBetween(reading(100, 100, 0, 0), reading(100, 125, 50, 25)), 0);
});

for (const [what, before, after] of [["nothing", "", ""], ["other text", "Zugriff verweigert", "Zugriff verweigert"], ["no time between", "cpu  1 0 0 1 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\n", "cpu  1 0 0 1 0 0 0 0 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\n"]] as const)
  test(`${what} says nothing about the cores`, () => assert.is(busyCoresBetween(before, after), null));

test.run();
