import sharp from "sharp";
import { UserError } from "../graph/error.ts";
import { inputLimits } from "../input/limits.ts";
import { readBeginning, readPlainFile, UnreadableFile } from "../input/read.ts";
import { bmpHeaderBytes, bmpSize, decodeBmp } from "./bmp.ts";
import { formatOf, formatWords } from "./image-format.ts";
import type { Image8 } from "./types.ts";

sharp.cache(false); // it keeps what it made of a path, and does not see that another picture lies there

/** Decoded size beyond which a picture is refused, before its pixels are touched: a few bytes can claim gigapixels. */
export const defaultMaxPixels = 64_000_000;

/** Longest time for one picture: a file of a few kilobytes can ask for hours. */
export const longestDecodeSeconds = 120;

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
 * alpha blended onto grey 114, colour profiles ignored (as training pipelines do). The content decides, not the file's name;
 * other formats are refused. A picture that is damaged inside is refused too, though a decoder could make up the rest.
 * @throws UserError IMAGE_MISSING, IMAGE_FORMAT, IMAGE_TOO_LARGE, IMAGE_TOO_SLOW, IMAGE_CORRUPT, naming the file.
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<Image8> {
  return named(source, options, async () => {
    const bytes = typeof source === "string" ? await readPlainFile(source, inputLimits.pictureBytes) : source;
    if (checkedFormat(bytes, nameOf(source, options)) !== "bmp") return decodeWhole(bytes, options);
    refuseLarge(bmpSize(bytes), options);
    return decodeBmp(bytes, matte);
  });
}

/** What libjpeg and libpng remark on and still read every pixel. Any other warning is damage: pixels were made up. */
const harmless = /extraneous bytes before marker|invalid SOS parameters|iCCP|sRGB|gAMA|cHRM|eXIf|Exif|tEXt|iTXt|zTXt|tIME|pHYs|ICC profile|unknown (tag|field)|inconsistent progression/i;

const decodeWhole = async (bytes: Uint8Array, options: DecodeOptions): Promise<Image8> => {
  try {
    return await decodeWith(bytes, options, "warning");
  } catch (cause) {
    if (!(cause instanceof Error) || !harmless.test(cause.message)) throw cause;
    return decodeWith(bytes, options, "error");
  }
};

const decodeWith = async (bytes: Uint8Array, options: DecodeOptions, failOn: "warning" | "error"): Promise<Image8> => {
  const picture = open(bytes, options, failOn).timeout({ seconds: longestDecodeSeconds }).autoOrient().flatten({ background: { r: matte, g: matte, b: matte } });
  const { data, info } = await picture.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { width: info.width, height: info.height, channels: 3, data: toThreeChannels(pixels, info.channels) };
};

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
  return named<ImageHeader>(source, options, async () => {
    const { bytes, sizeBytes } = await beginning(source, bmpHeaderBytes);
    if (checkedFormat(bytes, nameOf(source, options)) === "bmp") {
      const bmp = bmpSize(bytes, sizeBytes);
      refuseLarge(bmp, options);
      return { ...bmp, format: "bmp" };
    }
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

const nameOf = (source: string | Uint8Array, { name }: DecodeOptions): string => name ?? (typeof source === "string" ? source : `image of ${source.length} bytes`);

/** The format by the content. Throws UserError IMAGE_FORMAT for those that are not read. */
const checkedFormat = (bytes: Uint8Array, name: string): string => {
  if (bytes.length === 0) throw new Error("it is empty");
  const { format, word } = formatOf(bytes);
  if (format === undefined) throw imageFormat(name, word);
  return format;
};

const beginning = async (source: string | Uint8Array, count: number): Promise<{ bytes: Uint8Array; sizeBytes: number }> =>
  typeof source === "string" ? readBeginning(source, count) : { bytes: source, sizeBytes: source.length };

/** PNG bytes; decoding them gives the same pixels. */
export function encodePng(image: Image8): Promise<Buffer> {
  return fromPixels(image).png().toBuffer();
}

/** JPEG bytes; `quality` 1..100. */
export function encodeJpeg(image: Image8, quality = 90): Promise<Buffer> {
  return fromPixels(image).jpeg({ quality, chromaSubsampling: "4:4:4" }).toBuffer();
}

const fromPixels = ({ width, height, channels, data }: Image8) => sharp(data, { raw: { width, height, channels } });

const open = (source: string | Uint8Array, options: DecodeOptions, failOn: "warning" | "error" = "error") =>
  sharp(source, { failOn, ignoreIcc: true, limitInputPixels: options.maxPixels ?? defaultMaxPixels });

function toThreeChannels(pixels: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return pixels;
  const rgb = new Uint8Array((pixels.length / channels) * 3);
  for (let from = 0, to = 0; from < pixels.length; from += channels, to += 3)
    for (let c = 0; c < 3; c++) rgb[to + c] = pixels[channels < 3 ? from : from + c]!;
  return rgb;
}

async function named<T>(source: string | Uint8Array, options: DecodeOptions, read: () => Promise<T>): Promise<T> {
  const name = nameOf(source, options);
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (cause instanceof UnreadableFile) throw imageMissing(name, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/^timeout/i.test(reason)) throw imageTooSlow(name, cause);
    throw /pixel limit/i.test(reason) ? imageTooLarge(name, options.maxPixels ?? defaultMaxPixels, cause) : imageCorrupt(name, reason, cause);
  }
}

const imageMissing = (name: string, cause: UnreadableFile) =>
  new UserError("IMAGE_MISSING", `Cannot read image "${name}": ${cause.message}.`, "check the path and the dataset's image folder.", { cause });

const imageFormat = (name: string, word: string) =>
  new UserError("IMAGE_FORMAT", `Image "${name}" is ${word}: that is not read.`, `convert it; read are ${formatWords}, told by their content, whatever the file is called.`);

const imageTooSlow = (name: string, cause: unknown) =>
  new UserError("IMAGE_TOO_SLOW", `Image "${name}" took more than ${longestDecodeSeconds} s to decode.`, "replace or remove the file; datasets can skip it with skipInvalid.", { cause });

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
