import path from "node:path";
import { UserError } from "../../graph/error.ts";
import type { ClassName } from "../types.ts";
import type { RawDataset, RawItem, Report } from "./dataset.ts";
import { byCodePoint, isImageFile, kindOf, listFiles, mapParallel, readIfPresent, relativeId } from "./files.ts";
import { parseYoloLabels } from "./yolo-labels.ts";

export interface YoloSource {
  /** Folders with pictures, or text files that list pictures. */
  readonly images: readonly string[];
  /** What ids are relative to. */
  readonly root: string;
  /** Class names by number. */
  readonly names: readonly ClassName[];
  readonly notes: readonly string[];
}

/**
 * Reads pictures and their YOLO labels: `…/images/…/a.jpg` has `…/labels/…/a.txt` (the last `images` folder in the path counts),
 * or the .txt lies beside it. A picture without a label file has no objects; one with a malformed line is reported and left out.
 */
export async function readYolo(source: YoloSource, report: Report): Promise<RawDataset> {
  const paths = [...new Set((await Promise.all(source.images.map(listPictures))).flat())].sort(byCodePoint);
  let duplicates = 0;
  let labelled = 0;
  const items = await mapParallel(paths, 16, async (file, index): Promise<RawItem | undefined> => {
    const item = { id: relativeId(source.root, file), imageId: index + 1, path: file, normalized: true };
    const label = await readLabels(file);
    if (!label) return { ...item, boxes: [] };
    labelled++;
    const parsed = parseYoloLabels(label.text, label.file, source.names);
    duplicates += parsed.duplicates;
    parsed.problems.forEach(report);
    return parsed.problems.length > 0 ? undefined : { ...item, boxes: parsed.boxes };
  });
  if (paths.length > 0 && labelled === 0) throw noLabels(paths[0] ?? "");
  const notes = duplicates > 0 ? [...source.notes, `${duplicates} identical label lines counted once`] : source.notes;
  return { classes: source.names, items: items.filter((item) => item !== undefined), notes };
}

/** Where the labels of a picture may be, the likeliest first. */
export function labelFiles(picture: string): string[] {
  const stem = picture.slice(0, picture.length - path.extname(picture).length);
  const parts = stem.split(path.sep);
  const at = parts.lastIndexOf("images", parts.length - 2);
  const mirrored = at >= 0 ? [[...parts.slice(0, at), "labels", ...parts.slice(at + 1)].join(path.sep) + ".txt"] : [];
  return [...mirrored, `${stem}.txt`];
}

async function readLabels(picture: string): Promise<{ file: string; text: string } | undefined> {
  for (const file of labelFiles(picture)) {
    const text = await readIfPresent(file);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

/** A folder's pictures, or those that a text file lists (relative to the file). */
async function listPictures(source: string): Promise<string[]> {
  if ((await kindOf(source)) === "folder") return listFiles(source, isImageFile);
  const text = await readIfPresent(source);
  if (text === undefined) throw noImages(source);
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  return lines.filter((line) => line !== "").map((line) => path.resolve(path.dirname(source), line));
}

const noImages = (source: string) =>
  new UserError("DATASET_MISSING", `There is no image folder or image list "${source}".`, "check the dataset's paths (in data.yaml: path, train, val).");

const noLabels = (picture: string) =>
  new UserError(
    "NO_LABELS",
    `None of the dataset's pictures has a label file; for "${picture}" it would be "${labelFiles(picture)[0]}".`,
    "put the labels beside the images folder (images/ and labels/), or give the folder as unlabelled pictures.",
  );
