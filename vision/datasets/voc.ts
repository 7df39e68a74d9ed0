import path from "node:path";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import type { DatasetProblem, RawBox, RawDataset, RawItem, Report, Split } from "./dataset.ts";
import { byCodePoint, isImageFile, kindOf, listFiles, mapParallel, readIfPresent, relativeId } from "./files.ts";

const parser = new XMLParser({ parseTagValue: false, processEntities: false, isArray: (name) => name === "object" });

const coordinate = z.string().transform(Number).refine(Number.isFinite, "is not a number");
const objectSchema = z.object({
  name: z.string().min(1),
  difficult: z.enum(["0", "1"]).optional(),
  bndbox: z.object({ xmin: coordinate, ymin: coordinate, xmax: coordinate, ymax: coordinate }),
});
const side = coordinate.refine((value) => value >= 0, "is negative");
const annotationSchema = z.object({
  annotation: z.object({ size: z.object({ width: side, height: side }).optional(), object: z.array(z.unknown()).default([]) }),
});

/**
 * Reads a Pascal VOC folder: `Annotations/*.xml` with `JPEGImages/` (and `ImageSets/Main/<split>.txt` where present), or XML files
 * beside their pictures. VOC pixels are 1-based and inclusive: x = xmin - 1, width = xmax - xmin + 1. `difficult` becomes `crowd`.
 */
export async function readVoc(root: string, split: Split, report: Report): Promise<RawDataset> {
  const { files, notes } = await annotationFiles(root, split);
  const pictures = new Map((await listFiles(await subfolder(root, "JPEGImages"), isImageFile)).map((file) => [stemOf(file), file]));
  const items = await mapParallel(files, 16, async (file, index) => readItem(file, index + 1, root, pictures, report));
  const valid = items.filter((item) => item !== undefined);
  const names = new Set(valid.flatMap(({ boxes }) => boxes?.map(({ className }) => className) ?? []));
  return { classes: [...names].sort(byCodePoint), items: valid, notes };
}

/** VOC's own folder where it exists (beside it lie masks with the same names), else all of the dataset. */
async function subfolder(root: string, name: string): Promise<string> {
  const folder = path.join(root, name);
  return (await kindOf(folder)) === "folder" ? folder : root;
}

async function annotationFiles(root: string, split: Split): Promise<{ files: string[]; notes: string[] }> {
  const files = await listFiles(await subfolder(root, "Annotations"), (file) => file.toLowerCase().endsWith(".xml"));
  const list = path.join(root, "ImageSets", "Main", `${split}.txt`);
  const text = await readIfPresent(list);
  if (text === undefined) return { files, notes: (await kindOf(path.dirname(list))) ? [`no ${relativeId(root, list)}: all annotations used`] : [] };
  const byStem = new Map(files.map((file) => [stemOf(file), file]));
  const stems = text.split(/\r\n|\n|\r/).flatMap((line) => line.trim().split(/\s+/)[0] || []);
  const missing = stems.findIndex((stem) => !byStem.has(stem));
  if (missing >= 0) throw notAnnotated(list, missing + 1, stems[missing] ?? "");
  return { files: stems.map((stem) => byStem.get(stem) ?? "").sort(byCodePoint), notes: [] };
}

async function readItem(file: string, imageId: number, root: string, pictures: ReadonlyMap<string, string>, report: Report): Promise<RawItem | undefined> {
  const text = (await readIfPresent(file)) ?? "";
  const { boxes, size, problems } = parseVoc(text, file);
  const picture = pictures.get(stemOf(file));
  const all = picture === undefined ? [...problems, { file, message: `no picture "${stemOf(file)}" in the dataset` }] : problems;
  all.forEach(report);
  if (picture === undefined || all.length > 0) return undefined;
  // Some tools write a size of 0 x 0 where they did not open the picture.
  const declared = size && size.width > 0 && size.height > 0 ? { declared: size } : {};
  return { id: relativeId(root, picture), imageId, path: picture, ...declared, boxes, normalized: false };
}

export interface VocAnnotation {
  readonly boxes: readonly RawBox[];
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly problems: readonly DatasetProblem[];
}

/** Reads one VOC XML file: class, box (pixels) and `difficult` of each object. */
export function parseVoc(text: string, file: string): VocAnnotation {
  const wellFormed = XMLValidator.validate(text);
  if (wellFormed !== true) return broken({ file, line: wellFormed.err.line, message: `malformed XML: ${wellFormed.err.msg}` });
  const result = annotationSchema.safeParse(parser.parse(text));
  if (!result.success) return broken({ file, message: `not a VOC annotation: ${issuesOf(result.error)}` });
  const { size, object: objects } = result.data.annotation;
  const lines = objectLines(text);
  const read = objects.map((object, index) => ({ line: lines[index] ?? 1, value: parseObject(object) }));
  const problems = read.flatMap(({ line, value }) => (typeof value === "string" ? [{ file, line, message: value }] : []));
  return { boxes: read.flatMap(({ value }) => (typeof value === "string" ? [] : [value])), size, problems };
}

const broken = (problem: DatasetProblem): VocAnnotation => ({ boxes: [], size: undefined, problems: [problem] });

/** The box, or what is wrong with the object. */
function parseObject(object: unknown): RawBox | string {
  const result = objectSchema.safeParse(object);
  if (!result.success) return `object: ${issuesOf(result.error)}`;
  const { name, difficult, bndbox } = result.data;
  const { xmin, ymin, xmax, ymax } = bndbox;
  if (xmax < xmin || ymax < ymin) return `object "${name}": the box has no area (${xmin},${ymin} to ${xmax},${ymax})`;
  return { className: name, box: [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1], ...(difficult === "1" ? { crowd: true } : {}) };
}

/** 1-based line of each `<object>`. */
const objectLines = (text: string) => text.split("\n").flatMap((line, index) => (line.match(/<object[\s>]/g) ?? []).map(() => index + 1));

const issuesOf = (error: z.ZodError) => error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`.trim()).join("; ");

const stemOf = (file: string) => path.basename(file, path.extname(file));

const notAnnotated = (list: string, line: number, stem: string) =>
  new UserError("DATASET_MISSING", `"${list}" line ${line} lists "${stem}", which has no annotation file.`, "add its .xml file or remove the line.");
