import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { writeKept } from "../../pipeline/kept.ts";
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

test("a holder whose lock was taken over while it was suspended writes nothing more and says so", () => inFolder(async (folder) => {
  const release = await lockFolder(folder, { ...quick, beatMs: 60_000 });
  assert.not.ok(release.lost.aborted);
  await writeKept(join(folder, "before.json"), "before", {});
  await rm(join(folder, "lock")); // as another machine does that saw nobody touch it for long
  await writeFile(join(folder, "lock"), foreign());
  const error: unknown = await writeKept(join(folder, "after.json"), "after", {}).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.code === "LOCK_LOST", String(error));
  assert.is(release.lost.reason, error);
  await release();
  assert.equal((await readdir(folder)).sort(), ["before.json", "lock"]);
}));

test("a process that is stopped, loses its lock and goes on ends with LOCK_LOST before it writes", () => inFolder(async (folder) => {
  const [lock, write] = ["../../pipeline/lock.ts", "../../files/write.ts"].map((name) => JSON.stringify(import.meta.resolve(name)));
  const code = `
    (async () => {
      const { lockFolder } = await import(${lock});
      const { writeWhole } = await import(${write});
      await lockFolder(${JSON.stringify(folder)}, { beatMs: 50 });
      for (let count = 0; ; count++) {
        await writeWhole(${JSON.stringify(join(folder, "state"))}, String(count));
        if (count === 3) console.log("working");
        await new Promise((resolve) => { setTimeout(resolve, 5); });
      }
    })().catch((error) => { console.log(error.code); });`;
  const child = execa(process.execPath, ["--import", import.meta.resolve("tsx"), "-e", code], { reject: false });
  await new Promise((resolve) => { child.stdout.once("data", resolve); });
  child.kill("SIGSTOP");
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  await writeFile(join(folder, "lock.new"), foreign());
  await rename(join(folder, "lock.new"), join(folder, "lock"));
  await writeFile(join(folder, "state"), "the other run's");
  child.kill("SIGCONT");
  const { stdout } = await child;
  assert.match(stdout, /LOCK_LOST$/);
  assert.is(await readFile(join(folder, "state"), "utf8"), "the other run's");
}));

test("a folder that is removed is LOCK_LOST within a beat", () => inFolder(async (folder) => {
  const release = await lockFolder(join(folder, "run"), quick);
  await rm(join(folder, "run"), { recursive: true });
  for (let tries = 0; !release.lost.aborted && tries < 500; tries++) await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.is((release.lost.reason as UserError).code, "LOCK_LOST");
  await release();
  assert.equal(await readdir(folder), []);
}));

test("a folder that cannot be made is CANNOT_WRITE", () => inFolder(async (folder) => {
  await writeFile(join(folder, "file"), "");
  await symlink("loop", join(folder, "loop"));
  const noFolder = process.platform === "linux" ? ["/proc/runs/run"] : []; // the system says ENOENT though /proc is there
  for (const place of [join(folder, "file", "run"), join(folder, "x".repeat(5000)), join(folder, "loop", "run"), ...noFolder]) {
    const error: unknown = await lockFolder(place).catch((reason: unknown) => reason);
    assert.ok(error instanceof UserError && error.code === "CANNOT_WRITE", String(error));
  }
}));

test.run();
