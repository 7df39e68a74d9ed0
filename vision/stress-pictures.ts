import sharp from "sharp";
import { diceFor } from "./random.ts";

/** An encoded picture that is hard on a preprocessing. */
export interface StressPicture {
  readonly name: string;
  /** File name extension of its format. */
  readonly extension: "png" | "jpg";
  readonly bytes: Uint8Array;
  /** What it stresses. */
  readonly purpose: string;
}

interface Plan {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly purpose: string;
  /** EXIF orientation (1..8); the picture is a JPEG then. */
  readonly orientation?: number;
}

const plans = (width: number, height: number): readonly Plan[] => [
  { name: "native", width, height, channels: 3, purpose: "the network's own size: no resampling" },
  { name: "odd", width: width + 11, height: Math.round(height * 0.8) | 1, channels: 3, purpose: "odd sides, bars above and below" },
  { name: "portrait", width: Math.round(height * 0.6) | 1, height: Math.round(width * 1.1), channels: 3, purpose: "higher than wide: bars left and right" },
  { name: "exif", width: Math.round(height * 0.9), height: Math.round(width * 0.7), channels: 3, orientation: 6, purpose: "EXIF orientation 6: turned before anything else" },
  { name: "grey", width: 150, height: 101, channels: 1, purpose: "one channel: widened to three; enlarged" },
  { name: "alpha", width: 173, height: 120, channels: 4, purpose: "transparency: blended onto grey 114" },
  { name: "pixel", width: 1, height: 1, channels: 3, purpose: "a single pixel" },
  { name: "sliver", width: 3, height: 97, channels: 3, purpose: "almost no width: one column of the input or few" },
  { name: "double", width: 2 * width, height: 2 * height, channels: 3, purpose: "exactly twice the input: the mean of four pixels" },
  { name: "large", width: Math.round(width * 2.3) | 1, height: Math.round(height * 2.1) | 1, channels: 3, purpose: "larger than the input: shrunk without antialiasing" },
];

/** Pictures that stress a preprocess contract of the given network size [width, height]. The same seed gives the same pixels. */
export const stressPictures = (size: readonly [number, number], seed: number): Promise<StressPicture[]> =>
  Promise.all(plans(...size).map(async (plan, index) => ({
    name: plan.name, purpose: plan.purpose, extension: plan.orientation === undefined ? "png" as const : "jpg" as const, bytes: await encode(plan, paint(plan, seed, index)),
  })));

const encode = async ({ width, height, channels, orientation }: Plan, data: Uint8Array): Promise<Uint8Array> => {
  const picture = sharp(data, { raw: { width, height, channels } });
  if (orientation === undefined) return picture.toColourspace(channels === 1 ? "b-w" : "srgb").png({ compressionLevel: 9 }).toBuffer();
  return picture.withMetadata({ orientation }).jpeg({ quality: 92, chromaSubsampling: "4:4:4" }).toBuffer();
};

/** A street-like picture: bright above, dark below, boxes of all sizes, fine stripes where resampling errs most. */
const paint = ({ width, height, channels }: Plan, seed: number, index: number): Uint8Array => {
  const dice = diceFor(seed, index, 0x60_1d);
  const data = new Uint8Array(width * height * channels);
  const put = (x: number, y: number, colour: readonly number[]): void => {
    for (let c = 0; c < channels; c++) data[(y * width + x) * channels + c] = colour[c]!;
  };
  const horizon = height * dice.between(0.35, 0.5);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) put(x, y, y < horizon ? [190 - (40 * y) / height, 205, 225, 255] : [92 + ((x * 7 + y * 3) % 9), 90, 88, 200]);
  const boxes = Math.min(24, Math.floor((width * height) / 300));
  for (let box = 0; box < boxes; box++) {
    const [w, h] = [Math.max(1, Math.floor(width * dice.between(0.02, 0.3))), Math.max(1, Math.floor(height * dice.between(0.03, 0.35)))];
    const [left, top] = [dice.index(width - w + 1), dice.index(height - h + 1)];
    const colour = [dice.index(256), dice.index(256), dice.index(256), 40 + dice.index(216)];
    const striped = dice.chance(0.25);
    for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) put(x, y, striped && (x + y) % 2 === 0 ? [255, 255, 255, 255] : y > top + 0.7 * h ? [25, 25, 28, 255] : colour);
  }
  return data;
};
