import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { spawnSync } from "node:child_process";
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { guardFolder, removeLeftOvers, writeWhole } from "../../files/write.ts";
import { inFolder } from "../helpers/cli.ts";

const errorOf = (work: Promise<void>): Promise<NodeJS.ErrnoException | undefined> =>
  work.then(() => undefined, (cause: unknown) => cause as NodeJS.ErrnoException);

test("a file is written and replaced; nothing else is left", () => inFolder(async (folder) => {
  const path = join(folder, "x".repeat(255)); // the longest name there is
  await writeWhole(path, "old");
  await writeWhole(path, [Buffer.from("ne"), Buffer.from("w")]);
  assert.is(await readFile(path, "utf8"), "new");
  assert.equal(await readdir(folder), ["x".repeat(255)]);
}));

test("a link stays a link, a mode stays", () => inFolder(async (folder) => {
  const [path, link] = [join(folder, "file"), join(folder, "link")];
  await writeFile(path, "old");
  await chmod(path, 0o640);
  await symlink("file", link);
  await writeWhole(link, "new");
  assert.ok((await lstat(link)).isSymbolicLink());
  assert.is(await readFile(path, "utf8"), "new");
  assert.is((await stat(path)).mode & 0o777, 0o640);
}));

test("a pipe is written to, not replaced; a folder is refused", () => inFolder(async (folder) => {
  const pipe = join(folder, "pipe");
  if (spawnSync("mkfifo", [pipe]).status !== 0) return console.log("skipped: a pipe (no mkfifo here)");
  const reader = execa("cat", [pipe]);
  await writeWhole(pipe, "text");
  assert.is((await reader).stdout, "text");
  assert.ok((await stat(pipe)).isFIFO());
  assert.is((await errorOf(writeWhole(folder, "text")))?.code, "EISDIR");
}));

/** Writes 3 MB in a process that may write 1 MB to a file: the system takes a part of it first, as a disk that fills up does. */
test("a write that the system cuts short is an error, and the old file stays", () => inFolder(async (folder) => {
  const path = join(folder, "file");
  await writeFile(path, "old");
  const code = `
    import(${JSON.stringify(import.meta.resolve("../../files/write.ts"))}).then(({ writeWhole }) => writeWhole(${JSON.stringify(path)}, Buffer.alloc(3e6, 65)))
      .then(() => console.log("written"), (error) => console.log(error.code, error.path));`;
  const { stdout } = await execa("bash", ["-c", 'ulimit -f 1000 && exec "$@"', "-", process.execPath, "--import", import.meta.resolve("tsx"), "-e", code]);
  assert.is(stdout, `EFBIG ${path}`);
  assert.is(await readFile(path, "utf8"), "old");
  assert.equal(await readdir(folder), ["file"]);
}));

test("a guard is asked for everything below its folder, also right before the file appears", () => inFolder(async (folder) => {
  const inner = join(folder, "inner");
  await mkdir(inner);
  let asked = 0;
  const end = guardFolder(inner, () => { if (++asked === 2) throw new Error("not now"); });
  await writeWhole(join(folder, "innermost"), "text");
  assert.is(asked, 0);
  assert.is((await errorOf(writeWhole(join(inner, "file"), "text")))?.message, "not now");
  assert.equal(await readdir(inner), []);
  end();
  await writeWhole(join(inner, "file"), "text");
  assert.is(asked, 2);
}));

test("what an ended process left of its writing is removed after a day, in sub-folders too", () => inFolder(async (folder) => {
  const inner = join(folder, "inner");
  await mkdir(inner);
  const names = ["1", "2"].map((digit) => join(inner, `.edgestill-${digit.repeat(8)}-1111-4111-8111-111111111111.partial`));
  for (const path of names) await writeFile(path, "half");
  const now = Date.now();
  await utimes(names[0]!, now / 1000 - 90_000, now / 1000 - 90_000);
  await removeLeftOvers(folder, now);
  assert.equal((await readdir(inner)).length, 1);
  await removeLeftOvers(join(folder, "none"));
}));

test.run();
