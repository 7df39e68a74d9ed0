import { test } from "uvu";
import * as assert from "uvu/assert";
import { generateKeyPairSync } from "node:crypto";
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packTar, unpackTar, type TarEntry } from "modern-tar";
import { readFilesOf } from "../../bundle/checksums.ts";
import { isMeasured, timingsSchema } from "../../bundle/measured.ts";
import { unpackArchive } from "../../bundle/unpack.ts";
import { addSums } from "../../bundle/write.ts";
import { manifestJsonSchema, type Manifest } from "../../bundle/manifest-schema.ts";
import { bundleRun } from "../../pipeline/bundle/run.ts";
import { verifyBundleFolder } from "../../pipeline/bundle/verify.ts";
import { stageReport } from "../../pipeline/result.ts";
import type { CompressResult } from "../../pipeline/run.ts";
import { UserError } from "../../graph/error.ts";
import { sha256Of } from "../../files/digest.ts";
import { cli } from "../helpers/cli.ts";
import { sceneClasses } from "../helpers/scenes.ts";
import { tinyRun } from "./tiny-run.ts";

let folder = "";
let run: CompressResult & { readonly config: string };
/** The bundle that the stage of compress made, unsigned. */
let bundle = "";
let keys: { readonly mine: string; readonly minePublic: string; readonly other: string; readonly otherPublic: string };

const writeKeys = async (name: string): Promise<[string, string]> => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const paths: [string, string] = [join(folder, `${name}.pem`), join(folder, `${name}.pub.pem`)];
  await writeFile(paths[0], privateKey.export({ format: "pem", type: "pkcs8" }));
  await writeFile(paths[1], publicKey.export({ format: "pem", type: "spki" }));
  return paths;
};

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgestill-bundle-"));
  run = await tinyRun(folder);
  const report = stageReport(run.result, "bundle")!;
  bundle = join(run.runFolder, report["folder"] as string);
  const [[mine, minePublic], [other, otherPublic]] = [await writeKeys("mine"), await writeKeys("other")];
  keys = { mine, minePublic, other, otherPublic };
});
test.after(() => rm(folder, { recursive: true, force: true }));

const manifestOf = async (at: string): Promise<Manifest> => JSON.parse(await readFile(join(at, "manifest.json"), "utf8")) as Manifest;
const codeOf = async (work: Promise<unknown>): Promise<string> => work.then(() => "none", (error: unknown) => (error instanceof UserError ? error.code : String(error)));

/** A copy of a bundle that `change` spoils. */
const spoiled = async (source: string, change: (at: string) => Promise<unknown>): Promise<string> => {
  const at = join(await mkdtemp(join(folder, "copy-")), "bundle");
  await cp(source, at, { recursive: true });
  await change(at);
  return at;
};
const lists = ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.measured", "SHA256SUMS.measured.sig"];
/** Makes the lists of hashes agree with the files again, as a forger would. */
const rehash = async (at: string): Promise<void> => {
  const files = await readFilesOf(at);
  for (const list of lists) files.delete(list);
  addSums(files, undefined);
  for (const list of lists) if (files.has(list)) await writeFile(join(at, list), files.get(list)!);
};

test("compress writes the bundle: models, contract, golden vectors, evidence, all formats", async () => {
  const manifest = await manifestOf(bundle);
  assert.match(manifest.name, /^tiny-[0-9a-f]{8}$/);
  assert.equal(manifest.models.map(({ role }) => role), ["float", "int8-cpu", "int8-tensorrt"]);
  for (const { file, sha256 } of manifest.models) {
    assert.ok(file.includes(manifest.hash), file);
    assert.is(sha256Of(await readFile(join(bundle, file))), sha256);
  }
  assert.equal(manifest.formats, ["cpp", "autoware", "deepstream"]);
  assert.equal(manifest.classes, sceneClasses);
  assert.equal((await readFile(join(bundle, "labels.txt"), "utf8")).trim().split("\n"), sceneClasses);
  assert.is(manifest.provenance.data.valImages, 4);
  assert.match(manifest.statement, "no certification");
  assert.ok(manifest.limits.includes("not for fog"));
  for (const file of [join(bundle, "manifest.schema.json"), join(import.meta.dirname, "../../docs/bundle.schema.json")]) assert.equal(JSON.parse(await readFile(file, "utf8")), manifestJsonSchema(), file);
  const header = await readFile(join(bundle, "cpp/include/tiny/model.hpp"), "utf8");
  assert.match(header, `m.hash = "${manifest.hash}"`);
  assert.match(header, "m.head.anchors = 126;");
  assert.match(await readFile(join(bundle, "MODEL_CARD.md"), "utf8"), "## Requirements");
});

test("the calibration table holds the ranges that the int8 files were made from, by the names of Autoware's model", async () => {
  const { hash, name } = await manifestOf(bundle);
  const table = (await readFile(join(bundle, `autoware/tiny_${hash}_detector/calibration/10.3.0/${name}.yolox.MinMax-calibration.table`), "utf8")).trim().split("\n").slice(1);
  const quantize = run.result.stages.find((stage) => stage.name === "quantize")!;
  const { ranges } = JSON.parse(await readFile(join(run.runFolder, `quantize-${quantize.hash.slice(0, 12)}`, "ranges.json"), "utf8")) as { readonly ranges: Record<string, { readonly threshold: number }> };
  const scales = new Map(table.map((line) => [line.slice(0, line.lastIndexOf(":")), Buffer.from(line.slice(-8), "hex").readFloatBE(0)]));
  for (const [value, { threshold }] of Object.entries(ranges)) assert.is(scales.get(value), Math.fround((value === "images" ? 255 : threshold) / 127), value);
  assert.ok(scales.size > 50);
});

test("requirements become rows with measurement, verdict and file; a slice is measured on its own pictures", async () => {
  const { requirements, accuracy } = await manifestOf(bundle);
  assert.equal(requirements.map(({ id, passed }) => [id, passed]), [["R1", true], ["R2", false], ["R3", true], ["R4", true]]);
  assert.equal(requirements.map(({ relation }) => relation), [">=", ">=", "<=", ">="]);
  const timings = timingsSchema.parse(JSON.parse(await readFile(join(bundle, "measured/timings.json"), "utf8")));
  assert.equal(timings.requirements.map(({ id, passed, relation, evidence }) => [id, passed, relation, evidence]), [["R5", true, "<=", "measured/timings.json"]]);
  assert.ok(timings.latency.length > 0 && timings.environment["cpu"] !== undefined);
  const slices = accuracy[2]!.slices;
  assert.equal(slices.map(({ slice, images }) => [slice, images]), [["all", 4], ["small", 4], ["medium", 4], ["large", 4], ["night", 2]]);
  const expected = run.result.variants.find(({ name }) => name === "int8.tensorrt")!.accuracy!;
  assert.ok(Math.abs(slices[0]!.map.value! - expected.map) < 1e-6, "the same mAP as the evaluate stage");
  for (const { evidence } of requirements) assert.ok((await readFile(join(bundle, evidence))).length > 0);
});

test("the same run gives the same bytes: stage and command, folder and archive", async () => {
  const again = await bundleRun(run.runFolder, { out: join(folder, "again") });
  const [first, second] = [await readFilesOf(bundle), await readFilesOf(again.folder)];
  assert.equal([...second.keys()], [...first.keys()]);
  for (const [path, bytes] of first) assert.ok(Buffer.compare(bytes, second.get(path)!) === 0, path);
  assert.is(Buffer.compare(await readFile(`${bundle}.tar`), await readFile(again.archive!)), 0);
  const entries = await unpackTar(await readFile(again.archive!));
  assert.equal(entries.map(({ header }) => header.name).sort(), [...first.keys()].map((path) => `${again.manifest.name}/${path}`).sort());
  assert.ok(entries.every(({ header, data }) => header.mtime?.getTime() === 0 && data !== undefined && Buffer.compare(data, first.get(header.name.slice(again.manifest.name.length + 1))!) === 0));
});

test("two runs of one config, in two folders, have one content: only what was measured differs, and is hashed apart", async () => {
  const other = await mkdtemp(join(folder, "other-"));
  const second = await tinyRun(other);
  const report = stageReport(second.result, "bundle") as { readonly folder: string; readonly contentSha256: string };
  const [mine, theirs] = [await readFilesOf(bundle), await readFilesOf(join(second.runFolder, report.folder))];
  assert.equal([...theirs.keys()], [...mine.keys()]);
  const differing = [...mine].filter(([path, bytes]) => Buffer.compare(bytes, theirs.get(path)!) !== 0).map(([path]) => path);
  assert.equal(differing, ["SHA256SUMS.measured", "measured/TIMINGS.md", "measured/timings.json"]);
  assert.is(report.contentSha256, sha256Of(mine.get("SHA256SUMS")!));
  assert.is((await verifyBundleFolder(bundle, { run: false })).contentSha256, report.contentSha256);
  const listed = (name: string) => mine.get(name)!.toString().trim().split("\n").map((line) => line.slice(66));
  assert.not.ok(listed("SHA256SUMS").some(isMeasured));
  assert.equal(listed("SHA256SUMS.measured"), ["SHA256SUMS", "measured/TIMINGS.md", "measured/timings.json"]);
  const mixed = await spoiled(bundle, (at) => cp(join(second.runFolder, report.folder, "measured/timings.json"), join(at, "measured/timings.json")));
  assert.is(await codeOf(verifyBundleFolder(mixed, { run: false })), "BUNDLE_CHANGED");
});

test("verify: hashes, schema and golden vectors agree on the machine that made it", async () => {
  const { signature, golden, files } = await verifyBundleFolder(bundle);
  assert.is(signature, "unsigned");
  assert.equal(golden, { pictures: 10, runs: 30, machine: "this machine", skipped: [] });
  assert.is(files, (await readFilesOf(bundle)).size - 1); // all but the list that lists the other one
});

const changes: readonly (readonly [what: string, code: string, change: (at: string) => Promise<unknown>])[] = [
  ["a changed byte", "BUNDLE_CHANGED", async (at) => {
    const file = join(at, "golden/odd.rgb");
    const bytes = await readFile(file);
    bytes[100]! ^= 1;
    await writeFile(file, bytes);
  }],
  ["a missing file", "BUNDLE_MISSING", (at) => rm(join(at, "labels.txt"))],
  ["an extra file", "BUNDLE_EXTRA", (at) => writeFile(join(at, "models", "stale.engine"), "x")],
  ["a listed path that leaves the bundle", "BUNDLE_PATH", (at) => appendFile(join(at, "SHA256SUMS"), `${"0".repeat(64)}  ../outside.txt\n`)],
  ["an absolute path", "BUNDLE_PATH", (at) => appendFile(join(at, "SHA256SUMS"), `${"0".repeat(64)}  /etc/passwd\n`)],
  ["a link", "BUNDLE_PATH", async (at) => { await rename(join(at, "labels.txt"), join(at, "..", "labels.txt")); await symlink("../labels.txt", join(at, "labels.txt")); }],
  ["a broken line", "BUNDLE_CHECKSUMS", (at) => appendFile(join(at, "SHA256SUMS"), "nonsense\n")],
  ["a manifest of another form", "BUNDLE_SCHEMA", async (at) => { await writeFile(join(at, "manifest.json"), JSON.stringify({ ...(await manifestOf(at)), classes: "car" })); await rehash(at); }],
  ["a manifest that names another model", "BUNDLE_MANIFEST", async (at) => {
    const manifest = await manifestOf(at);
    manifest.models[0]!.sha256 = "0".repeat(64);
    await writeFile(join(at, "manifest.json"), JSON.stringify(manifest));
    await rehash(at);
  }],
  ["a manifest path that leaves the bundle", "BUNDLE_PATH", async (at) => {
    const manifest = await manifestOf(at);
    manifest.models[0]!.file = "../model.onnx";
    await writeFile(join(at, "manifest.json"), JSON.stringify(manifest));
    await rehash(at);
  }],
  ["another model behind right hashes", "GOLDEN_DIFFERS", async (at) => {
    const file = join(at, "golden/odd.float.f32");
    const bytes = await readFile(file);
    bytes.writeFloatLE(bytes.readFloatLE(0) + 0.01, 0);
    await writeFile(file, bytes);
    await rehash(at);
  }],
  ["a picture that decodes otherwise", "GOLDEN_DIFFERS", async (at) => { await cp(join(at, "golden/grey.png"), join(at, "golden/native.png")); await rehash(at); }],
  ["a changed measurement", "BUNDLE_CHANGED", (at) => appendFile(join(at, "measured/TIMINGS.md"), "x")],
  ["measurements of another content", "BUNDLE_CHANGED", async (at) => writeFile(join(at, "SHA256SUMS.measured"), (await readFile(join(at, "SHA256SUMS.measured"), "utf8")).replace(/^.{64}/, "0".repeat(64)))],
  ["measurements that name no content", "BUNDLE_CHECKSUMS", async (at) => writeFile(join(at, "SHA256SUMS.measured"), (await readFile(join(at, "SHA256SUMS.measured"), "utf8")).replace(/^.*\n/, ""))],
  ["a content file in the list of measurements", "BUNDLE_CHECKSUMS", async (at) => {
    const sums = (await readFile(join(at, "SHA256SUMS"), "utf8")).split("\n");
    await writeFile(join(at, "SHA256SUMS"), sums.slice(1).join("\n"));
    await appendFile(join(at, "SHA256SUMS.measured"), `${sums[0]}\n`);
  }],
  ["timings of another form", "BUNDLE_SCHEMA", async (at) => { await writeFile(join(at, "measured/timings.json"), "{}"); await rehash(at); }],
  ["no manifest", "NOT_A_BUNDLE", async (at) => { await rm(join(at, "manifest.json")); await rehash(at); }],
];
for (const [what, code, change] of changes) test(`verify names ${what}: ${code}`, async () => assert.is(await codeOf(verifyBundleFolder(await spoiled(bundle, change))), code));

test("a signed bundle: valid for its key, another key is named, a swapped signature is found", async () => {
  const signed = await bundleRun(run.runFolder, { out: join(folder, "signed"), sign: keys.mine });
  const quick = (at: string, key: string) => verifyBundleFolder(at, { key, run: false });
  assert.is((await quick(signed.folder, keys.minePublic)).signature, "valid");
  assert.is((await verifyBundleFolder(signed.folder, { run: false })).signature, "not checked");
  assert.is(await codeOf(quick(signed.folder, keys.otherPublic)), "BUNDLE_KEY");
  assert.is(await codeOf(quick(bundle, keys.minePublic)), "BUNDLE_UNSIGNED");
  const foreign = await bundleRun(run.runFolder, { out: join(folder, "foreign"), sign: keys.other });
  assert.is(await codeOf(quick(await spoiled(signed.folder, (at) => cp(join(foreign.folder, "SHA256SUMS.sig"), join(at, "SHA256SUMS.sig"))), keys.minePublic)), "BUNDLE_SIGNATURE");
  assert.is(await codeOf(quick(await spoiled(signed.folder, async (at) => { await writeFile(join(at, "labels.txt"), "cat\n"); await rehash(at); }), keys.minePublic)), "BUNDLE_SIGNATURE");
  assert.is(await codeOf(quick(signed.folder, run.config)), "KEY");
});

test("the SBOM lists every model with its hash", async () => {
  const sbom = JSON.parse(await readFile(join(bundle, "sbom.cdx.json"), "utf8")) as { readonly bomFormat: string; readonly serialNumber?: string; readonly components: readonly { readonly type: string; readonly name: string; readonly hashes?: readonly { readonly alg: string; readonly content: string }[] }[] };
  assert.is(sbom.bomFormat, "CycloneDX");
  for (const { file, sha256 } of (await manifestOf(bundle)).models) {
    const part = sbom.components.find(({ name }) => name === file);
    assert.equal([part?.type, part?.hashes], ["machine-learning-model", [{ alg: "SHA-256", content: sha256 }]]);
  }
});

test("without its data sets a run is bundled with what is known, and the manifest says what is missing", async () => {
  await mkdir(join(folder, "lone"));
  const lone = join(folder, "lone", "run");
  await cp(run.runFolder, lone, { recursive: true });
  await rm(join(lone, "source.json"));
  const { manifest } = await bundleRun(lone, { out: join(folder, "lone"), formats: ["cpp"], archive: false });
  assert.equal(manifest.accuracy, []);
  assert.ok(manifest.limits.some((line) => line.includes("validation set was not at hand")));
  assert.equal(manifest.requirements.map(({ passed }) => passed), [false, false, true, false]);
  assert.is(await codeOf(bundleRun(lone, { variant: "nothing" })), "BUNDLE_VARIANT");
});

test("verify takes the archive, and leaves nothing behind", async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith("edgestill-verify-"));
  const { name, files, golden } = await verifyBundleFolder(`${bundle}.tar`);
  assert.equal([name, files, golden!.runs], [(await manifestOf(bundle)).name, (await readFilesOf(bundle)).size - 1, 30]);
  assert.is(await codeOf(verifyBundleFolder(join(bundle, "labels.txt"))), "BUNDLE_ARCHIVE");
  assert.equal((await readdir(tmpdir())).filter((entry) => entry.startsWith("edgestill-verify-")), before);
});

const text = (name: string, body = "x"): TarEntry => ({ header: { name, size: body.length, type: "file" }, body });
const archives: readonly (readonly [what: string, code: string, entries: readonly TarEntry[]])[] = [
  ["a path that leaves it", "BUNDLE_PATH", [text("b/../../outside.txt")]],
  ["an absolute path", "BUNDLE_PATH", [text("/tmp/outside.txt")]],
  ["a path with a backslash", "BUNDLE_PATH", [text("b\\..\\outside.txt")]],
  ["a symbolic link", "BUNDLE_PATH", [text("b/labels.txt"), { header: { name: "b/link", size: 0, type: "symlink", linkname: "/etc/passwd" } }]],
  ["a hard link", "BUNDLE_PATH", [text("b/labels.txt"), { header: { name: "b/link", size: 0, type: "link", linkname: "b/labels.txt" } }]],
  ["a device file", "BUNDLE_PATH", [{ header: { name: "b/null", size: 0, type: "character-device" } }]],
  ["a file twice", "BUNDLE_ARCHIVE", [text("b/labels.txt"), text("b/labels.txt", "y")]],
  ["two folders", "BUNDLE_ARCHIVE", [text("a/labels.txt"), text("b/labels.txt")]],
  ["no file", "BUNDLE_ARCHIVE", [{ header: { name: "b/", size: 0, type: "directory" } }]],
  ["more than the limit", "BUNDLE_SIZE", [text("b/one.txt", "x".repeat(600)), text("b/two.txt", "x".repeat(600))]],
  ["more files than the limit", "BUNDLE_SIZE", ["1", "2", "3", "4"].map((name) => text(`b/${name}`))],
];
for (const [what, code, entries] of archives) test(`an archive with ${what} is refused: ${code}`, async () => {
  const at = await mkdtemp(join(folder, "archive-"));
  await writeFile(join(at, "b.tar"), await packTar(entries));
  assert.is(await codeOf(unpackArchive(join(at, "b.tar"), join(at, "out"), { bytes: code === "BUNDLE_SIZE" ? 1000 : 1e6, files: 3 })), code);
  assert.equal((await readdir(at)).filter((name) => name !== "b.tar" && name !== "out"), []);
});

test("an archive that is cut off is refused", async () => {
  const at = await mkdtemp(join(folder, "archive-"));
  const whole = await readFile(`${bundle}.tar`);
  await writeFile(join(at, "b.tar"), whole.subarray(0, whole.length / 2));
  assert.is(await codeOf(verifyBundleFolder(join(at, "b.tar"))), "BUNDLE_ARCHIVE");
});

test("a requirement that is not met: the bundle is there, its evidence says so, exit code 1 unless it is allowed", async () => {
  const out = join(folder, "unmet");
  const refused = await cli(["bundle", run.runFolder, "-o", out, "--no-archive"]);
  assert.is(refused.exitCode, 1, refused.stderr);
  assert.match(refused.stderr, "requirement R2 (ap.car >= 99.0 points, all) is not met");
  assert.is((await manifestOf(join(out, (await readdir(out))[0]!))).requirements[1]!.passed, false);
  const allowed = await cli(["bundle", run.runFolder, "-o", out, "--no-archive", "--allow-failed-requirements"]);
  assert.is(allowed.exitCode, 0, allowed.stderr);
  const compressed = await cli(["compress", run.config, "--runs", join(folder, "runs")]);
  assert.is(compressed.exitCode, 1, "as with a gate");
  assert.match(compressed.stderr, "requirement R2");
});

test("data or models that are no longer those of the run are refused", async () => {
  const withChange = async (file: string, change: (bytes: Buffer) => string | Buffer): Promise<string> => {
    const before = await readFile(file);
    await writeFile(file, change(before));
    try {
      return await codeOf(bundleRun(run.runFolder, { out: join(folder, "changed"), archive: false }));
    } finally {
      await writeFile(file, before);
    }
  };
  const val = await withChange(join(folder, "data", "val.json"), (bytes) => bytes.toString().replace('"category_id":1,', '"category_id":2,'));
  assert.is(val, "BUNDLE_DATA");
  assert.is(await withChange(join(run.runFolder, run.result.variants.at(-1)!.model), (bytes) => Buffer.concat([bytes, Buffer.from([0])])), "BUNDLE_MODEL");
});

test("the command line: verify prints what agrees and ends with 1 at the first difference", async () => {
  const good = await cli(["verify", bundle, "--no-run", "--json"]);
  assert.is(good.exitCode, 0, good.stderr);
  assert.is((JSON.parse(good.stdout) as { readonly golden: unknown }).golden, null);
  const bad = await cli(["verify", await spoiled(bundle, (at) => rm(join(at, "labels.txt"))), "--no-run"]);
  assert.is(bad.exitCode, 1);
  assert.match(bad.stderr, "BUNDLE_MISSING");
  assert.is((await cli(["bundle", run.runFolder, "--formats", "zip"])).exitCode, 2);
  assert.ok((await readdir(run.runFolder)).some((name) => name.startsWith("bundle-")));
});

test.run();
