import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { replaceFolder } from "../../bundle/replace.ts";
import { inFolder } from "../helpers/cli.ts";

const filesOf = (content: string, count = 1): Map<string, Uint8Array> => new Map(Array.from({ length: count }, (_, at) => [`sub/${at}`, Buffer.from(content)]));
const contentsOf = async (folder: string): Promise<string[]> =>
  Promise.all((await readdir(join(folder, "sub"))).map((name) => readFile(join(folder, "sub", name), "utf8")));

test("a folder is replaced, and nothing is left beside it", () => inFolder(async (folder) => {
  const place = join(folder, "bundle");
  for (const content of ["old", "new"]) await replaceFolder(place, filesOf(content));
  assert.equal(await contentsOf(place), ["new"]);
  assert.equal(await readdir(folder), ["bundle"]);
}));

for (const left of [[".old", ".part"], ["", ".old"], ["", ".part"], [".old"], [".part"]]) test(`what an ended process left (bundle${left.join(", bundle")}) is tidied up`, () => inFolder(async (folder) => {
  for (const ending of left) {
    await mkdir(join(folder, `bundle${ending}`, "sub"), { recursive: true });
    await writeFile(join(folder, `bundle${ending}`, "sub", "stale"), "stale");
  }
  await replaceFolder(join(folder, "bundle"), filesOf("new"));
  assert.equal(await contentsOf(join(folder, "bundle")), ["new"]);
  assert.equal(await readdir(folder), ["bundle"]);
}));

test("a write that fails leaves the old folder, also one that an ended process had put aside", () => inFolder(async (folder) => {
  await replaceFolder(join(folder, "bundle.old"), filesOf("old"));
  const impossible = new Map([...filesOf("new"), ["sub/0/below a file", Buffer.from("")]]);
  await replaceFolder(join(folder, "bundle"), impossible).then(() => assert.unreachable(), (error: Error) => assert.match(error.message, /ENOTDIR|EEXIST/));
  assert.equal(await contentsOf(join(folder, "bundle")), ["old"]);
  assert.equal(await readdir(folder), ["bundle"]);
}));

test("killed at any point, one whole folder is there or put aside", () => inFolder(async (folder) => {
  const place = join(folder, "bundle");
  const code = `import { replaceFolder } from ${JSON.stringify(import.meta.resolve("../../bundle/replace.ts"))};
    console.log("go");
    for (let round = 0; ; round++) await replaceFolder(${JSON.stringify(place)}, new Map(Array.from({ length: 20 }, (_, at) => ["sub/" + at, Buffer.from(String(round))])));`;
  for (let kill = 0; kill < 5; kill++) {
    const child = execa(process.execPath, ["--import", import.meta.resolve("tsx"), "--input-type=module", "-e", code], { reject: false });
    await new Promise((resolve) => { child.stdout.once("data", resolve); });
    await wait(30 + 7 * kill);
    child.kill("SIGKILL");
    await child;
    const found = (await readdir(folder)).includes("bundle") ? place : `${place}.old`;
    const contents = await contentsOf(found);
    assert.is(contents.length, 20, found);
    assert.is(new Set(contents).size, 1);
  }
  await rm(folder, { recursive: true });
  await mkdir(folder);
}));

test.run();
