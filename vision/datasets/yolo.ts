import path from "node:path";
import { UserError } from "../../graph/error.ts";
import { inputLimits } from "../../input/limits.ts";
import type { ClassName } from "../types.ts";
import type { RawDataset, RawItem, Report, UnlabelledPolicy } from "./dataset.ts";
import { byCodePoint, kindOf, listPictureFiles, mapParallel, named, readIfPresent, readLabels, relativeId } from "./files.ts";
import { labelFiles, LabelFolders } from "./label-folders.ts";
import { unlabelledPicture, unlabelledNote } from "./unlabelled.ts";
import { parseYoloLabels, type KeypointShape, type LineForm } from "./yolo-labels.ts";

export interface YoloSource {
  /** Folders with pictures, or text files that list pictures. */
  readonly images: readonly string[];
  /** What ids are relative to. */
  readonly root: string;
  /** Class names by number. */
  readonly names: readonly ClassName[];
  readonly keypoints?: KeypointShape | undefined;
  readonly notes: readonly string[];
}

/**
 * Reads pictures and their YOLO labels: `…/images/…/a.jpg` has `…/labels/…/a.txt` (the last `images` folder in the path counts),
 * or the .txt lies beside it. A picture with a malformed line is reported and left out; one without a label file is what `unlabelled` says.
 * Throws UserError NO_LABELS, LABELS_AMBIGUOUS.
 */
export async function readYolo(source: YoloSource, report: Report, unlabelled: UnlabelledPolicy = "background"): Promise<RawDataset> {
  const { paths, folders, notes } = await listPictures(source);
  const labels = new LabelFolders();
  const count = { duplicates: 0, doubtful: 0, box: 0, polygon: 0, keypoints: 0 };
  const without: string[] = [];
  const items = await mapParallel(paths, 16, async (file, index): Promise<RawItem | undefined> => {
    const item = { id: relativeId(source.root, file), imageId: index + 1, path: file, normalized: true };
    const label = await labels.find(file);
    const text = label === undefined ? undefined : await readLabels(label, report);
    if (text === null) return undefined;
    if (label === undefined || text === undefined) {
      without.push(file);
      return unlabelledPicture(item, unlabelled, report);
    }
    const parsed = parseYoloLabels(text, label, source.names, source.keypoints);
    count.duplicates += parsed.duplicates;
    count.doubtful += parsed.doubtful;
    for (const form of ["box", "polygon", "keypoints"] as const) count[form] += parsed.forms[form];
    parsed.problems.forEach(report);
    return parsed.problems.length > 0 ? undefined : { ...item, boxes: parsed.boxes };
  });
  const orphans = await labels.orphans(folders);
  // A list of pictures that are not there is reported picture by picture.
  if (paths.length > 0 && without.length === paths.length && (await kindOf(paths[0] ?? "")) === "file") throw noLabels(paths[0] ?? "", orphans);
  if (!source.keypoints) refuseDoubtful(source.root, count);
  return {
    classes: source.names, items: items.filter((item) => item !== undefined),
    notes: [...source.notes, ...notes, ...unlabelledNote(without.sort(byCodePoint), unlabelled, source.root), ...fileNotes(orphans, labels.shared, source.root), ...lineNotes(count)],
  };
}

const fileNotes = (orphans: readonly string[], shared: readonly string[], root: string): string[] => [
  ...(orphans.length > 0 ? [`${named(orphans, "label file", root)} without a picture: left out`] : []),
  ...(shared.length > 0 ? [`${named(shared, "label file", root)} for several pictures of one name: each picture has the labels`] : []),
];

const lineNotes = ({ duplicates, polygon, keypoints }: Readonly<Record<LineForm | "duplicates", number>>): string[] => [
  ...(duplicates > 0 ? [`${duplicates} identical label lines counted once`] : []),
  ...(polygon > 0 ? [`${polygon} label lines are polygons or turned boxes: their bounding boxes are used`] : []),
  ...(keypoints > 0 ? [`${keypoints} label lines have keypoints: their boxes alone are used`] : []),
];

/** So many polygons that fit a box with keypoints are not chance. */
const doubtfulLines = 6;

function refuseDoubtful(root: string, { polygon, doubtful, keypoints, box }: Readonly<Record<LineForm | "doubtful", number>>): void {
  if (polygon > 0 && keypoints > 0) throw ambiguous(root, `${polygon} lines that look like polygons and ${keypoints} that look like boxes with keypoints`);
  if (polygon >= doubtfulLines && doubtful === polygon && box === 0) throw ambiguous(root, `${polygon} lines that may be polygons or boxes with keypoints of two values`);
}

/** Folders' pictures, and those that text files list; `folders` are the folders. */
async function listPictures({ images, root }: YoloSource): Promise<{ paths: string[]; folders: string[]; notes: string[] }> {
  const [found, folders, notes]: [string[], string[], string[]] = [[], [], []];
  for (const place of new Set(images)) {
    const isFolder = (await kindOf(place)) === "folder";
    const listed = isFolder ? await listPictureFiles(place) : await readList(place, root);
    if (isFolder) folders.push(place);
    for (const file of listed.files) found.push(file);
    notes.push(...listed.notes);
  }
  const paths = [...new Set(found)].sort(byCodePoint);
  if (paths.length < found.length) notes.push(`${found.length - paths.length} pictures listed more than once count once`);
  return { paths, folders, notes };
}

/** The pictures that a text file lists, relative to its folder or to the data set's; as CVAT writes them, with a folder `data` before. */
async function readList(file: string, root: string): Promise<{ files: string[]; notes: string[] }> {
  const text = await readIfPresent(file, inputLimits.textBytes);
  if (text === undefined) throw noImages(file);
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).map((line) => line.trim()).filter((line) => line !== "");
  return { files: await mapParallel(lines, 16, (line) => findListed(line, [path.dirname(file), root])), notes: [] };
}

async function findListed(line: string, folders: readonly string[]): Promise<string> {
  const forms = [line, line.replaceAll("\\", "/"), line.replaceAll("\\", "/").replace(/^\.?\/?data\//, "")];
  for (const form of new Set(forms)) {
    for (const folder of new Set(folders)) {
      const full = path.resolve(folder, form);
      if ((await kindOf(full)) === "file") return full;
    }
  }
  return path.resolve(folders[0] ?? ".", line);
}

const noImages = (source: string) =>
  new UserError("DATASET_MISSING", `There is no image folder or image list "${source}".`, "check the dataset's paths (in data.yaml: path, train, val).");

const noLabels = (picture: string, orphans: readonly string[]) =>
  new UserError(
    "NO_LABELS",
    `None of the dataset's pictures has a label file; for "${picture}" it would be "${labelFiles(picture)[0]}".${orphans.length > 0 ? ` ${named(orphans, "label file")} belong to no picture.` : ""}`,
    "put the labels beside the images folder (images/ and labels/), or give the folder as unlabelled pictures.",
  );

const ambiguous = (root: string, what: string) =>
  new UserError("LABELS_AMBIGUOUS", `The labels of "${root}" have ${what}.`, "say what they are in data.yaml: kpt_shape: [points, values] for keypoints; or export plain boxes (class cx cy w h).");
