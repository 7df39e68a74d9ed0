import path from "node:path";
import type { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import type { RawBox, RawDataset, RawItem, Report } from "./dataset.ts";
import { annotationSchema, categorySchema, entryId, imageSchema, parseCocoFile, polygonBox, type CocoCategory, type CocoImage } from "./coco-file.ts";
import { isImageFile, kindOf, listFiles, named } from "./files.ts";

export interface CocoPlace {
  readonly file: string;
  /** Folder of the pictures; default: looked for near the JSON. */
  readonly images?: string | undefined;
  /** The folder is this JSON's alone: pictures there that it does not list are counted. */
  readonly ownsFolder?: boolean;
}

/**
 * Reads COCO detection JSON (cocodataset.org/#format-data). Classes are in order of category id; image and category ids are kept; crowd regions
 * are marked. No `annotations` key: unlabelled. A category without boxes that is the supercategory of others (Roboflow's category 0) is no class.
 */
export async function readCoco({ file, images: given, ownsFolder = false }: CocoPlace, report: Report): Promise<RawDataset> {
  const content = await parseCocoFile(file);
  const all = parseEntries(content.categories, "categories", categorySchema, file, report).sort((a, b) => a.id - b.id);
  const images = parseEntries(content.images, "images", imageSchema, file, report).map((image) => ({ ...image, file_name: image.file_name.replaceAll("\\", "/") })); // Windows writes \
  const written = uniqueImages(images, file, report);
  const { listed, folders: [folder = "", ...otherFolders], notes: placeNotes } = given !== undefined ? { listed: written, folders: [given], notes: [] } : await findPictures(file, written);
  const used = content.annotations && new Set(content.annotations.map((entry) => (typeof entry === "object" && entry !== null && "category_id" in entry ? entry.category_id : null)));
  const categories = all.filter((category) => !used || used.has(category.id) || !isSupercategory(category, all));
  const dropped = all.filter((category) => !categories.includes(category));
  const labels = content.annotations && readAnnotations(content.annotations, listed, categories, file, report);
  const items = listed.filter((image) => !labels?.broken.has(image.id)).map((image) => toItem(image, folder, labels?.byImage));
  const notes = [
    ...dropped.map(({ id, name }) => `category ${id} "${name}" has no boxes and is the supercategory of others: no class`),
    ...placeNotes,
    ...(otherFolders.length > 0 ? [`pictures of these names are in "${folder}", which is used, and in ${otherFolders.map((other) => `"${other}"`).join(", ")} (data.images, --images say otherwise)`] : []),
    ...repeatedPictures(listed), ...(labels?.notes ?? []), ...(ownsFolder ? await unlisted(file, folder, listed) : []),
  ];
  return { classes: categories.map(({ name }) => name), categoryIds: categories.map(({ id }) => id), items, notes };
}

const isSupercategory = ({ id, name }: CocoCategory, all: readonly CocoCategory[]): boolean => all.some((other) => other.id !== id && other.supercategory === name);

function toItem({ id: imageId, file_name, width, height }: CocoImage, folder: string, labels: ReadonlyMap<number, readonly RawBox[]> | undefined): RawItem {
  // Some tools write 0 x 0 where they did not open the picture.
  const declared = width && height ? { declared: { width, height } } : {};
  return { id: file_name, imageId, path: path.resolve(folder, file_name), ...declared, boxes: labels ? (labels.get(imageId) ?? []) : null, normalized: false, unclipped: true };
}

/** The entries that fit the schema; the others are reported by their place in the list. */
function parseEntries<T extends { id: number }>(entries: readonly unknown[], list: string, schema: z.ZodType<T>, file: string, report: Report): T[] {
  return entries.flatMap((entry, index) => {
    const { data, problems } = checkSchema(schema, entry, "the entry");
    if (!problems) return [data];
    report({ file, message: `${list}[${index}]${entryId(entry)}: ${problemText(problems)}` });
    return [];
  });
}

function uniqueImages(listed: readonly CocoImage[], file: string, report: Report): CocoImage[] {
  const seen = new Set<number>();
  return listed.filter((image) => {
    const isNew = !seen.has(image.id);
    if (!isNew) report({ file, message: `images: id ${image.id} ("${image.file_name}") is used twice` });
    seen.add(image.id);
    return isNew;
  });
}

function repeatedPictures(listed: readonly CocoImage[]): string[] {
  const seen = new Set<string>();
  const again = listed.filter(({ file_name }) => seen.size === seen.add(file_name).size).map(({ file_name }) => file_name);
  return again.length > 0 ? [`${named(again, "picture")} listed more than once, with ids of their own: each counts, as in pycocotools`] : [];
}

async function unlisted(file: string, folder: string, listed: readonly CocoImage[]): Promise<string[]> {
  const known = new Set(listed.map(({ file_name }) => path.resolve(folder, file_name)));
  const others = (await listFiles(folder, isImageFile)).filter((picture) => !known.has(picture));
  return others.length > 0 ? [`${named(others, "picture", folder)} not listed in ${path.basename(file)}: left out`] : [];
}

/** Boxes by image; `broken` holds the images that have a malformed annotation. */
function readAnnotations(entries: readonly unknown[], images: readonly CocoImage[], categories: readonly CocoCategory[], file: string, report: Report) {
  const byImage = new Map<number, RawBox[]>(images.map((image) => [image.id, []]));
  const indexOf = new Map(categories.map(({ id }, index) => [id, index]));
  const broken = new Set<number>();
  const ids = new Set<number>();
  let [repeated, polygons] = [0, 0];
  for (const [index, entry] of entries.entries()) {
    const polygon = polygonBox(entry);
    const result = addAnnotation(polygon ? Object.assign({}, entry, { bbox: polygon }) : entry, byImage, indexOf);
    if (polygon && typeof result !== "string") polygons++;
    if (typeof result === "number") repeated += ids.size === ids.add(result).size ? 1 : 0;
    if (typeof result !== "string") continue;
    report({ file, message: `annotations[${index}]${entryId(entry)}: ${result}` });
    if (typeof entry === "object" && entry !== null && "image_id" in entry && typeof entry.image_id === "number") broken.add(entry.image_id);
  }
  const notes = [
    ...(polygons > 0 ? [`${polygons} annotations have polygons and no bbox: the polygons' bounding boxes are used`] : []),
    ...(repeated > 0 ? [`${repeated} annotation ids are used more than once: every annotation counts here, pycocotools takes the last of each id several times; give them ids of their own to compare`] : []),
    ...(ids.has(0) ? ["one annotation has id 0, which pycocotools reads as \"no match\": a detection of that object counts as wrong there and here; number annotations from 1"] : []),
  ];
  return { byImage, broken, notes };
}

/** The annotation's id, undefined where it has none, or what is wrong with it. */
function addAnnotation(entry: unknown, byImage: ReadonlyMap<number, RawBox[]>, indexOf: ReadonlyMap<number, number>): number | string | undefined {
  const { data, problems } = checkSchema(annotationSchema, entry, "the entry");
  if (problems) return problemText(problems);
  const { id, image_id, category_id, bbox, iscrowd, area } = data;
  const boxes = byImage.get(image_id);
  const category = indexOf.get(category_id);
  if (!boxes) return `no image has id ${image_id}`;
  if (category === undefined) return `no category has id ${category_id}`;
  const known = typeof area === "number" ? { area } : {};
  boxes.push({ category, box: bbox, ...(iscrowd ? { crowd: true } : {}), ...known, ...(id === 0 ? { unmatchable: true } : {}) });
  return typeof id === "number" ? id : undefined;
}

/** Where the pictures lie, and their names there. Names that are addresses or paths of another machine are looked for by their last part. */
async function findPictures(file: string, images: readonly CocoImage[]): Promise<{ listed: readonly CocoImage[]; folders: readonly string[]; notes: readonly string[] }> {
  const candidates = imageFolders(file);
  const asWritten = await foldersOf(images, candidates);
  if (asWritten.length > 0) return { listed: images, folders: asWritten, notes: [] };
  if (images.length === 0) return { listed: images, folders: [path.dirname(path.resolve(file))], notes: [] };
  const first = images[0]?.file_name ?? "";
  const listed = images.map((image) => ({ ...image, file_name: lastPart(image.file_name) }));
  const folders = new Set(listed.map(({ file_name }) => file_name)).size === images.length ? await foldersOf(listed, candidates) : [];
  if (folders.length === 0) throw noImageFolder(file, first, candidates);
  return { listed, folders, notes: [`file names as "${first}" lead nowhere here: their last part is looked for in "${folders[0]}"`] };
}

/** The file's name alone; what follows a `?` of an address is none of it. */
const lastPart = (name: string): string => path.posix.basename(/^https?:/i.test(name) ? name.replace(/[?#].*$/, "") : name);

function imageFolders(file: string): string[] {
  const folder = path.dirname(path.resolve(file));
  const split = path.basename(file, ".json").replace(/^instances_|^annotations_/, "");
  return [folder, path.dirname(folder)].flatMap((parent) => [...[`images/${split}`, split, "images", "data"].map((name) => path.join(parent, name)), parent]);
}

/** How many of the listed pictures are looked for, from the beginning and spread over the list. */
const [tried, spread] = [5, 100];

/** The folders that have the first picture that any of them has, each place of that picture once; those named as the JSON's split first. */
async function foldersOf(images: readonly CocoImage[], candidates: readonly string[]): Promise<string[]> {
  const step = Math.ceil(images.length / spread);
  for (const image of images.filter((_, index) => index < tried || index % step === 0)) {
    const found = new Map<string, string>();
    for (const candidate of candidates) {
      const place = path.resolve(candidate, image.file_name);
      if (!found.has(place) && (await kindOf(place)) === "file") found.set(place, candidate);
    }
    if (found.size > 0) return [...found.values()];
  }
  return [];
}

const noImageFolder = (file: string, name: string, tried: readonly string[]) =>
  new UserError("DATASET_MISSING", `The pictures of "${file}" were not found: "${name}" is in none of ${tried.map((t) => `"${t}"`).join(", ")}.`, "give the folder of the pictures (data.images).");
