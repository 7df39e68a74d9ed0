import { access, constants, open as openFile, readFile } from "node:fs/promises";
import sharp from "sharp";
import { UserError } from "../graph/error.ts";
import { bmpHeaderBytes, bmpSize, decodeBmp, isBmp } from "./bmp.ts";
import type { Image8 } from "./types.ts";

sharp.cache(false); // it keeps what it made of a path, and does not see that another picture lies there

/** Decoded size beyond which a picture is refused, before its pixels are touched: a few bytes can claim gigapixels. */
export const defaultMaxPixels = 64_000_000;

/** Transparent pixels are blended onto this grey: the usual letterbox pad, so a cut-out looks like padding, not like a black object. */
const matte = 114;

export interface DecodeOptions {
  /** Refuses pictures with more pixels than this (width x height). Default 64 million. */
  readonly maxPixels?: number;
  /** What errors call the picture; default its path. */
  readonly name?: string;
}

/**
 * Decodes a picture (JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF: first frame) to 8-bit RGB: EXIF rotation applied, grey widened to RGB,
 * alpha blended onto grey 114, colour profiles ignored (as training pipelines do). The content decides, not the file's name.
 * @throws UserError IMAGE_MISSING, IMAGE_TOO_LARGE, IMAGE_CORRUPT, naming the file.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<Image8> {
  if (typeof source === "string") return decodeImage(await named(source, options, () => readFile(source)), { ...options, name: options.name ?? source });
  return readAs(source, options, () => {
    refuseLarge(bmpSize(source), options);
    return Promise.resolve(decodeBmp(source, matte));
  }, async () => {
    const picture = open(source, options).autoOrient().flatten({ background: { r: matte, g: matte, b: matte } });
    const { data, info } = await picture.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { width: info.width, height: info.height, channels: 3, data: toThreeChannels(pixels, info.channels) };
  });
}

export interface ImageHeader {
  /** Pixels after EXIF rotation. */
  readonly width: number;
  readonly height: number;
  /** Pixels as they lie in the file, where the EXIF rotation exchanges width and height. */
  readonly turnedFrom?: { readonly width: number; readonly height: number };
  /** jpeg, png, webp, heif (AVIF), tiff, gif, bmp. */
  readonly format: string;
  /** Pictures in the file, of which the first is decoded; absent where it is one. */
  readonly frames?: number;
}

/** Size and format from the header alone. Errors as `decodeImage`; damage further in goes unseen. */
export async function readImageHeader(source: string | Uint8Array, options: DecodeOptions = {}): Promise<ImageHeader> {
  return readAs<ImageHeader>(source, options, async () => {
    const { bytes, size } = await beginning(source, bmpHeaderBytes);
    const bmp = bmpSize(bytes, size);
    refuseLarge(bmp, options);
    return { ...bmp, format: "bmp" };
  }, async () => {
    const { autoOrient, width, height, format, pages = 1 } = await open(source, options).metadata();
    refuseLarge({ width, height }, options);
    const turned = autoOrient.width !== width || autoOrient.height !== height;
    return { width: autoOrient.width, height: autoOrient.height, format, ...(turned && { turnedFrom: { width, height } }), ...(pages > 1 && { frames: pages }) };
  });
}

/** Width and height in pixels after EXIF rotation. As `readImageHeader`. */
export async function readImageSize(source: string | Uint8Array, options: DecodeOptions = {}): Promise<{ width: number; height: number }> {
  const { width, height } = await readImageHeader(source, options);
  return { width, height };
}

const refuseLarge = ({ width, height }: { width: number; height: number }, { maxPixels = defaultMaxPixels }: DecodeOptions): void => {
  if (width * height > maxPixels) throw new Error(`${width}x${height} exceeds pixel limit`);
};

/** sharp reads no BMP: a file that is named so, or that sharp does not know, is looked at first. */
function readAs<T>(source: string | Uint8Array, options: DecodeOptions, readBmp: () => Promise<T>, read: () => Promise<T>): Promise<T> {
  const holdsBmp = async () => isBmp((await beginning(source, 2)).bytes);
  return named(source, options, async () => {
    if ((typeof source !== "string" || /\.(bmp|dib)$/i.test(source)) && (await holdsBmp())) return readBmp();
    try {
      return await read();
    } catch (cause) {
      if (await holdsBmp().catch(() => false)) return readBmp();
      throw cause;
    }
  });
}

async function beginning(source: string | Uint8Array, count: number): Promise<{ bytes: Uint8Array; size: number }> {
  if (typeof source !== "string") return { bytes: source, size: source.length };
  const file = await openFile(source);
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(count), 0, count, 0);
    return { bytes: buffer.subarray(0, bytesRead), size: (await file.stat()).size };
  } finally {
    await file.close();
  }
}

/** PNG bytes; decoding them gives the same pixels. */
export function encodePng(image: Image8): Promise<Buffer> {
  return fromPixels(image).png().toBuffer();
}

/** JPEG bytes; `quality` 1..100. */
export function encodeJpeg(image: Image8, quality = 90): Promise<Buffer> {
  return fromPixels(image).jpeg({ quality, chromaSubsampling: "4:4:4" }).toBuffer();
}

const fromPixels = ({ width, height, channels, data }: Image8) => sharp(data, { raw: { width, height, channels } });

const open = (source: string | Uint8Array, options: DecodeOptions) =>
  sharp(source, { failOn: "error", ignoreIcc: true, limitInputPixels: options.maxPixels ?? defaultMaxPixels });

function toThreeChannels(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return pixels;
  const rgb = new Uint8Array((pixels.length / channels) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 3)
    for (let c = 0; c < 3; c++) rgb[to + c] = pixels[channels < 3 ? from : from + c]!;
  return rgb;
}

async function named<T>(source: string | Uint8Array, options: DecodeOptions, read: () => Promise<T>): Promise<T> {
  const name = options.name ?? (typeof source === "string" ? source : `image of ${source.length} bytes`);
  try {
    return await read();
  } catch (cause) {
    if (typeof source === "string") await access(source, constants.R_OK).catch((missing: unknown) => Promise.reject(imageMissing(name, missing)));
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw /pixel limit/i.test(reason) ? imageTooLarge(name, options.maxPixels ?? defaultMaxPixels, cause) : imageCorrupt(name, reason, cause);
  }
}

const imageMissing = (name: string, cause: unknown) =>
  new UserError("IMAGE_MISSING", `Cannot read image "${name}": no such file, or no permission.`, "check the path and the dataset's image folder.", { cause });

const imageTooLarge = (name: string, limit: number, cause: unknown) =>
  new UserError(
    "IMAGE_TOO_LARGE",
    `Image "${name}" has more than ${limit / 1e6} million pixels.`,
    "shrink the picture, remove it from the data, or raise the pixel limit (maxPixels).",
    { cause },
  );

const imageCorrupt = (name: string, reason: string, cause: unknown) =>
  new UserError(
    "IMAGE_CORRUPT",
    `Cannot decode image "${name}": ${reason.split("\n")[0]?.trim() ?? reason}.`,
    "replace or remove the file; datasets can skip it with skipInvalid.",
    { cause },
  );
