import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { decodeImage, encodeJpeg, encodePng, readImageSize } from "../../vision/image.ts";
import { pattern, plain } from "./images.ts";

const folder = mkdtempSync(path.join(tmpdir(), "edgestill-image-"));
const test = suite("image");
test.after(() => rmSync(folder, { recursive: true }));

const write = (name: string, bytes: Uint8Array) => {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
};

async function failure(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  assert.ok(error instanceof UserError, `expected a UserError, got ${String(error)}`);
  return error;
}

test("PNG keeps every pixel", async () => {
  const image = pattern(37, 21);
  const file = write("a.png", await encodePng(image));
  assert.equal(await decodeImage(file), image);
  assert.equal(await readImageSize(file), { width: 37, height: 21 });
});

test("JPEG stays close", async () => {
  const { width, height, data } = await decodeImage(await encodeJpeg(plain(16, 8, [200, 100, 50]), 95));
  assert.equal([width, height], [16, 8]);
  for (const [i, expected] of [200, 100, 50].entries()) assert.ok(Math.abs(data[i]! - expected) <= 3);
});

test("EXIF rotation is applied, in the size too", async () => {
  const { width, height, channels, data } = pattern(6, 4);
  const bytes = await sharp(data, { raw: { width, height, channels } }).withMetadata({ orientation: 6 }).png().toBuffer();
  const rotated = await decodeImage(bytes);
  assert.equal([rotated.width, rotated.height], [4, 6]);
  assert.equal(await readImageSize(bytes), { width: 4, height: 6 });
  assert.equal([...rotated.data.subarray(0, 3)], [...data.subarray(3 * 6 * 3, 3 * 6 * 3 + 3)]); // top left was bottom left
});

for (const [name, channels, pixel, expected] of [
  ["grey", 1, [77], [77, 77, 77]],
  ["grey with alpha", 2, [77, 255], [77, 77, 77]],
  ["transparent", 4, [255, 0, 0, 0], [114, 114, 114]],
  ["half transparent", 4, [214, 14, 114, 128], [164, 64, 114]],
] as const)
  test(`${name} pixels become RGB`, async () => {
    const data = Uint8Array.from({ length: 15 * channels }, (_, i) => pixel[i % channels] ?? 0);
    const image = await decodeImage(await sharp(data, { raw: { width: 5, height: 3, channels } }).png().toBuffer());
    assert.is(image.data.length, 45);
    for (const [c, value] of expected.entries()) assert.ok(Math.abs(image.data[c]! - value) <= 1, `${image.data.subarray(0, 3).join()}`);
  });

test("16-bit PNG becomes 8-bit", async () => {
  const bytes = await sharp(Uint8Array.of(255, 128, 0), { raw: { width: 1, height: 1, channels: 3 } }).toColourspace("rgb16").png().toBuffer();
  assert.equal([...(await decodeImage(bytes)).data], [255, 128, 0]);
});

test("a truncated JPEG is an error that names the file", async () => {
  const bytes = await encodeJpeg(pattern(200, 200));
  const error = await failure(decodeImage(write("cut.jpg", bytes.subarray(0, bytes.length / 2))));
  assert.is(error.code, "IMAGE_CORRUPT");
  assert.match(error.message, /cut\.jpg/);
});

for (const [name, bytes, code] of [["empty.jpg", new Uint8Array(0), "IMAGE_CORRUPT"], ["text.jpg", new TextEncoder().encode("not a picture"), "IMAGE_FORMAT"]] as const)
  test(`${name} is an error that names the file`, async () => {
    const error = await failure(decodeImage(write(name, bytes)));
    assert.is(error.code, code);
    assert.match(error.message, name);
  });

test("a missing file is an error of its own", async () => assert.is((await failure(decodeImage(path.join(folder, "none.jpg")))).code, "IMAGE_MISSING"));

test("a decompression bomb is refused before its pixels are decoded", async () => {
  const bytes = await sharp({ create: { width: 9000, height: 8000, channels: 3, background: "black" } }).png({ compressionLevel: 9 }).toBuffer();
  const file = write("bomb.png", bytes);
  for (const read of [decodeImage, readImageSize]) {
    const error = await failure(read(file));
    assert.is(error.code, "IMAGE_TOO_LARGE");
    assert.match(error.message, /bomb\.png.*64 million/);
  }
  assert.is((await failure(decodeImage(file, { maxPixels: 1e6, name: "frame 7" }))).message.includes("frame 7"), true);
});

const photos = fileURLToPath(new URL("../../../shared/assets/photos/", import.meta.url));
const real = (name: string, run: () => Promise<void>) => (existsSync(photos) ? test(name, run) : test.skip(name, run));

// sha256(cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB).tobytes()), OpenCV 5.0.0 with libjpeg-turbo 3.1.2
for (const [name, expected] of [
  ["bus.jpg", "e8c11e7a7a688f702248c945bee11e2982f3da93654c143fe45f8380f3630cf0"],
  ["dog.jpg", "bd6a179ed7d1bd7854dca517afb82e4de37b209f675171eb31c29ce3b4de18a6"],
  ["zidane.jpg", "eecf91cfd4101dc21e41c96d22e4ea3ccb2756dd7b7332e4585c7fa36c34a30c"],
] as const)
  real(`${name} decodes to OpenCV's pixels`, async () => {
    const { data } = await decodeImage(path.join(photos, name));
    assert.is(createHash("sha256").update(data).digest("hex"), expected);
  });

test.run();
