import { z } from "zod";
import { UserError } from "../graph/error.ts";
import { parseJson } from "../input/json.ts";
import { checkSchema } from "../input/schema.ts";
import { resizeInto, roundHalfEven } from "./resize.ts";
import type { Box, Image8, Preprocess } from "./types.ts";

const positiveInteger = z.number().int().positive();
const triple = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** The preprocess contract as a schema; unknown keys are refused. */
export const preprocessSchema: z.ZodType<Preprocess> = z
  .strictObject({
    size: z.tuple([positiveInteger, positiveInteger]).readonly(),
    resize: z.enum(["letterbox", "stretch"]),
    align: z.enum(["center", "topleft"]),
    pad: z.number().int().min(0).max(255),
    order: z.enum(["rgb", "bgr"]),
    scale: z.number().positive(),
    mean: triple,
    std: triple.refine((std) => std.every((s) => s > 0), "must be positive"),
  })
  .readonly();

const unit = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
const ultralytics = { resize: "letterbox", align: "center", pad: 114, order: "rgb", scale: 1 / 255, ...unit } as const;

/** What each detector family expects, less the size. */
export const preprocessPresets = {
  yolov5: ultralytics,
  yolov8: ultralytics,
  yolox: { resize: "letterbox", align: "topleft", pad: 114, order: "bgr", scale: 1, ...unit },
  stretch: { ...ultralytics, resize: "stretch" },
  imagenet: { ...ultralytics, resize: "stretch", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  nanodet: { ...ultralytics, resize: "stretch", order: "bgr", scale: 1, mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] },
} as const satisfies Record<string, Omit<Preprocess, "size">>;

export type PreprocessPreset = keyof typeof preprocessPresets;

/** The contract of a detector family at a network size of `[width, height]`. */
export const preprocessPreset = (name: PreprocessPreset, size: readonly [number, number]): Preprocess => ({ size, ...preprocessPresets[name] });

/** Where a picture lands on the network's input: network = image * scale + pad, in pixels. */
export interface Geometry {
  readonly imageWidth: number;
  readonly imageHeight: number;
  readonly scaleX: number;
  readonly scaleY: number;
  readonly padLeft: number;
  readonly padTop: number;
  /** Size of the resized picture inside the network's input. */
  readonly newWidth: number;
  readonly newHeight: number;
}

/**
 * Places a `width` x `height` picture. Letterbox, r = min(W/w, H/h): `center` rounds as Ultralytics' LetterBox
 * (size round(w·r), left pad round(d/2 - 0.1)), `topleft` as YOLOX's preproc (size int(w·r), no offset).
 * Scales are newWidth/width and newHeight/height: what the resampling does, so boxes land on the pixels.
 */
export function fit(contract: Preprocess, width: number, height: number): Geometry {
  const [newWidth, newHeight] = fittedSize(contract, width, height);
  const [padLeft, padTop] = offset(contract, newWidth, newHeight);
  return { imageWidth: width, imageHeight: height, scaleX: newWidth / width, scaleY: newHeight / height, padLeft, padTop, newWidth, newHeight };
}

function fittedSize({ size: [W, H], resize, align }: Preprocess, width: number, height: number): [number, number] {
  if (resize === "stretch") return [W, H];
  const ratio = Math.min(W / width, H / height);
  const round = align === "center" ? roundHalfEven : Math.trunc;
  return [Math.min(W, Math.max(1, round(width * ratio))), Math.min(H, Math.max(1, round(height * ratio)))];
}

function offset({ size: [W, H], align }: Preprocess, newWidth: number, newHeight: number): [number, number] {
  if (align === "topleft") return [0, 0];
  return [roundHalfEven((W - newWidth) / 2 - 0.1) + 0, roundHalfEven((H - newHeight) / 2 - 0.1) + 0];
}

/** The picture resized and padded to the network's size: 8-bit RGB, HWC. `into` (filled anew) saves the allocation. */
export function letterbox8(image: Image8, contract: Preprocess, into?: Uint8Array): Image8 {
  const [width, height] = contract.size;
  const target: Image8 = { width, height, channels: 3, data: into ?? new Uint8Array(width * height * 3) };
  if (target.data.length !== width * height * 3) throw new Error(`bug: ${target.data.length} bytes for a ${width}x${height} picture`);
  const { padLeft, padTop, newWidth, newHeight } = fit(contract, image.width, image.height);
  if (newWidth !== width || newHeight !== height) target.data.fill(contract.pad);
  resizeInto(image, target, { x: padLeft, y: padTop, width: newWidth, height: newHeight });
  return target;
}

/**
 * 8-bit RGB HWC at the network's size → float32 planes [3, H, W] in the contract's channel order, written to `into` at `offset`.
 * value = (pixel * scale - mean) / std, computed in float64 and rounded once.
 */
export function toTensor(pixels: Uint8Array, contract: Preprocess, into: Float32Array, offset = 0): void {
  const [width, height] = contract.size;
  const area = width * height;
  if (pixels.length !== area * 3) throw wrongPixelCount(pixels.length, contract);
  if (offset < 0 || into.length < offset + area * 3) throw new Error(`bug: tensor of ${into.length} values has no room for ${area * 3} at ${offset}`);
  for (let plane = 0; plane < 3; plane++) {
    const table = valueTable(contract, plane);
    const channel = contract.order === "rgb" ? plane : 2 - plane;
    const end = offset + (plane + 1) * area;
    for (let o = offset + plane * area, i = channel; o < end; o++, i += 3) into[o] = table[pixels[i]!]!;
  }
}

/** The network value of each of the 256 pixel values in one plane. */
function valueTable({ scale, mean, std }: Preprocess, plane: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel * scale - mean[plane]!) / std[plane]!);
}

/** A box in image pixels → network pixels, clipped to the picture. */
export function toNetwork(box: Box, g: Geometry): Box {
  const [x, y, w, h] = clipBox(box, g.imageWidth, g.imageHeight);
  return [x * g.scaleX + g.padLeft, y * g.scaleY + g.padTop, w * g.scaleX, h * g.scaleY];
}

/** A box in network pixels → image pixels, clipped to the picture. */
export function toImage([x, y, w, h]: Box, g: Geometry): Box {
  return clipBox([(x - g.padLeft) / g.scaleX, (y - g.padTop) / g.scaleY, w / g.scaleX, h / g.scaleY], g.imageWidth, g.imageHeight);
}

/** The part of the box inside `width` x `height`; zero size if there is none. */
export function clipBox([x, y, w, h]: Box, width: number, height: number): Box {
  const left = Math.min(Math.max(x, 0), width);
  const top = Math.min(Math.max(y, 0), height);
  return [left, top, Math.max(0, Math.min(x + w, width) - left), Math.max(0, Math.min(y + h, height) - top)];
}

/** The contract as JSON: keys in the contract's order, numbers exact, so equal contracts give equal text. */
export function serializePreprocess({ size, resize, align, pad, order, scale, mean, std }: Preprocess): string {
  return JSON.stringify({ size, resize, align, pad, order, scale, mean, std });
}

/** Reads `serializePreprocess` text; `source` names it in errors. @throws UserError BAD_PREPROCESS listing every problem. */
export function parsePreprocess(json: string, source = "preprocess contract"): Preprocess {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (cause) {
    throw badPreprocess(source, [cause instanceof Error ? cause.message : String(cause)], cause);
  }
  const { data, problems } = checkSchema(preprocessSchema, value);
  if (problems) throw badPreprocess(source, problems.map(({ message }) => message));
  return data;
}

const badPreprocess = (source: string, problems: readonly string[], cause?: unknown) =>
  new UserError(
    "BAD_PREPROCESS",
    `The ${source} is not a valid preprocess contract: ${problems.join("; ")}.`,
    `use a preset (${Object.keys(preprocessPresets).join(", ")}) or give size, resize, align, pad, order, scale, mean and std.`,
    { cause },
  );

const wrongPixelCount = (bytes: number, { size: [width, height] }: Preprocess) =>
  new UserError(
    "WRONG_PICTURE_SIZE",
    `A picture of ${bytes} bytes does not fit the network's input: ${width}x${height} RGB takes ${width * height * 3}.`,
    "resize the picture to the network's size by its preprocess contract first.",
  );
