import { mkdtemp, rename, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { decodeImage, readImageHeader } from "../../vision/image.ts";

const folder = await mkdtemp(join(tmpdir(), "rewritten-"));

/** 24-bit BMP, rows from the bottom up; sharp writes none. */
const bmp = (red: number, width: number, height: number): Buffer => {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + stride * height);
  bytes.write("BM");
  for (const [at, value] of [[2, bytes.length], [10, 54], [14, 40], [18, width], [22, height]] as const) bytes.writeUInt32LE(value, at);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) bytes.set([200, 20, red], 54 + y * stride + x * 3);
  return bytes;
};

const encoded = (format: "jpeg" | "png" | "webp" | "avif" | "tiff" | "gif", red: number, width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: red, g: 20, b: 200 } } }).toFormat(format).toBuffer();

const formats = ["jpeg", "png", "webp", "avif", "tiff", "gif", "bmp"] as const;
/** How the same path gets another content: into the same file, or another file in its place. */
const ways = {
  "written over": (path: string, bytes: Uint8Array) => writeFile(path, bytes),
  "replaced": async (path: string, bytes: Uint8Array) => { await writeFile(`${path}.new`, bytes); await rename(`${path}.new`, path); },
};

for (const format of formats) {
  for (const [way, change] of Object.entries(ways)) {
    test(`a ${format} picture ${way} under the same path, time and size in bytes decodes to the new pixels`, async () => {
      const make = async (red: number, width: number, height: number): Promise<Buffer> => (format === "bmp" ? bmp(red, width, height) : encoded(format, red, width, height));
      const [before, after] = [await make(250, 32, 24), await make(10, 24, 32)];
      const size = Math.max(before.length, after.length);
      const path = join(folder, `${way}.${format}`.replace(" ", "-"));
      await change(path, Buffer.concat([before], size));
      const { atime, mtime } = await stat(path);
      const read = async () => { const [image, header] = [await decodeImage(path), await readImageHeader(path)]; return [image.width, image.height, header.width, header.height, Math.round(image.data[0]! / 50)]; };
      assert.equal(await read(), [32, 24, 32, 24, 5]);
      await change(path, Buffer.concat([after], size));
      await utimes(path, atime, mtime);
      assert.is((await stat(path)).size, size);
      assert.equal(await read(), [24, 32, 24, 32, 0]);
    });
  }
}

test.run();
