import { plainFile } from "../input/read.ts";

const pngEnd = Buffer.from("0000000049454e44ae426082", "hex");

/** By format: does the file's end (and, for WebP, its declared length) show that nothing is missing? */
const endings: Readonly<Record<string, (end: Buffer, start: Buffer, size: number) => boolean>> = {
  jpeg: (end) => end.at(-2) === 0xff && end.at(-1) === 0xd9,
  png: (end) => end.subarray(-12).equals(pngEnd),
  webp: (_, start, size) => start.readUInt32LE(4) + 8 <= size,
  bmp: () => true, // its header says the file's size, which was checked with it
};

/**
 * The size of a picture's file, and whether its end shows that it is whole. False where only decoding can tell: a picture that breaks
 * off, bytes after the end, and formats that do not end in a known way.
 */
export const fileEnd = (path: string, format: string): Promise<{ bytes: number; whole: boolean }> =>
  plainFile(path, async (file, size) => {
    const check = Object.hasOwn(endings, format) ? endings[format] : undefined;
    if (!check || size < 16) return { bytes: size, whole: false };
    const [start, end] = [Buffer.alloc(12), Buffer.alloc(12)];
    await file.read(end, 0, 12, size - 12);
    if (format === "webp") await file.read(start, 0, 12, 0);
    return { bytes: size, whole: check(end, start, size) };
  });
