import { UserError } from "../../graph/error.ts";
import { decodeImage, readImageHeader, type ImageHeader } from "../image.ts";
import { fileEnd } from "../image-end.ts";
import type { DatasetOptions, RawItem } from "./dataset.ts";

export interface CheckedPicture {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly frames: number;
}

/**
 * The picture's size in pixels and bytes, or what is wrong with it. A picture whose end does not show that it is whole is decoded here:
 * one that breaks off is found now, not after hours of training.
 */
export async function checkPicture(item: RawItem, { maxPixels, verify, remember }: DatasetOptions): Promise<CheckedPicture | string> {
  const limit = maxPixels !== undefined ? { maxPixels } : {};
  const read = async () => {
    const header = await readImageHeader(item.path, limit);
    const { bytes, whole } = await fileEnd(item.path, header.format);
    if (verify === "full" || !whole) await decodeImage(item.path, limit);
    return { header, bytes };
  };
  try {
    const { header, bytes } = await (remember ? remember(item.path, `${verify ?? "header"} ${maxPixels ?? ""}`, read) : read());
    return otherSize(item, header) ?? { width: header.width, height: header.height, bytes, frames: header.frames ?? 1 };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function otherSize({ declared }: RawItem, { width, height, turnedFrom }: ImageHeader): string | undefined {
  if (!declared || (declared.width === width && declared.height === height)) return undefined;
  const message = `the labels are for a picture of ${declared.width}x${declared.height}, this one is ${width}x${height}`;
  const isTurned = turnedFrom?.width === declared.width && turnedFrom.height === declared.height;
  return isTurned ? `${message} after the rotation that its EXIF data ask for: the labels were made without it` : message;
}
