import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, readImageHeader } from "../../vision/image.ts";
import { inFolder } from "../helpers/cli.ts";
import { refusal } from "../helpers/refusal.ts";

const cases = JSON.parse(readFileSync(new URL("../fixtures/bmp/bmp.json", import.meta.url), "utf8")) as { name: string; bmp: string; rgb: number[] }[];
const bytesOf = (name: string): Buffer => Buffer.from(cases.find((one) => one.name === name)!.bmp, "base64");

for (const { name, bmp, rgb } of cases)
  test(`BMP, ${name}: size and pixels`, async () => {
    const bytes = Buffer.from(bmp, "base64");
    assert.equal(await readImageHeader(bytes), { width: 7, height: 3, format: "bmp" });
    assert.equal([...(await decodeImage(bytes)).data], rgb);
  });

test("a BMP is read from a file, whatever its name", () => inFolder(async (folder) => {
  for (const file of ["a.bmp", "a.BMP", "a.jpg", "picture"]) {
    writeFileSync(join(folder, file), bytesOf("24 bits bottom-up"));
    assert.equal(await readImageHeader(join(folder, file)), { width: 7, height: 3, format: "bmp" }, file);
    assert.is((await decodeImage(join(folder, file))).width, 7, file);
  }
}));

const changed = (name: string, at: number, value: number): Buffer => {
  const bytes = bytesOf(name);
  bytes.writeInt32LE(value, at);
  return bytes;
};

for (const [what, bytes, expected] of [
  ["run lengths", changed("8 bits with palette", 30, 1), /RLE8/],
  ["a JPEG inside", changed("24 bits bottom-up", 30, 4), /JPEG/],
  ["2 bits", changed("8 bits with palette", 26, 1 | (2 << 16)), /2 bits/],
  ["no width", changed("24 bits bottom-up", 18, 0), /0x3/],
  ["a colour beyond the palette", changed("8 bits with a palette of 200", 14 + 40 + 800, -1), /colour 255/],
  ["an unknown header", changed("24 bits bottom-up", 14, 20), /header of 20/],
] as const)
  test(`a BMP with ${what} is refused by name`, async () => {
    const error = await refusal(decodeImage(bytes, { name: "x.bmp" }));
    assert.is(error.code, "IMAGE_CORRUPT");
    assert.match(error.message, expected);
    assert.match(error.message, "x.bmp");
  });

test("a BMP that claims gigapixels is refused before its pixels are touched", async () => {
  const bytes = changed("24 bits bottom-up", 18, 100_000);
  bytes.writeInt32LE(100_000, 22);
  assert.match((await refusal(decodeImage(bytes))).message, /breaks off/);
  assert.is((await refusal(decodeImage(bytesOf("24 bits bottom-up"), { maxPixels: 20 }))).code, "IMAGE_TOO_LARGE");
});

test("every BMP that breaks off is refused", async () => {
  const bytes = bytesOf("24 bits bottom-up");
  for (let length = 2; length < bytes.length; length++) {
    assert.ok(["IMAGE_CORRUPT"].includes((await refusal(decodeImage(bytes.subarray(0, length)))).code), `${length}`);
    await refusal(readImageHeader(bytes.subarray(0, length)));
  }
});

test.run();
