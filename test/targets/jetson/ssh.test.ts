import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { BenchmarkRecord } from "../../../pipeline/result.ts";
import { openTarget } from "../../../targets/open.ts";
import type { JetsonSettings } from "../../../targets/jetson/settings.ts";
import { cli } from "../../helpers/cli.ts";
import { refusal } from "../../helpers/refusal.ts";
import { noSshd, startLoopbackDevice, waitFor, type LoopbackDevice } from "../../helpers/sshd.ts";
import { installTools, studentFile } from "./bench-with-stand-ins.ts";

interface Place {
  readonly device: LoopbackDevice;
  readonly scratch: string;
  readonly clocks: string;
  readonly entry: JetsonSettings;
}

/** A real sshd whose PATH begins with the stand-ins. */
const overSsh = (title: string, env: Readonly<Record<string, string>>, check: (place: Place) => Promise<void>): void => {
  test(`stand-in, not a device, over ssh: ${title}`, async () => {
    if (noSshd() !== undefined) return console.log(noSshd());
    const scratch = await mkdtemp(join(tmpdir(), "edgestill-jetson-ssh-"));
    await installTools(join(scratch, "bin"));
    const clocks = join(scratch, "clocks");
    const device = await startLoopbackDevice({ PATH: `${join(scratch, "bin")}:${process.env["PATH"] ?? ""}`, STAND_IN_CLOCKS: clocks, ...env });
    try {
      await check({ device, scratch, clocks, entry: { name: "orin", kind: "jetson", host: device.host, sshConfig: device.sshConfig, lockClocks: true } });
    } finally {
      await device.stop();
      await rm(scratch, { recursive: true, force: true });
    }
  });
};

const running = (marker: string): boolean => spawnSync("pgrep", ["-f", marker]).status === 0;

overSsh("the command line measures, locks and restores, and cleans up", {}, async ({ device, scratch, clocks, entry }) => {
  const { path } = await studentFile(scratch, "int8");
  const inventory = join(scratch, "targets.yaml");
  await writeFile(inventory, JSON.stringify([{ ...entry, lockClocks: false }]));
  const { stdout, stderr, exitCode } = await cli(["bench", path, "--target", "orin", "--targets", inventory, "--runs", "200", "--seconds", "1", "--lock-clocks", "--json"]);
  assert.is(exitCode, 0, stderr);
  const [record] = JSON.parse(stdout) as BenchmarkRecord[];
  assert.equal([record!.provider, record!.precision, record!.target, record!.power?.meanW], ["tensorrt", "int8", "orin", 6.21]);
  assert.is((record!.details as { clocksLocked?: boolean }).clocksLocked, true);
  assert.not(existsSync(clocks), "restored");
  assert.ok(existsSync(join(device.home, "cache/edgestill/tensorrt")), "engines are kept");
  const cleaned = await cli(["targets", "clean", "orin", "--targets", inventory]);
  assert.is(cleaned.exitCode, 0, cleaned.stderr);
  assert.not(existsSync(join(device.home, "cache/edgestill/tensorrt")));
});

overSsh("the connection breaks in the middle of a measurement: an error, the clocks are restored, nothing is left running", { STAND_IN_TRT_FAULT: "hang-run" }, async ({ device, scratch, clocks, entry }) => {
  const model = await studentFile(scratch, "int8");
  const failing = refusal(openTarget(entry).benchmark({ models: [model], runs: 200, seconds: 1 }));
  await waitFor(() => existsSync(clocks) && running(`${scratch}.*--exportTimes|--exportTimes.*${device.home}`), 120_000);
  await device.cutConnections();
  assert.is((await failing).code, "CONNECTION_LOST");
  await waitFor(() => !existsSync(clocks), 15_000);
  await waitFor(() => !running(`${device.home}/cache/edgestill`), 15_000);
});

test.run();
