/** The formats that are read, as docs/data.md names them. */
export const formatWords = "JPEG, PNG, WebP, AVIF, TIFF, GIF and BMP";

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
const starts = (bytes: Uint8Array, ...wanted: readonly number[]): boolean => wanted.every((byte, at) => bytes[at] === byte);

/** Brands of an ISO media file (`ftyp`): the major one, then those that it is compatible with. */
const brandsOf = (bytes: Uint8Array): string[] => {
  const end = Math.min(bytes.length, ((bytes[2] ?? 0) << 8) + (bytes[3] ?? 0));
  const brands = [ascii(bytes, 8, 12)];
  for (let at = 16; at + 4 <= end; at += 4) brands.push(ascii(bytes, at, at + 4));
  return brands;
};

const isMedia = (bytes: Uint8Array): boolean => ascii(bytes, 4, 8) === "ftyp";
const isAvif = (bytes: Uint8Array): boolean => isMedia(bytes) && brandsOf(bytes).some((brand) => brand === "avif" || brand === "avis");

/** By their first bytes, in sharp's words. */
const read: readonly (readonly [format: string, is: (bytes: Uint8Array) => boolean])[] = [
  ["jpeg", (bytes) => starts(bytes, 0xff, 0xd8, 0xff)],
  ["png", (bytes) => starts(bytes, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ["webp", (bytes) => ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP"],
  ["heif", isAvif],
  ["tiff", (bytes) => ["II*\0", "MM\0*", "II+\0", "MM\0+"].includes(ascii(bytes, 0, 4))],
  ["gif", (bytes) => /^GIF8[79]a/.test(ascii(bytes, 0, 6))],
  ["bmp", (bytes) => ascii(bytes, 0, 2) === "BM"],
];

/** Formats that are refused, in words; the first that fits. */
const refused: readonly (readonly [word: string, is: (bytes: Uint8Array) => boolean])[] = [
  ["HEIC or HEIF", (bytes) => isMedia(bytes) && brandsOf(bytes).some((brand) => /^(hei|hev|mif1|msf1)/.test(brand))],
  ["a video", isMedia],
  ["PDF", (bytes) => ascii(bytes, 0, 5) === "%PDF-"],
  ["JPEG 2000", (bytes) => starts(bytes, 0xff, 0x4f, 0xff, 0x51) || ascii(bytes, 4, 8) === "jP  "],
  ["JPEG XL", (bytes) => starts(bytes, 0xff, 0x0a) || ascii(bytes, 4, 8) === "JXL "],
  ["PBM, PGM or PPM", (bytes) => /^P[1-7Ff]\s/.test(ascii(bytes, 0, 3))],
  ["Photoshop", (bytes) => ascii(bytes, 0, 4) === "8BPS"],
  ["OpenEXR", (bytes) => starts(bytes, 0x76, 0x2f, 0x31, 0x01)],
  ["a compressed archive", (bytes) => starts(bytes, 0x1f, 0x8b) || ascii(bytes, 0, 2) === "PK"],
  ["SVG or other XML or HTML", (bytes) => /^(\xef\xbb\xbf)?\s*<[?!a-z]/i.test(ascii(bytes, 0, 64))],
];

/** A picture's format by its first bytes (64 are enough); undefined, and what it is instead, for all that are not read. */
export const formatOf = (bytes: Uint8Array): { readonly format?: string; readonly word: string } => {
  const format = read.find(([, is]) => is(bytes))?.[0];
  return format === undefined ? { word: refused.find(([, is]) => is(bytes))?.[0] ?? "of an unknown format" } : { format, word: format };
};
