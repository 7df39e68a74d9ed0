import path from "node:path";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import type { ClassName } from "../types.ts";
import type { DatasetProblem, RawBox, RawDataset, RawItem, Report, Split, UnlabelledPolicy } from "./dataset.ts";
import { beginningOf, byCodePoint, isImageFile, kindOf, listFiles, listPictureFiles, mapParallel, readIfPresent, readLabels, relativeId } from "./files.ts";
import { checkClassNames } from "./name-check.ts";
import { unlabelledNote, unlabelledPicture } from "./unlabelled.ts";

const parser = new XMLParser({ parseTagValue: false, processEntities: false, isArray: (name) => name === "object" });

const coordinate = z.string().transform(Number).refine(Number.isFinite, "is not a number");
const objectSchema = z.object({
  name: z.string().min(1),
  difficult: z.string().transform((word) => word.trim().toLowerCase()).pipe(z.enum(["0", "1", "", "true", "false", "unspecified"])).optional(),
  bndbox: z.object({ xmin: coordinate, ymin: coordinate, xmax: coordinate, ymax: coordinate }),
});
const side = coordinate.refine((value) => value >= 0, "is negative");
const annotationSchema = z.object({
  annotation: z.object({ filename: z.string().optional(), size: z.object({ width: side, height: side }).optional(), object: z.array(z.unknown()).default([]) }),
});

/**
 * Reads a Pascal VOC folder: `Annotations/*.xml` with `JPEGImages/` (and `ImageSets/Main/<split>.txt` where present), or XML files
 * beside their pictures. VOC pixels are 1-based and inclusive: x = xmin - 1, width = xmax - xmin + 1. `difficult` becomes `crowd`.
 * Pictures without XML are what `unlabelled` says, unless a list chooses the pictures.
 */
export async function readVoc(root: string, split: Split, report: Report, unlabelled: UnlabelledPolicy = "background"): Promise<RawDataset> {
  const { files, all, notes } = await annotationFiles(root, split);
  const folder = await subfolder(root, ["JPEGImages"]);
  const pictures = await listPictureFiles(folder);
  const find = pictureFinder(pictures.files, folder, await subfolder(root, annotationFolders));
  const taken = new Map<string, string>();
  const read = await mapParallel(files, 16, (file, index) => readItem(file, index + 1, root, find, report));
  const items = read.filter((item) => item !== undefined).filter(({ item, file }) => {
    const before = taken.get(item.path);
    if (before !== undefined) report({ file, message: `its picture ${item.id} has labels already, in ${before}` });
    taken.set(item.path, before ?? file);
    return before === undefined;
  });
  const names = [...new Set(items.flatMap(({ boxes }) => boxes.map(({ className }) => className)))].sort(byCodePoint);
  const labelled = new Set([...taken.keys(), ...all.flatMap((file) => find(file) ?? [])]);
  const without = files.length === all.length ? pictures.files.filter((file) => !labelled.has(file)) : [];
  const background = without.flatMap((file, index) => unlabelledPicture({ id: relativeId(root, file), imageId: all.length + index + 1, path: file, normalized: false }, unlabelled, report) ?? []);
  return {
    classes: names, items: [...items.map(({ item, boxes }): RawItem => ({ ...item, boxes: boxes.map(({ className, ...box }) => ({ ...box, category: names.indexOf(className) })) })), ...background],
    notes: [...notes, ...pictures.notes, ...unlabelledNote(without, unlabelled, root)],
  };
}

/** A file whose root element is VOC's. */
export const isVocFile = async (file: string): Promise<boolean> => /<annotation[\s>]/.test(await beginningOf(file, 65_536));

type PictureFinder = (annotation: string, filename?: string) => string | undefined;

/** The picture at the same place as the XML, else the only one of its name, else the one that the XML names. */
function pictureFinder(pictures: readonly string[], folder: string, annotations: string): PictureFinder {
  const grouped = (keyOf: (file: string) => string) => pictures.reduce((map, file) => map.set(keyOf(file), [...(map.get(keyOf(file)) ?? []), file]), new Map<string, string[]>());
  const placeOf = (from: string, file: string) => path.join(path.dirname(path.relative(from, file)), stemOf(file));
  const [byPlace, byStem, byName] = [grouped((file) => placeOf(folder, file)), grouped(stemOf), grouped((file) => path.basename(file))];
  return (annotation, filename) => {
    const named = filename === undefined ? "" : path.basename(filename.replaceAll("\\", "/"));
    const candidates = [byPlace.get(placeOf(annotations, annotation)), byStem.get(stemOf(annotation)), byName.get(named)];
    for (const found of candidates) {
      const exact = (found ?? []).filter((file) => path.basename(file) === named);
      if (found?.length === 1) return found[0];
      if (exact.length === 1) return exact[0];
    }
    return undefined;
  };
}

/** VOC's own folder where it exists (beside it lie masks with the same names), or one of the other names that holds XML, else all of the dataset. */
async function subfolder(root: string, names: readonly string[]): Promise<string> {
  for (const folder of names.map((name) => path.join(root, name)))
    if ((await kindOf(folder)) === "folder" && (path.basename(folder) === names[0] || (await listFiles(folder, isXml)).length > 0)) return folder;
  return root;
}

const annotationFolders = ["Annotations", "annotations", "labels"];
const isXml = (file: string) => file.toLowerCase().endsWith(".xml");

async function annotationFiles(root: string, split: Split): Promise<{ files: string[]; all: string[]; notes: string[] }> {
  const files = await listFiles(await subfolder(root, annotationFolders), isXml);
  const list = path.join(root, "ImageSets", "Main", `${split}.txt`);
  const text = await readIfPresent(list);
  if (text === undefined) return { files, all: files, notes: (await kindOf(path.dirname(list))) ? [`no ${relativeId(root, list)}: all annotations used`] : [] };
  const byStem = new Map(files.map((file) => [stemOf(file), file]));
  const listed = text.split(/\r\n|\n|\r/).flatMap((line) => line.trim().split(/\s+/)[0] || []);
  const stems = listed.map((name) => (!byStem.has(name) && isImageFile(name) ? stemOf(name) : name));
  const missing = stems.findIndex((stem) => !byStem.has(stem));
  if (missing >= 0) throw notAnnotated(list, missing + 1, stems[missing] ?? "");
  return { files: stems.map((stem) => byStem.get(stem) ?? "").sort(byCodePoint), all: files, notes: [] };
}

async function readItem(file: string, imageId: number, root: string, find: PictureFinder, report: Report): Promise<{ item: Omit<RawItem, "boxes">; boxes: readonly VocBox[]; file: string } | undefined> {
  const text = await readLabels(file, report);
  if (text === null) return undefined;
  const { boxes, size, filename, problems } = parseVoc(text ?? "", file);
  const picture = find(file, filename);
  const all = picture === undefined ? [...problems, { file, message: `no picture "${stemOf(file)}" in the dataset, or several` }] : problems;
  all.forEach(report);
  if (picture === undefined || all.length > 0) return undefined;
  // Some tools write a size of 0 x 0 where they did not open the picture.
  const declared = size && size.width > 0 && size.height > 0 ? { declared: size } : {};
  return { item: { id: relativeId(root, picture), imageId, path: picture, ...declared, normalized: false }, boxes, file };
}

export interface VocBox extends Omit<RawBox, "category"> {
  readonly className: ClassName;
}

export interface VocAnnotation {
  readonly boxes: readonly VocBox[];
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly filename?: string | undefined;
  readonly problems: readonly DatasetProblem[];
}

/** Reads one VOC XML file: class, box (pixels) and `difficult` of each object. Throws UserError BAD_CLASS_NAMES. */
export function parseVoc(text: string, file: string): VocAnnotation {
  const { value, problem } = parseXml(text);
  if (problem) return broken({ file, ...problem });
  const { data, problems: wrong } = checkSchema(annotationSchema, value, "the file");
  if (wrong) return broken({ file, message: `not a VOC annotation: ${problemText(wrong)}` });
  const { size, filename, object: objects } = data.annotation;
  const lines = objectLines(text);
  const read = objects.map((object, index) => ({ line: lines[index] ?? 1, value: parseObject(object) }));
  for (const { line, value } of read) if (typeof value !== "string") checkClassNames(`"${file}"`, [value.className], () => line);
  const problems = read.flatMap(({ line, value }) => (typeof value === "string" ? [{ file, line, message: value }] : []));
  return { boxes: read.flatMap(({ value }) => (typeof value === "string" ? [] : [value])), size, filename: filename && plainText(filename), problems };
}

/** The parser may refuse what the validator takes: entities that grow, tags nested too deeply, a tag of a forbidden name. */
function parseXml(text: string): { value?: unknown; problem?: { line?: number; message: string } } {
  try {
    const wellFormed = XMLValidator.validate(text);
    if (wellFormed !== true) return { problem: { line: wellFormed.err.line, message: `malformed XML: ${wellFormed.err.msg}` } };
    return { value: parser.parse(text) as unknown };
  } catch (cause) {
    return { problem: { message: `XML that is not read: ${cause instanceof RangeError ? "tags nested too deeply" : cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause)}` } };
  }
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** XML's own five entities; others (a file may define them) stay as they are. */
const plainText = (text: string): string => text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "");

const broken = (problem: DatasetProblem): VocAnnotation => ({ boxes: [], size: undefined, problems: [problem] });

/** The box, or what is wrong with the object. */
function parseObject(object: unknown): VocBox | string {
  const { data, problems } = checkSchema(objectSchema, object, "the tag");
  if (problems) return `object: ${problemText(problems)}`;
  const { name, difficult, bndbox } = data;
  const { xmin, ymin, xmax, ymax } = bndbox;
  if (xmax < xmin || ymax < ymin) return `object "${name}": the box has no area (${xmin},${ymin} to ${xmax},${ymax})`;
  return { className: plainText(name), box: [xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1], ...(difficult === "1" || difficult === "true" ? { crowd: true } : {}) };
}

/** 1-based line of each `<object>`. */
const objectLines = (text: string) => text.split("\n").flatMap((line, index) => (line.match(/<object[\s>]/g) ?? []).map(() => index + 1));

const stemOf = (file: string) => path.basename(file, path.extname(file));

const notAnnotated = (list: string, line: number, stem: string) =>
  new UserError("DATASET_MISSING", `"${list}" line ${line} lists "${stem}", which has no annotation file.`, "add its .xml file or remove the line.");
