import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { decodeImage, readImageHeader } from "../../../vision/image.ts";
import { pattern } from "../../vision/images.ts";
import { mutateBytes } from "../bytes.ts";
import { must, textSeed, type Kind, type Seed } from "../kind.ts";

const { width, height, data } = pattern(23, 17);
const raw = () => sharp(data, { raw: { width, height, channels: 3 } });

/** 24-bit BMP, bottom row first. */
const bmp = (): Uint8Array => {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write("BM");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  bytes.writeUInt32LE(row * height, 34);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < 3 * width; x++) bytes[54 + (height - 1 - y) * row + x] = data[y * 3 * width + x]!;
  return bytes;
};

const encoded: Readonly<Record<string, () => Promise<Uint8Array> | Uint8Array>> = {
  jpeg: () => raw().jpeg().toBuffer(),
  "progressive.jpeg": () => raw().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer(),
  png: () => raw().png().toBuffer(),
  "palette.png": () => raw().png({ palette: true, colours: 16 }).toBuffer(),
  "alpha.png": () => raw().ensureAlpha(0.4).png().toBuffer(),
  webp: () => raw().webp({ lossless: true }).toBuffer(),
  gif: () => raw().gif().toBuffer(),
  tiff: () => raw().tiff({ compression: "lzw" }).toBuffer(),
  "deep.tiff": () => raw().toColourspace("rgb16").tiff({ compression: "none" }).toBuffer(),
  avif: () => raw().avif({ effort: 0 }).toBuffer(),
  bmp,
};

let made: Promise<readonly Seed[]> | undefined;

/** A cut-off picture must not pass as a whole one; header and pixels must agree, and so must a file and its bytes. */
export const pictures: Kind = {
  name: "pictures",
  about: "JPEG, PNG, WebP, GIF, TIFF, AVIF and BMP files, changed as bytes: header, decode from file and from memory",
  share: 200,
  seeds: () =>
    (made ??= Promise.all(Object.entries(encoded).map(async ([name, encode]) => ({ name, bytes: await encode() })))),
  mutate: ({ bytes }, random) => mutateBytes(bytes, random),
  open: async (folder) => {
    const seeds = await pictures.seeds();
    const whole = new Map(
      await Promise.all(
        seeds.map(async ({ name, bytes }) => [name, { bytes, pixels: (await decodeImage(bytes)).data }] as const),
      ),
    );
    return async ({ name, bytes }) => {
      const file = join(folder, `picture.${name.split(".").at(-1)}`);
      await writeFile(file, bytes);
      const limit = { maxPixels: 4_000_000 };
      const header = await readImageHeader(file, limit);
      const image = await decodeImage(file, limit);
      must(
        image.width === header.width && image.height === header.height,
        `the header says ${header.width}x${header.height}, the picture has ${image.width}x${image.height}`,
      );
      must(image.data.length === 3 * image.width * image.height, "the pixels do not fill the picture");
      const again = await decodeImage(bytes, limit);
      must(Buffer.compare(image.data, again.data) === 0, "the file and its bytes have other pixels");
      const { bytes: full, pixels } = whole.get(name)!;
      const isCut = bytes.length < full.length && Buffer.compare(bytes, full.subarray(0, bytes.length)) === 0;
      if (isCut)
        must(Buffer.compare(image.data, pixels) === 0, "a picture that was cut off is taken with other pixels");
    };
  },
};

/** What is no picture that the documentation names. */
export const foreignPictures: readonly Seed[] = [
  textSeed("svg", '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
];
