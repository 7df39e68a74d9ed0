import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { lockFolder } from "../../pipeline/lock.ts";
import { inFolder } from "../helpers/cli.ts";

test("a second run is refused while the first holds the folder, and let in afterwards", () => inFolder(async (folder) => {
  const release = await lockFolder(folder);
  const error: unknown = await lockFolder(folder).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.code === "RUN_LOCKED");
  await release();
  await (await lockFolder(folder))();
}));

test("the lock of a dead process is taken over", () => inFolder(async (folder) => {
  const child = execa(process.execPath, ["-e", ""]);
  const { pid } = child;
  await child;
  await writeFile(join(folder, "lock"), JSON.stringify({ pid, host: hostname(), started: "1" }));
  const release = await lockFolder(folder);
  assert.is((JSON.parse(await readFile(join(folder, "lock"), "utf8")) as { pid: number }).pid, process.pid);
  await release();
}));

test("a lock that was cut off is taken over; one of another machine is not", () => inFolder(async (folder) => {
  await writeFile(join(folder, "lock"), '{"pid":');
  await (await lockFolder(folder))();
  await writeFile(join(folder, "lock"), JSON.stringify({ pid: 1, host: "elsewhere", started: null }));
  const error: unknown = await lockFolder(folder).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.message.includes("elsewhere"));
}));

test.run();
