import { test } from "uvu";
import * as assert from "uvu/assert";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { cpuUsage, execPath } from "node:process";
import { benchModels } from "../../pipeline/models/bench.ts";
import { watchCores } from "../../targets/device/busy.ts";
import { busyCoresBetween, readBusyCores } from "../../targets/jetson/busy.ts";
import { localTransport } from "../../targets/local-transport.ts";
import { makeDetector } from "../helpers/scenes.ts";

/** Other tests may run on this machine: what is quiet is compared with what the kernel says of the same half second. */

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
}

const statNow = (): string => readFileSync("/proc/stat", "utf8");

for (const [what, during, least] of [["nothing", () => undefined, 0], ["work", () => { work(400); }, 0.1]] as const) {
  test(`other work is what the kernel counts in this half second, but for what this process does: ${what}`, async () => {
    const [before, started, own] = [statNow(), performance.now(), cpuUsage()];
    const end = watchCores();
    during();
    const busyCores = await end();
    const { user, system } = cpuUsage(own);
    const ownCores = (user + system) / 1000 / (performance.now() - started);
    assert.ok(ownCores > least, `${ownCores} cores of its own`);
    assert.ok(Math.abs(busyCores! - Math.max(0, busyCoresBetween(before, statNow())! - ownCores)) < 0.2, `${busyCores} cores`);
  });
}

test("a benchmark beside a busy loop says so; one after a benchmark of our own says so only where cores are busy now", async () => {
  const folder = await mkdtemp(join(tmpdir(), "edgestill-busy-"));
  try {
    const model = join(folder, "student.onnx");
    await makeDetector(model);
    const alarmAndCores = async (): Promise<readonly [alarm: boolean, busyCores: number]> => {
      const [record] = await benchModels([model], { runs: 20, seconds: 0.5 });
      return [(record!.unstableReasons ?? []).some((reason) => reason.startsWith("other work")), Number(record!.details!["busyCoresBefore"])];
    };
    const [alarmBeside, coresBeside] = await besideLoops(Math.ceil(cpus().length / 8), alarmAndCores);
    assert.ok(alarmBeside && coresBeside > 0.5, `${coresBeside} cores`);
    for (let repeat = 0; repeat < 3; repeat++) {
      const [alarm, busyCores] = await alarmAndCores();
      assert.is(alarm, busyCores > Math.max(0.5, 0.1 * availableParallelism()), `${busyCores} cores`);
    }
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
