import { test } from "uvu";
import * as assert from "uvu/assert";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { cli, inFolder, startCli } from "../helpers/cli.ts";
import { makeScenes, writeConfig } from "../helpers/scenes.ts";
import type { RunResult } from "../../pipeline/result.ts";

const args = (runs: string, ...more: string[]): string[] => ["compress", "config.yaml", "--runs", runs, "--until", "distill", ...more];

/** Starts a run and stops it with `signal` after its second epoch: the checkpoint of the first is written for certain by then. */
const stopAfterSecondEpoch = async (folder: string, runs: string, signal: "SIGINT" | "SIGKILL") => {
  const child = startCli(args(runs), folder);
  let seen = "";
  let sent = false;
  child.stderr.on("data", (chunk: Buffer) => {
    seen += chunk.toString();
    if (sent || !/baseline epoch 2\//.test(seen)) return;
    sent = true;
    child.kill(signal);
  });
  return child;
};

const hashes = (stdout: string): string[] => (JSON.parse(stdout) as RunResult).variants.map(({ sha256 }) => sha256);

test("Ctrl-C stops with exit code 130 and says how to go on; that run, a killed one and an undisturbed one end with the same model", () => inFolder(async (folder) => {
  await makeScenes(folder, 8, 2);
  await writeConfig(folder, ["distill: {epochs: 4, batch: 2, evaluateEvery: 0}"]);
  const interrupted = await stopAfterSecondEpoch(folder, "a", "SIGINT");
  assert.is(interrupted.exitCode, 130, interrupted.stderr);
  assert.match(interrupted.stderr, /To go on:\n {2}edgestill compress config.yaml --runs a --until distill/);
  const killed = await stopAfterSecondEpoch(folder, "b", "SIGKILL");
  assert.is(killed.signal, "SIGKILL");
  const [afterInterrupt, afterKill, undisturbed] = [await cli(args("a", "--json"), folder), await cli(args("b", "--json"), folder), await cli(args("c", "--json"), folder)];
  assert.not.match(afterInterrupt.stderr, "baseline epoch 1/", afterInterrupt.stderr);
  assert.not.match(afterKill.stderr, "baseline epoch 1/", afterKill.stderr);
  assert.match(undisturbed.stderr, "baseline epoch 1/");
  assert.equal(hashes(afterInterrupt.stdout), hashes(undisturbed.stdout));
  assert.equal(hashes(afterKill.stdout), hashes(undisturbed.stdout));
  assert.not.ok((await readdir(join(folder, "b"), { recursive: true })).some((name) => name.endsWith("lock")));
}));

test.run();
