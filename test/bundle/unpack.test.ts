import { execa } from "execa";
import { packTar } from "modern-tar";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bundleLimits, listFiles } from "../../bundle/checksums.ts";
import { unpackArchive } from "../../bundle/unpack.ts";
import { verifyBundle } from "../../bundle/verify.ts";
import { UserError } from "../../graph/error.ts";
import { inFolder } from "../helpers/cli.ts";

const test = suite("bundles from outside");

const errorOf = async (work: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`, { cause: error });
};

type Entry = Parameters<typeof packTar>[0][number];
const file = (name: string, body = "x", more: object = {}): Entry => ({ header: { name, size: body.length, type: "file", ...more }, body });

const refused = (name: string, code: string, words: RegExp, entries: readonly Entry[]) =>
  test(`an archive with ${name} is ${code}, and leaves nothing`, () => inFolder(async (folder) => {
    writeFileSync(join(folder, "b.tar"), await packTar([...entries]));
    const error = await errorOf(unpackArchive(join(folder, "b.tar"), join(folder, "out")));
    assert.is(error.code, code, error.message);
    assert.match(error.message, words);
    assert.equal(existsSync(join(folder, "out")) ? readdirSync(join(folder, "out")) : [], []);
  }));

refused("names that differ in case", "BUNDLE_PATH", /case or accents/, [file("b/A.txt"), file("b/a.txt")]);
refused("folders that differ in case", "BUNDLE_PATH", /case or accents/, [file("b/Data/1"), file("b/data/2")]);
refused("names that differ in how an accent is written", "BUNDLE_PATH", /case or accents/, [file("b/\u00e9.txt"), file("b/e\u0301.txt")]);
refused("a name that is a ligature of another", "BUNDLE_PATH", /case or accents/, [file("b/\ufb01le"), file("b/file")]);
for (const name of ["con", "CON.txt", "b/aux.json/x", "com1.onnx", "a.", "a ", "a:b", "a?b", "a\tb", "a\u001b[31m", "x".repeat(300)]) refused(`the name ${JSON.stringify(name.slice(0, 20))}`, "BUNDLE_PATH", /Windows|character|longer/, [file("b/ok"), file(`b/${name}`)]);
for (const name of ["../x", "/etc/x", "b/../../x", "b//x", "b/./x", "C:/x", "b\\x"]) refused(`the path ${name}`, "BUNDLE_PATH", /leaves|character/, [file("b/ok"), file(name)]);
for (const type of ["symlink", "link", "fifo", "character-device", "block-device"] as const) refused(`a ${type}`, "BUNDLE_PATH", /special file/, [file("b/ok"), { header: { name: "b/x", size: 0, type, linkname: "/etc/passwd" } }]);
refused("a file twice", "BUNDLE_ARCHIVE", /twice/, [file("b/x"), file("b/x")]);
refused("a file that is a folder as well", "BUNDLE_ARCHIVE", /file/, [file("b/x"), file("b/x/y")]);
refused("a folder that is a file as well", "BUNDLE_ARCHIVE", /file and a folder/, [file("b/x/y"), file("b/x")]);
refused("two folders", "BUNDLE_ARCHIVE", /not one folder/, [file("b/x"), file("c/x")]);
refused("a file alone", "BUNDLE_ARCHIVE", /not a folder/, [file("b")]);
refused("a sparse file", "BUNDLE_PATH", /special file/, [file("b/ok"), file("b/x", "x", { pax: { "GNU.sparse.major": "1", "GNU.sparse.realsize": "99999999999" } })]);

const damaged = (name: string, change: (bytes: Buffer) => Uint8Array, words: RegExp) =>
  test(`an archive ${name} is BUNDLE_ARCHIVE, and leaves nothing`, () => inFolder(async (folder) => {
    const bytes = Buffer.from(await packTar([file("b/x", "hello".repeat(400)), file("b/y")]));
    writeFileSync(join(folder, "b.tar"), change(bytes));
    const error = await errorOf(unpackArchive(join(folder, "b.tar"), join(folder, "out")));
    assert.is(error.code, "BUNDLE_ARCHIVE", error.message);
    assert.match(error.message, words);
    assert.equal(existsSync(join(folder, "out")) ? readdirSync(join(folder, "out")) : [], []);
  }));
damaged("that breaks off in a file", (bytes) => bytes.subarray(0, 1500), /./);
damaged("that breaks off in a header", (bytes) => bytes.subarray(0, 3000), /./);
damaged("with other bytes after its end", (bytes) => Buffer.concat([bytes, Buffer.from("more")]), /./);
damaged("that is compressed", (bytes) => gzipSync(bytes), /gzip/);
damaged("of noise", () => Buffer.alloc(5000, 7), /./);
damaged("of zeros", () => Buffer.alloc(5000), /./);
damaged("that is empty", () => Buffer.alloc(0), /./);
damaged("with a pax header of 8 GB", (bytes) => { bytes.write("x", 156); bytes.write("77777777777 ", 124); let sum = 0; bytes.write("        ", 148); for (const byte of bytes.subarray(0, 512)) sum += byte; bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148); return bytes; }, /./);

test("an archive of more than 20,000 entries is BUNDLE_SIZE, and leaves nothing", () => inFolder(async (folder) => {
  const folders = Array.from({ length: bundleLimits.files + 1 }, (_, i): Entry => ({ header: { name: `b/d${i}/`, size: 0, type: "directory" } }));
  writeFileSync(join(folder, "b.tar"), await packTar(folders));
  assert.is((await errorOf(unpackArchive(join(folder, "b.tar"), join(folder, "out")))).code, "BUNDLE_SIZE");
  assert.equal(readdirSync(join(folder, "out")), []);
}));

test("a sound archive is unpacked; a folder of its name that is there already is kept", () => inFolder(async (folder) => {
  writeFileSync(join(folder, "b.tar"), await packTar([{ header: { name: "b/", size: 0, type: "directory" } }, file("b/x", "hello")]));
  const place = await unpackArchive(join(folder, "b.tar"), join(folder, "out"));
  assert.is(await readFile(join(place, "x"), "utf8"), "hello");
  await errorOf(unpackArchive(join(folder, "b.tar"), join(folder, "out")));
  assert.is(await readFile(join(place, "x"), "utf8"), "hello");
}));

test("a pipe or a clash of names in a bundle's folder is BUNDLE_PATH; a pipe for the list of sums holds nobody up", () => inFolder(async (folder) => {
  mkdirSync(join(folder, "b"));
  for (const list of ["SHA256SUMS", "SHA256SUMS.measured"]) writeFileSync(join(folder, "b", list), "");
  await execa("mkfifo", [join(folder, "b", "x")]);
  assert.match((await errorOf(verifyBundle(join(folder, "b")))).message, /special file/);
  mkdirSync(join(folder, "c"));
  for (const name of ["A.txt", "a.txt"]) writeFileSync(join(folder, "c", name), "");
  if (readdirSync(join(folder, "c")).length === 2) assert.is((await errorOf(listFiles(join(folder, "c")))).code, "BUNDLE_PATH");
  mkdirSync(join(folder, "d"));
  await execa("mkfifo", [join(folder, "d", "SHA256SUMS")]);
  const error = await errorOf(verifyBundle(join(folder, "d")));
  assert.is(error.code, "NOT_A_BUNDLE");
  assert.match(error.message, /a pipe/);
}));

test.run();
