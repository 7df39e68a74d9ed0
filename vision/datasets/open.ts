import { plainProblem, quotedName } from "../../escape/names.ts";
import { UserError } from "../../graph/error.ts";
import { clipBox } from "../preprocess.ts";
import type { ClassName, LabelledBox } from "../types.ts";
import { boxDoubts } from "./box-doubts.ts";
import { chooseClasses } from "./class-groups.ts";
import type { Dataset, DatasetItem, DatasetOptions, DatasetProblem, DatasetSpec, RawDataset, RawItem, Report } from "./dataset.ts";
import { byCodePoint, mapParallel, named } from "./files.ts";
import { readAny } from "./formats.ts";
import { checkClassNames } from "./name-check.ts";
import { checkPicture } from "./picture-check.ts";

/**
 * Opens COCO JSON, YOLO (data.yaml or folders), CVAT's YOLO 1.1, Pascal VOC, or a folder of unlabelled pictures; the format is told from the files.
 * Every picture's header and end are read. Boxes are in pixels, clipped to the picture (COCO JSON: as annotated); those of classes not wanted are
 * counted and left out.
 * @throws UserError DATASET_INVALID with file and line of what is broken (unless `skipInvalid`), DATASET_EMPTY, UNKNOWN_CLASS, BAD_CLASS_NAMES, DATASET_NOT_READ for
 *   the labels of other tools, and one per format for files that cannot be read at all.
 */
export async function openDataset(spec: string | DatasetSpec, options: DatasetOptions = {}): Promise<Dataset> {
  const where: DatasetSpec = typeof spec === "string" ? { path: spec } : spec;
  const problems: DatasetProblem[] = [];
  const report: Report = (problem) => {
    problems.push(problem);
    options.onProblem?.(problem);
  };
  for (const [place, given] of [["the wanted classes", options.classes], ["the given names of labels", options.labelNames]] as const) if (given) checkClassNames(place, given);
  const raw = await readAny(where, options, report);
  if (raw.items.length === 0 && problems.length === 0) throw emptyDataset(where.path, raw.notes);
  checkClassNames(`"${where.path}"`, raw.classes);
  const { classes, categoryIds, indexOf, notes } = chooseClasses(raw, options);
  const doubts = boxDoubts();
  const counts: Counts = { dropped: new Map(), animated: [] };
  let opened = 0;
  const items = await mapParallel(raw.items, 8, async (item) => {
    const valid = await openItem(item, raw, indexOf, counts, options, report);
    options.onProgress?.(++opened, raw.items.length);
    return valid;
  });
  // pycocotools' order, which decides ties of score.
  const valid = items.filter((item) => item !== undefined).sort((a, b) => a.imageId - b.imageId);
  for (const [index, item] of items.entries()) if (item) doubts.count(raw.items[index]!, item.width, item.height);
  const doubtNotes = doubts.notes(where.path);
  problems.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : (a.line ?? 0) - (b.line ?? 0)));
  if (problems.length > 0 && !options.skipInvalid) throw invalidDataset(where.path, problems);
  if (valid.length === 0) throw nothingValid(where.path, problems);
  const droppedBoxes = Object.fromEntries([...counts.dropped].sort());
  return { classes, categoryIds, items: valid, problems, droppedBoxes, notes: [...raw.notes, ...notes, ...droppedNotes(droppedBoxes), ...doubtNotes, ...animatedNotes(counts.animated), ...problemNotes(problems)] };
}

/** What is counted while pictures are opened. */
interface Counts {
  /** Boxes of classes that are not wanted, by class. */
  readonly dropped: Map<ClassName, number>;
  /** Ids of files with several pictures. */
  readonly animated: string[];
}

async function openItem(
  item: RawItem,
  { classes }: RawDataset,
  indexOf: readonly number[],
  { dropped, animated }: Counts,
  options: DatasetOptions,
  report: Report,
): Promise<DatasetItem | undefined> {
  const refused = plainProblem(item.id);
  if (refused !== undefined) return void report({ file: quotedName(item.path), message: `the file's name is refused: ${refused}` });
  const picture = await checkPicture(item, options);
  if (typeof picture === "string") return void report({ file: item.path, message: picture });
  const { width, height, bytes, frames } = picture;
  if (frames > 1) animated.push(item.id);
  const outside = item.boxes?.find((raw) => !hasArea(clipBox(inPixels(raw.box, item, width, height), width, height)));
  if (outside) return void report({ file: item.path, message: `its "${classes[outside.category]}" box ${outside.box.join(", ")} lies outside the picture (${width}x${height})` });
  const boxes = item.boxes?.flatMap((raw): LabelledBox[] => {
    const classIndex = indexOf[raw.category] ?? -1;
    const name = classes[raw.category] ?? "";
    if (classIndex < 0) dropped.set(name, (dropped.get(name) ?? 0) + 1);
    if (classIndex < 0) return [];
    const annotated = inPixels(raw.box, item, width, height);
    const box = item.unclipped ? annotated : clipBox(annotated, width, height);
    return [{ box, classIndex, ...(raw.crowd ? { crowd: true } : {}), ...(raw.area !== undefined ? { area: raw.area } : {}), ...(raw.unmatchable ? { unmatchable: true } : {}) }];
  });
  return { id: item.id, imageId: item.imageId, path: item.path, width, height, bytes, boxes: boxes ?? null };
}

const hasArea = ([, , w, h]: readonly number[]) => w! > 0 && h! > 0;

function inPixels([x, y, w, h]: readonly [number, number, number, number], { normalized }: RawItem, width: number, height: number) {
  return normalized ? ([x * width, y * height, w * width, h * height] as const) : ([x, y, w, h] as const);
}

const describe = ({ file, line, message }: DatasetProblem) => `  ${file}${line !== undefined ? `:${line}` : ""}: ${message}`;

function listed(problems: readonly DatasetProblem[]): string {
  const more = problems.length > 10 ? `\n  … and ${problems.length - 10} more` : "";
  return problems.slice(0, 10).map(describe).join("\n") + more;
}

function droppedNotes(dropped: Readonly<Record<ClassName, number>>): string[] {
  const names = Object.entries(dropped);
  const total = names.reduce((sum, [, count]) => sum + count, 0);
  return total === 0 ? [] : [`${total} boxes of classes that are not wanted are left out: ${names.map(([name, count]) => `${name} ${count}`).join(", ")}`];
}

const animatedNotes = (ids: readonly string[]): string[] =>
  ids.length === 0 ? [] : [`${named([...ids].sort(byCodePoint), "file")} with several frames or pages: the first is used`];

const problemNotes = (problems: readonly DatasetProblem[]): string[] =>
  problems.length === 0 ? [] : [`left out as broken: ${problems.length} problem${problems.length > 1 ? "s" : ""} in pictures or labels:\n${listed(problems)}`];

const invalidDataset = (path: string, problems: readonly DatasetProblem[]) =>
  new UserError(
    "DATASET_INVALID",
    `The dataset "${path}" has ${problems.length} problem${problems.length > 1 ? "s" : ""}:\n${listed(problems)}`,
    "mend these files, or set data.skipInvalid: true (eval: --skip-invalid) to go on without them.",
  );

const emptyDataset = (path: string, notes: readonly string[]) =>
  new UserError("DATASET_EMPTY", `The dataset "${path}" has no pictures.${notes.length > 0 ? ` ${notes.join("; ")}.` : ""}`, "check the path and the split (train, val).");

const nothingValid = (path: string, problems: readonly DatasetProblem[]) =>
  new UserError("DATASET_EMPTY", `No picture of the dataset "${path}" is usable:\n${listed(problems)}`, "mend these files.");
