import { link, mkdtemp, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { sha256File } from "../../files/digest.ts";
import { FileFacts } from "../../files/file-facts.ts";
import { filesDigest, openSetMemory } from "../../pipeline/contents.ts";
import { silentReporter } from "../../pipeline/progress.ts";

const folder = await mkdtemp(join(tmpdir(), "file-facts-"));
const record = join(folder, "record.json");
const names = ["same", "written over", "replaced", "copied over", "gone", "touched"] as const;
const at = (name: string): string => join(folder, name);

/** The digests of all files, and which were read for it. */
const digests = async (facts: FileFacts): Promise<{ digests: Record<string, string>; read: string[] }> => {
  const read: string[] = [];
  const found: Record<string, string> = {};
  for (const name of names) {
    if (!(await stat(at(name)).catch(() => undefined))) continue;
    found[name] = await facts.get(at(name), "sha256", () => { read.push(name); return sha256File(at(name)); });
  }
  return { digests: found, read };
};
const truth = async (): Promise<Record<string, string>> => (await digests(await FileFacts.open(undefined, "a"))).digests;

for (const name of names) await writeFile(at(name), `old ${name}`);
await setTimeout(2200); // the files are settled then

test("a file is read once while it stays the same, whatever else is set back", async () => {
  const first = await FileFacts.open(record, "a");
  assert.equal((await digests(first)).read, [...names]);
  await writeFile(record, first.text());
  assert.equal((await digests(await FileFacts.open(record, "a"))).read, []);

  const times = await stat(at("same"));
  await writeFile(at("written over"), "new written over");
  await utimes(at("written over"), times.atime, times.mtime);
  await writeFile(at("other"), "new replaced");
  await utimes(at("other"), times.atime, times.mtime);
  await rename(at("other"), at("replaced"));
  await rm(at("copied over"));
  await link(at("same"), at("copied over"));
  await rm(at("gone"));
  await utimes(at("touched"), new Date(), new Date());
  const later = await FileFacts.open(record, "a");
  const { digests: found, read } = await digests(later);
  assert.equal(found, await truth());
  assert.equal(read, ["same", "written over", "replaced", "copied over", "touched"], "a link more changes a file's record too");
  assert.ok(later.isNew);
  assert.not.match(later.text(), "gone");
});

test("of a file that has just changed nothing is kept: it may change again without another time", async () => {
  await writeFile(at("same"), "1 same");
  const facts = await FileFacts.open(record, "a");
  await digests(facts);
  assert.ok((await digests(facts)).read.includes("same"));
});

test("a damaged record, or one of other files, is said, and all is read again", async () => {
  for (const [text, damage] of [["", "is empty"], ["{\"seal\":", "is cut short"], ["{}", "has no digest (an older version wrote it)"]] as const) {
    await writeFile(record, text);
    const facts = await FileFacts.open(record, "a");
    assert.is(facts.damage, damage);
    assert.ok((await digests(facts)).read.length > 0);
  }
  await writeFile(record, (await FileFacts.open(undefined, "b")).text());
  assert.is((await FileFacts.open(record, "a")).damage, "belongs to something else");
});

test("where nothing can be kept, one line says so and the digest is right", async () => {
  await writeFile(at("no folder"), "");
  const lines: string[] = [];
  const reporter = { ...silentReporter, line: (text: string) => lines.push(text), warn: (text: string) => lines.push(text) };
  const memory = await openSetMemory(join(folder, "no folder"), ["set"], reporter);
  const paths = [at("same"), at("touched")];
  const digest = await filesDigest(paths, "", memory, reporter);
  await memory.save();
  assert.is(digest, await filesDigest(paths, "", await openSetMemory(undefined, ["set"], reporter), reporter));
  assert.is(lines.length, 1, lines.join("\n"));
  assert.match(lines[0]!, "is not kept for the next run");
});

test.run();
