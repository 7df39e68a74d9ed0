import { stat } from "node:fs/promises";
import { UserError } from "../../graph/error.ts";
import { decodeImage, readImageSize } from "../image.ts";
import { clipBox } from "../preprocess.ts";
import type { ClassName, LabelledBox } from "../types.ts";
import { mapClasses } from "./classes.ts";
import type { Dataset, DatasetItem, DatasetOptions, DatasetProblem, DatasetSpec, RawItem, Report } from "./dataset.ts";
import { mapParallel } from "./files.ts";
import { readAny } from "./formats.ts";

/**
 * Opens COCO JSON, YOLO (data.yaml or folders), Pascal VOC, or a folder of unlabelled pictures; the format is told from the files.
 * Every picture's header is read. Boxes are in pixels, clipped to the picture (COCO JSON: as annotated); those of classes not wanted are counted and left out.
 * @throws UserError DATASET_INVALID with file and line of what is broken (unless `skipInvalid`), DATASET_EMPTY, UNKNOWN_CLASS,
 *   and one per format for files that cannot be read at all.
 */
export async function openDataset(spec: string | DatasetSpec, options: DatasetOptions = {}): Promise<Dataset> {
  const where: DatasetSpec = typeof spec === "string" ? { path: spec } : spec;
  const problems: DatasetProblem[] = [];
  const report: Report = (problem) => {
    problems.push(problem);
    options.onProblem?.(problem);
  };
  const raw = await readAny(where, options, report);
  if (raw.items.length === 0 && problems.length === 0) throw emptyDataset(where.path);
  const existing = [...new Set(raw.classes)];
  const labelled = raw.items.some(({ boxes }) => boxes !== null);
  const mapped = labelled && options.classes ? mapClasses(existing, options.classes) : existing.map((_, i) => i);
  const indexOf = new Map(existing.map((name, i) => [name, mapped[i] ?? -1]));
  const dropped = new Map<ClassName, number>();
  const items = await mapParallel(raw.items, 8, (item) => openItem(item, indexOf, dropped, options, report));
  const valid = items.filter((item) => item !== undefined);
  problems.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : (a.line ?? 0) - (b.line ?? 0)));
  if (problems.length > 0 && !options.skipInvalid) throw invalidDataset(where.path, problems);
  if (valid.length === 0) throw nothingValid(where.path, problems);
  return { classes: options.classes ?? existing, items: valid, problems, droppedBoxes: Object.fromEntries([...dropped].sort()), notes: raw.notes };
}

async function openItem(
  item: RawItem,
  indexOf: ReadonlyMap<ClassName, number>,
  dropped: Map<ClassName, number>,
  options: DatasetOptions,
  report: Report,
): Promise<DatasetItem | undefined> {
  const picture = await checkPicture(item, options);
  if (typeof picture === "string") return void report({ file: item.path, message: picture });
  const { width, height } = picture;
  const outside = item.boxes?.find((raw) => !hasArea(clipBox(inPixels(raw.box, item, width, height), width, height)));
  if (outside) return void report({ file: item.path, message: `its "${outside.className}" box ${outside.box.join(", ")} lies outside the picture (${width}x${height})` });
  const boxes = item.boxes?.flatMap((raw): LabelledBox[] => {
    const classIndex = indexOf.get(raw.className) ?? -1;
    if (classIndex < 0) dropped.set(raw.className, (dropped.get(raw.className) ?? 0) + 1);
    if (classIndex < 0) return [];
    const annotated = inPixels(raw.box, item, width, height);
    const box = item.unclipped ? annotated : clipBox(annotated, width, height);
    return [{ box, classIndex, ...(raw.crowd ? { crowd: true } : {}), ...(raw.area !== undefined ? { area: raw.area } : {}) }];
  });
  return { id: item.id, imageId: item.imageId, path: item.path, ...picture, boxes: boxes ?? null };
}

const hasArea = ([, , w, h]: readonly number[]) => w! > 0 && h! > 0;

function inPixels([x, y, w, h]: readonly [number, number, number, number], { normalized }: RawItem, width: number, height: number) {
  return normalized ? ([x * width, y * height, w * width, h * height] as const) : ([x, y, w, h] as const);
}

/** The picture's size, or what is wrong with it. */
async function checkPicture(item: RawItem, options: DatasetOptions): Promise<{ width: number; height: number; bytes: number } | string> {
  const limit = options.maxPixels !== undefined ? { maxPixels: options.maxPixels } : {};
  try {
    const { width, height } = await (options.verify === "full" ? decodeImage : readImageSize)(item.path, limit);
    const { declared } = item;
    if (declared && (declared.width !== width || declared.height !== height))
      return `the labels are for a picture of ${declared.width}x${declared.height}, this one is ${width}x${height}`;
    return { width, height, bytes: (await stat(item.path)).size };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

const describe = ({ file, line, message }: DatasetProblem) => `  ${file}${line !== undefined ? `:${line}` : ""}: ${message}`;

function listed(problems: readonly DatasetProblem[]): string {
  const more = problems.length > 10 ? `\n  … and ${problems.length - 10} more` : "";
  return problems.slice(0, 10).map(describe).join("\n") + more;
}

const invalidDataset = (path: string, problems: readonly DatasetProblem[]) =>
  new UserError(
    "DATASET_INVALID",
    `The dataset "${path}" has ${problems.length} problem${problems.length > 1 ? "s" : ""}:\n${listed(problems)}`,
    "mend these files, or set data.skipInvalid: true to go on without them.",
  );

const emptyDataset = (path: string) =>
  new UserError("DATASET_EMPTY", `The dataset "${path}" has no pictures.`, "check the path and the split (train, val).");

const nothingValid = (path: string, problems: readonly DatasetProblem[]) =>
  new UserError("DATASET_EMPTY", `No picture of the dataset "${path}" is usable:\n${listed(problems)}`, "mend these files.");
