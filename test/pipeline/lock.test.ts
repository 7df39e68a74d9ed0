import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
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

const quick = { beatMs: 20, watchMs: 400 };
const foreign = (more: object = {}): string => JSON.stringify({ pid: 1, host: "elsewhere", started: null, system: "other", token: "t", ...more });

test("a lock that was cut off is taken over", () => inFolder(async (folder) => {
  await writeFile(join(folder, "lock"), '{"pid":');
  await (await lockFolder(folder, quick))();
  assert.equal(await readdir(folder), []);
}));

test("the lock of another machine is kept while it is touched, whatever its clock says, and taken over when it is not", () => inFolder(async (folder) => {
  const file = join(folder, "lock");
  await writeFile(file, foreign());
  let beat = 4e9; // a clock in the year 2096, that goes backwards
  const alive = setInterval(() => void utimes(file, 0, --beat), 50);
  const notes: string[] = [];
  const error: unknown = await lockFolder(folder, { ...quick, onWait: (line) => { notes.push(line); } }).catch((reason: unknown) => reason);
  clearInterval(alive);
  assert.ok(error instanceof UserError && error.code === "RUN_LOCKED" && error.message.includes("elsewhere"));
  assert.match(notes.join(), /elsewhere/);
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  const release = await lockFolder(folder, quick);
  assert.is((JSON.parse(await readFile(file, "utf8")) as { readonly pid: number }).pid, process.pid);
  await release();
}));

test("another machine of this one's name is told apart, by its boot", () => inFolder(async (folder) => {
  await writeFile(join(folder, "lock"), foreign({ host: hostname(), pid: process.pid }));
  await (await lockFolder(folder, quick))(); // nobody touches it
}));

test("the holder touches its lock, and does not remove one that is no longer its own", () => inFolder(async (folder) => {
  const file = join(folder, "lock");
  const release = await lockFolder(folder, quick);
  const before = (await stat(file)).mtimeMs;
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  assert.is.not((await stat(file)).mtimeMs, before);
  await rm(file);
  await writeFile(file, foreign());
  await release();
  assert.match(await readFile(file, "utf8"), "elsewhere");
}));

test("of many that find a dead lock one gets it", () => inFolder(async (folder) => {
  await writeFile(join(folder, "lock"), foreign());
  const results = await Promise.all(Array.from({ length: 8 }, () => lockFolder(folder, quick).catch((reason: unknown) => reason)));
  const releases = results.filter((result) => typeof result === "function");
  assert.is(releases.length, 1);
  assert.ok(results.every((result) => typeof result === "function" || (result instanceof UserError && result.code === "RUN_LOCKED")));
  await (releases[0] as () => Promise<void>)();
  assert.equal(await readdir(folder), []);
}));

test("a folder that cannot be made is CANNOT_WRITE", () => inFolder(async (folder) => {
  await writeFile(join(folder, "file"), "");
  for (const place of [join(folder, "file", "run"), join(folder, "x".repeat(5000))]) {
    const error: unknown = await lockFolder(place).catch((reason: unknown) => reason);
    assert.ok(error instanceof UserError && error.code === "CANNOT_WRITE", String(error));
  }
}));

test.run();
