import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { loadModel, parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { tiny } from "./models.ts";

const top = await mkdtemp(join(tmpdir(), "edgestill-external-"));
const folder = join(top, "model");
await mkdir(join(folder, "parts"), { recursive: true });
const data = Buffer.from(Float32Array.of(1, -1, 5, 6).buffer);
await writeFile(join(folder, "weights.bin"), data);
await writeFile(join(folder, "parts", "w.bin"), data);
await writeFile(join(top, "secret.bin"), data);
await writeFile(join(top, "model-twin.bin"), data);
await writeFile(join(folder, "huge.bin"), "");
await truncate(join(folder, "huge.bin"), 64 * 2 ** 30); // sparse: 64 GB that take no space
await symlink(join(top, "secret.bin"), join(folder, "link.bin"));
await symlink(top, join(folder, "up"));
await symlink(join(folder, "weights.bin"), join(folder, "inner-link.bin"));
test.after(() => rm(top, { recursive: true }));

const external = (entries: Readonly<Record<string, string>>): Uint8Array => tiny({
  initializer: [{ name: "w", dataType: 1, dims: [2], dataLocation: 1, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })) }],
});
const load = async (entries: Readonly<Record<string, string>>) => {
  const path = join(folder, "model.onnx");
  await writeFile(path, external(entries));
  return loadModel(path);
};
const weights = async (entries: Readonly<Record<string, string>>): Promise<number[]> => [...(await load(entries)).graph.find("w")!.tensor!.floats];

test("offset and length select a part", async () => assert.equal(await weights({ location: "weights.bin", offset: "8", length: "8" }), [5, 6]));
test("without a length the rest of the file is read", async () => assert.equal(await weights({ location: "weights.bin", offset: "8" }), [5, 6]));
test("a file in a folder below the model is read", async () => assert.equal(await weights({ location: "parts/w.bin", length: "8" }), [1, -1]));
test("a link that stays in the folder is followed", async () => assert.equal(await weights({ location: "inner-link.bin", length: "8" }), [1, -1]));
test("a few bytes of a huge file are read without the rest", async () => assert.equal(await weights({ location: "huge.bin", offset: String(63 * 2 ** 30), length: "8" }), [0, 0]));
test("the size of a model is that of all its files", async () => {
  const entries = { location: "weights.bin", length: "8" };
  assert.is((await load(entries)).sizeBytes, external(entries).byteLength + 16);
});
test("saving writes the data into the model", async () => {
  const { graph } = await load({ location: "weights.bin", length: "8" });
  assert.equal([...parseModel(serializeModel(graph)).graph.find("w")!.tensor!.floats], [1, -1]);
});

for (const [name, entries, words] of [
  ["..", { location: "../secret.bin", length: "8" }, "outside"],
  [".. inside the path", { location: "parts/../../secret.bin", length: "8" }, "outside"],
  ["a folder whose name begins alike", { location: "../model-twin.bin", length: "8" }, "outside"],
  ["an absolute path", { location: join(top, "secret.bin"), length: "8" }, "outside"],
  ["a link to a file outside", { location: "link.bin", length: "8" }, "through a link"],
  ["a link to a folder outside", { location: "up/secret.bin", length: "8" }, "through a link"],
  ["the folder itself", { location: ".", length: "8" }, "outside"],
  ["a folder instead of a file", { location: "parts", length: "8" }, "is not a file"],
  ["no location", { length: "8" }, "outside"],
  ["a missing file", { location: "absent.bin", length: "8" }, "is missing"],
  ["an offset beyond the end", { location: "weights.bin", offset: "100", length: "8" }, "which has 16"],
  ["a length beyond the end", { location: "weights.bin", offset: "12", length: "8" }, "which has 16"],
  ["a negative offset", { location: "weights.bin", offset: "-8", length: "8" }, "asks for bytes"],
  ["an offset that is no number", { location: "weights.bin", offset: "eight", length: "8" }, "asks for bytes"],
  ["more bytes than the shape needs", { location: "huge.bin" }, "where the shape needs 8"],
] as const) test(`refused: ${name}`, async () => {
  const error: unknown = await load(entries as Readonly<Record<string, string>>).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError && error.code === "EXTERNAL_DATA" && error.message.includes(words) && error.message.includes(`"w"`), String(error));
});

test("refused: bytes without a folder", () =>
  assert.throws(() => parseModel(external({ location: "weights.bin", length: "8" })), (error: UserError) => error.code === "EXTERNAL_DATA"));

test.run();
