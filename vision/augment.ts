import { shiftHsv } from "./hsv.ts";
import { clipBox, fit, letterbox8, toNetwork } from "./preprocess.ts";
import { diceFor, type Dice } from "./random.ts";
import type { Sample, SampleSource } from "./samples.ts";
import type { Box, Image8, LabelledBox, Preprocess } from "./types.ts";
import { drawInto, type AxisMap } from "./warp.ts";

export interface AugmentOptions {
  readonly seed: number;
  /** Network size, pad colour, and how pictures are fitted. */
  readonly contract: Preprocess;
  /** Probability of four pictures in one. Default 1. */
  readonly mosaic?: number;
  /** Probability of a mirrored picture. Default 0.5. */
  readonly flip?: number;
  /** Largest turn of the hue, as a part of the circle. Default 0.015. */
  readonly hue?: number;
  /** Saturation is multiplied by 1 ± up to this. Default 0.7. */
  readonly saturation?: number;
  /** Brightness is multiplied by 1 ± up to this. Default 0.4. */
  readonly value?: number;
  /** Size is multiplied by 1 ± up to this. Default 0.5. */
  readonly scale?: number;
  /** Shift by up to this part of the network's size. Default 0.1. */
  readonly translate?: number;
  /** Boxes with a side shorter than this, in network pixels, are dropped. Default 2. */
  readonly minSidePixels?: number;
  /** Boxes of which less than this part of the area is left in the picture are dropped. Default 0.1. */
  readonly minVisibility?: number;
  /** Receives the pixels, W·H·3 bytes; default a new array. */
  readonly into?: Uint8Array;
}

/** A picture at the network's size (8-bit RGB HWC) and its objects in network pixels, inside the picture. */
export interface NetworkSample {
  readonly image: Image8;
  readonly boxes: readonly LabelledBox[];
}

/** Ultralytics' strengths (cfg/default.yaml), without rotation, shear and perspective. */
export const augmentDefaults = {
  mosaic: 1,
  flip: 0.5,
  hue: 0.015,
  saturation: 0.7,
  value: 0.4,
  scale: 0.5,
  translate: 0.1,
  minSidePixels: 2,
  minVisibility: 0.1,
} as const;

type Settings = Record<keyof typeof augmentDefaults, number>;

/**
 * Variant `variant` of picture `index`: mosaic, scale, shift, mirror, HSV jitter. A function of (seed, index, variant), the options
 * and the source alone. A mosaic's other three pictures are drawn from the whole source.
 */
export async function augmentSample(source: SampleSource, index: number, variant: number, options: AugmentOptions): Promise<NetworkSample> {
  const settings: Settings = { ...augmentDefaults, ...definedSettings(options) };
  const dice = diceFor(options.seed, index, variant);
  const isMosaic = dice.chance(settings.mosaic);
  const others = isMosaic ? [dice.index(source.length), dice.index(source.length), dice.index(source.length)] : [];
  const view = throwView(dice, settings, options.contract);
  const centre = [dice.between(0.5, 1.5), dice.between(0.5, 1.5)] as const;
  const shift = { hue: dice.between(-1, 1) * settings.hue, saturation: 1 + dice.between(-1, 1) * settings.saturation, value: 1 + dice.between(-1, 1) * settings.value };
  const samples = await Promise.all([index, ...others].map((i) => source.get(i)));
  const image = blank(options.contract, options.into);
  const boxes = samples.flatMap((sample, tile) => {
    const place = isMosaic ? mosaicPlace(sample, tile, centre, view, options.contract) : singlePlace(sample, view, options.contract);
    drawInto(image, { source: sample.image, x: inverse(place.x), y: inverse(place.y), left: 0, top: 0, right: image.width, bottom: image.height });
    return placeBoxes(sample, place, image, settings);
  });
  if (settings.hue !== 0 || settings.saturation !== 0 || settings.value !== 0) shiftHsv(image.data, shift);
  return { image, boxes };
}

/** The picture without augmentation: letterboxed by the contract, as in evaluation. */
export async function plainSample(source: SampleSource, index: number, contract: Preprocess, into?: Uint8Array): Promise<NetworkSample> {
  const { image, boxes } = await source.get(index);
  const geometry = fit(contract, image.width, image.height);
  return { image: letterbox8(image, contract, into), boxes: boxes.map((label) => withBox(label, toNetwork(label.box, geometry))) };
}

/** target = source * gain + shift along one axis, in pixels. */
interface Linear {
  readonly gain: number;
  readonly shift: number;
}

interface Place {
  readonly x: Linear;
  readonly y: Linear;
}

/** The camera move that all tiles share: the point `pivot` of the canvas goes to the network's centre plus a shift. */
interface View {
  readonly gain: number;
  readonly shiftX: number;
  readonly shiftY: number;
  readonly mirrored: boolean;
}

function throwView(dice: Dice, { scale, translate, flip }: Settings, { size: [W, H] }: Preprocess): View {
  const gain = dice.between(1 - scale, 1 + scale);
  const shiftX = dice.between(-translate, translate) * W;
  const shiftY = dice.between(-translate, translate) * H;
  return { gain, shiftX, shiftY, mirrored: dice.chance(flip) };
}

function singlePlace({ image }: Sample, view: View, contract: Preprocess): Place {
  const [W, H] = contract.size;
  const { scaleX, scaleY, padLeft, padTop } = fit(contract, image.width, image.height);
  return seen({ gain: scaleX, shift: padLeft }, { gain: scaleY, shift: padTop }, [W / 2, H / 2], view, contract);
}

/** On a canvas of 2W x 2H the four pictures meet in `centre` (in units of the network's size), each in its own quarter. */
function mosaicPlace({ image }: Sample, tile: number, centre: readonly [number, number], view: View, contract: Preprocess): Place {
  const [W, H] = contract.size;
  const { scaleX, scaleY, newWidth, newHeight } = fit(contract, image.width, image.height);
  const left = Math.round(centre[0] * W) - (tile % 2 === 0 ? newWidth : 0);
  const top = Math.round(centre[1] * H) - (tile < 2 ? newHeight : 0);
  return seen({ gain: scaleX, shift: left }, { gain: scaleY, shift: top }, [W, H], view, contract);
}

function seen(x: Linear, y: Linear, pivot: readonly [number, number], view: View, { size: [W, H] }: Preprocess): Place {
  const move = ({ gain, shift }: Linear, at: number, size: number, by: number): Linear => ({ gain: gain * view.gain, shift: (shift - at) * view.gain + size / 2 + by });
  const plain = move(x, pivot[0], W, view.shiftX);
  return { x: view.mirrored ? { gain: -plain.gain, shift: W - plain.shift } : plain, y: move(y, pivot[1], H, view.shiftY) };
}

const inverse = ({ gain, shift }: Linear): AxisMap => ({ step: 1 / gain, start: -shift / gain });

function placeBoxes({ image, boxes }: Sample, place: Place, target: Image8, { minSidePixels, minVisibility }: Settings): LabelledBox[] {
  return boxes.flatMap((label) => {
    const whole = placeBox(clipBox(label.box, image.width, image.height), place);
    const box = clipBox(whole, target.width, target.height);
    const isVisible = box[2] * box[3] >= minVisibility * whole[2] * whole[3];
    return isVisible && box[2] >= minSidePixels && box[3] >= minSidePixels ? [withBox(label, box)] : [];
  });
}

function placeBox([x, y, w, h]: Box, place: Place): Box {
  const left = x * place.x.gain + place.x.shift;
  const width = w * place.x.gain;
  return [Math.min(left, left + width), y * place.y.gain + place.y.shift, Math.abs(width), h * place.y.gain];
}

const withBox = ({ classIndex, crowd }: LabelledBox, box: Box): LabelledBox => ({ box, classIndex, ...(crowd ? { crowd } : {}) });

function blank({ size: [width, height], pad }: Preprocess, into: Uint8Array | undefined): Image8 {
  const data = into ?? new Uint8Array(width * height * 3);
  if (data.length !== width * height * 3) throw new Error(`bug: ${data.length} bytes for a ${width}x${height} picture`);
  return { width, height, channels: 3, data: data.fill(pad) };
}

/** The given strengths, without keys that are undefined: those would hide the defaults. */
function definedSettings(options: AugmentOptions): Partial<Settings> {
  const keys = Object.keys(augmentDefaults) as (keyof Settings)[];
  return Object.fromEntries(keys.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])));
}
