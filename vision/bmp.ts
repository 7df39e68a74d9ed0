import type { Image8 } from "./types.ts";

/** What a BMP header says. Rows are padded to four bytes. */
interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  /** Where the pixels begin. */
  readonly offset: number;
  /** Bytes of a row. */
  readonly stride: number;
  /** Blue, green, red, reserved: four (or three) bytes a colour. */
  readonly palette: Uint8Array;
  readonly paletteStep: 3 | 4;
  /** Red, green, blue and alpha bits of a pixel of 16 or 32 bits; 0 where there is none. */
  readonly masks: readonly [red: number, green: number, blue: number, alpha: number];
}

const compressions = ["none", "RLE8", "RLE4", "bit fields", "JPEG", "PNG", "bit fields with alpha"] as const;

export const isBmp = (bytes: Uint8Array): boolean => bytes[0] === 0x42 && bytes[1] === 0x4d;

/** Width and height; throws an Error that says why the file is not read. `fileSize` is given where `bytes` are its beginning alone. */
export const bmpSize = (bytes: Uint8Array, fileSize = bytes.length): { width: number; height: number } => {
  const { width, height, offset, stride } = readHeader(bytes);
  if (offset + stride * height > fileSize) throw new Error(`the BMP breaks off: ${fileSize} bytes of ${offset + stride * height}`);
  return { width, height };
};

/** Enough of a file's beginning for `bmpSize`: the headers, masks included. */
export const bmpHeaderBytes = 14 + 124 + 16;

/**
 * Decodes an uncompressed BMP of 1, 4 or 8 bits with palette, 16, 24 or 32 bits, bottom-up or top-down, as 8-bit RGB. `matte` is the grey
 * that alpha is blended onto; a file of 32 bits without alpha mask is opaque. Throws an Error for run-length coding and other forms.
 */
export const decodeBmp = (bytes: Uint8Array, matte: number): Image8 => {
  bmpSize(bytes);
  const header = readHeader(bytes);
  const { width, height, topDown, bits, offset, stride } = header;
  const pixel = bits <= 8 ? palettePixel(bytes, header) : bits === 24 ? truePixel(bytes) : maskedPixel(bytes, header, matte);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    const row = offset + (topDown ? y : height - 1 - y) * stride;
    for (let x = 0; x < width; x++, to += 3) pixel(row, x, data, to);
  }
  return { width, height, channels: 3, data };
};

type PixelReader = (row: number, x: number, data: Uint8Array, to: number) => void;

const readHeader = (bytes: Uint8Array): BmpHeader => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isBmp(bytes) || bytes.length < 26) throw new Error("not a BMP");
  const offset = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  if (size === 12) return checked({ ...coreHeader(view), offset, palette: bytes.subarray(26, offset), paletteStep: 3, masks: [0, 0, 0, 0] });
  if (size < 40 || bytes.length < 14 + 40) throw new Error(`a BMP with a header of ${size} bytes is not read`);
  const [width, signedHeight, bits, compression] = [view.getInt32(18, true), view.getInt32(22, true), view.getUint16(28, true), view.getUint32(30, true)];
  if (compression !== 0 && compression !== 3 && compression !== 6) throw new Error(`a BMP with ${compressions[compression] ?? compression} compression is not read`);
  const palette = bytes.subarray(14 + size, offset);
  const masks = compression === 0 ? plainMasks(bits) : fieldMasks(view, size, compression);
  return checked({ width, height: Math.abs(signedHeight), topDown: signedHeight < 0, bits, offset, palette, paletteStep: 4, masks });
};

const coreHeader = (view: DataView) => ({ width: view.getUint16(18, true), height: view.getUint16(20, true), topDown: false, bits: view.getUint16(24, true) });

const checked = (header: Omit<BmpHeader, "stride">): BmpHeader => {
  const { width, height, bits } = header;
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`a BMP of ${bits} bits a pixel is not read`);
  if (width <= 0 || height <= 0) throw new Error(`the BMP says ${width}x${height} pixels`);
  return { ...header, stride: Math.ceil((width * bits) / 32) * 4 };
};

const plainMasks = (bits: number): BmpHeader["masks"] => (bits === 16 ? [0x7c00, 0x3e0, 0x1f, 0] : [0xff0000, 0xff00, 0xff, 0]);

/** Masks follow a header of 40 bytes and are part of longer ones. */
const fieldMasks = (view: DataView, size: number, compression: number): BmpHeader["masks"] => {
  const hasAlpha = size >= 56 || compression === 6;
  if (view.byteLength < 54 + (hasAlpha ? 16 : 12)) throw new Error("the BMP breaks off in its header");
  return [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true), hasAlpha ? view.getUint32(66, true) : 0];
};

const palettePixel = (bytes: Uint8Array, { bits, palette, paletteStep }: BmpHeader): PixelReader => (row, x, data, to) => {
  const at = x * bits;
  const shift = 8 - bits - (at % 8);
  const colour = ((bytes[row + Math.floor(at / 8)]! >> shift) & ((1 << bits) - 1)) * paletteStep;
  if (colour + 3 > palette.length) throw new Error(`the BMP uses colour ${colour / paletteStep}, which its palette lacks`);
  for (let c = 0; c < 3; c++) data[to + c] = palette[colour + 2 - c]!;
};

const truePixel = (bytes: Uint8Array): PixelReader => (row, x, data, to) => {
  for (let c = 0; c < 3; c++) data[to + c] = bytes[row + 3 * x + 2 - c]!;
};

const maskedPixel = (bytes: Uint8Array, { bits, masks }: BmpHeader, matte: number): PixelReader => {
  const channels = masks.map(channelReader);
  const width = bits / 8;
  return (row, x, data, to) => {
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[row + width * x + i]!;
    const alpha = masks[3] === 0 ? 255 : channels[3]!(value);
    for (let c = 0; c < 3; c++) data[to + c] = Math.round((channels[c]!(value) * alpha + matte * (255 - alpha)) / 255);
  };
};

/** The bits of a mask, scaled to 0..255. */
const channelReader = (mask: number): ((value: number) => number) => {
  if (mask === 0) return () => 0;
  const shift = Math.log2((mask & -mask) >>> 0);
  const most = mask / 2 ** shift;
  return (value) => Math.round((255 * (Math.floor(value / 2 ** shift) % (most + 1))) / most);
};
