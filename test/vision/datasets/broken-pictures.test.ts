import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, openDataset } from "../../../vision/index.ts";
import { pattern } from "../images.ts";
import { failure, withDataset } from "./folder.ts";

const picture = pattern(90, 70);
const pixels = () => sharp(picture.data, { raw: { width: 90, height: 70, channels: 3 } });
const encoders = {
  "a.jpg": () => pixels().jpeg(), "progressive.JPEG": () => pixels().jpeg({ progressive: true }), "a.png": () => pixels().png(), "grey.png": () => pixels().greyscale().png(), "a.webp": () => pixels().webp(),
  "lossless.webp": () => pixels().webp({ lossless: true }), "a.tif": () => pixels().tiff({ compression: "lzw" }), "plain.tiff": () => pixels().tiff({ compression: "none" }), "a.gif": () => pixels().gif(), "a.avif": () => pixels().avif(),
} as const;

for (const [name, encode] of Object.entries(encoders))
  test(`${name} is read whole; where it breaks off, opening finds what decoding would find`, () => withDataset({}, async (root) => {
    const bytes = await encode().toBuffer();
    const parts = [1, 0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.96, 0.99, 1 - 1 / bytes.length];
    let found = 0;
    for (const [index, part] of parts.entries()) {
      const folder = path.join(root, `${index}`); // the decoder remembers files by name
      mkdirSync(folder);
      writeFileSync(path.join(folder, name), bytes.subarray(0, Math.floor(bytes.length * part)));
      const opens = await openDataset(folder).then(() => true, () => false);
      const decodes = await decodeImage(path.join(folder, name)).then(() => true, () => false);
      assert.is(opens, decodes, `cut to ${part}`);
      assert.ok(decodes || part < 1);
      if (!decodes) found++;
    }
    assert.ok(found >= 7, `${found} cuts break it`);
  }));

test("skipInvalid leaves out pictures that break off, are empty or no pictures, and counts them", () => withDataset({ "images/good.png": [8, 8], "images/empty.jpg": "", "images/text.png": "no picture", "images/cut.jpg": "" }, async (root) => {
  const jpeg = await pixels().jpeg().toBuffer();
  writeFileSync(path.join(root, "images/cut.jpg"), jpeg.subarray(0, jpeg.length / 2));
  const error = await failure(openDataset(path.join(root, "images")));
  for (const name of ["empty.jpg", "text.png", "cut.jpg"]) assert.match(error.message, name);
  const { items, problems, notes } = await openDataset(path.join(root, "images"), { skipInvalid: true });
  assert.equal([items.map(({ id }) => id), problems.length], [["good.png"], 3]);
  assert.match(notes.join("\n"), /left out as broken: 3 problems[^]*cut\.jpg[^]*empty\.jpg/);
}));

test("bytes after a JPEG's end do no harm", () => withDataset({}, async (root) => {
  writeFileSync(path.join(root, "a.jpg"), Buffer.concat([await pixels().jpeg().toBuffer(), Buffer.alloc(40)]));
  assert.is((await openDataset(root)).items.length, 1);
}));

test("verify: full also finds damage inside", () => withDataset({}, async (root) => {
  const bytes = await pixels().png().toBuffer();
  bytes[bytes.length >> 1]! ^= 255;
  writeFileSync(path.join(root, "a.png"), bytes);
  assert.is((await openDataset(root)).items.length, 1);
  assert.match((await failure(openDataset(root, { verify: "full" }))).message, /a\.png/);
}));

test("CMYK, 16 bits, alpha, animation and other names for JPEG are read", () => withDataset({}, async (root) => {
  const frames = sharp(Buffer.concat([picture.data, picture.data.toReversed()]), { raw: { width: 90, height: 140, channels: 3, pageHeight: 70 } });
  const files = {
    "cmyk.jpg": pixels().toColourspace("cmyk").jpeg(), "deep.png": pixels().toColourspace("rgb16").png(), "alpha.png": pixels().ensureAlpha(0.5).png(), "frames.gif": frames.gif(), "frames.webp": frames.clone().webp({ lossless: true }),
    "a.jfif": pixels().jpeg(), "a.JPE": pixels().jpeg(), "png-inside.jpg": pixels().png(),
  };
  for (const [name, image] of Object.entries(files)) writeFileSync(path.join(root, name), await image.toBuffer());
  const { items, notes } = await openDataset(root, { verify: "full" });
  assert.match(notes.join("\n"), /2 files \(frames\.gif, frames\.webp\) with several frames or pages: the first is used/);
  assert.equal(items.map(({ id, width, height }) => [id, width, height]), Object.keys(files).sort().map((id) => [id, 90, 70]));
  const deep = await decodeImage(path.join(root, "deep.png"));
  assert.ok(deep.data.every((value, i) => Math.abs(value - picture.data[i]!) <= 1));
}));

test("an EXIF rotation that the labels do not know is said so", () => withDataset({}, async (root) => {
  writeFileSync(path.join(root, "a.jpg"), await pixels().withMetadata({ orientation: 6 }).jpeg().toBuffer());
  const json = (width: number, height: number) => JSON.stringify({ images: [{ id: 1, file_name: "a.jpg", width, height }], categories: [{ id: 1, name: "x" }], annotations: [] });
  writeFileSync(path.join(root, "val.json"), json(90, 70));
  assert.match((await failure(openDataset(path.join(root, "val.json")))).message, /90x70, this one is 70x90 after the rotation that its EXIF/);
  writeFileSync(path.join(root, "val.json"), json(70, 90));
  assert.is((await openDataset(path.join(root, "val.json"))).items[0]?.width, 70);
  writeFileSync(path.join(root, "val.json"), json(0, 0));
  assert.is((await openDataset(path.join(root, "val.json"))).items.length, 1);
}));

test("pictures of formats that are not read are counted by name", () => withDataset({ "a.png": [8, 8], "b.heic": "x", "c.PPM": "x" }, async (root) => {
  assert.match((await openDataset(root)).notes.join("\n"), /2 pictures \(b\.heic, c\.PPM\): not read/);
}));

test.run();
