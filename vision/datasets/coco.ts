import path from "node:path";
import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import type { RawBox, RawDataset, RawItem, Report } from "./dataset.ts";
import { kindOf, readIfPresent } from "./files.ts";

const fileSchema = z.object({ images: z.array(z.unknown()), categories: z.array(z.unknown()), annotations: z.array(z.unknown()).optional() });
const id = z.number().int();
const side = z.number().int().positive();
const imageSchema = z.object({ id, file_name: z.string().min(1), width: side.optional(), height: side.optional() });
const categorySchema = z.object({ id, name: z.string().min(1) });
const annotationSchema = z.object({
  image_id: id,
  category_id: id,
  bbox: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]),
  iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).optional(),
  area: z.number().nonnegative().optional(),
});
type CocoImage = z.infer<typeof imageSchema>;

/**
 * Reads COCO detection JSON (cocodataset.org/#format-data). Classes are in order of category id; image ids are kept; crowd regions
 * are marked. No `annotations` key: unlabelled. `images` is the folder of the pictures; default: looked for near the JSON.
 */
export async function readCoco(file: string, images: string | undefined, report: Report): Promise<RawDataset> {
  const text = await readIfPresent(file);
  if (text === undefined) throw badCoco(file, "no such file");
  const content = parseFile(file, text);
  const categories = parseEntries(content.categories, "categories", categorySchema, file, report).sort((a, b) => a.id - b.id);
  const listed = uniqueImages(parseEntries(content.images, "images", imageSchema, file, report), file, report);
  const folder = images ?? (await findImageFolder(file, listed));
  const labels = content.annotations && readAnnotations(content.annotations, listed, new Map(categories.map((c) => [c.id, c.name])), file, report);
  const items = listed.filter((image) => !labels?.broken.has(image.id)).map((image) => toItem(image, folder, labels?.byImage));
  return { classes: categories.map(({ name }) => name), items, notes: [] };
}

function toItem({ id: imageId, file_name, width, height }: CocoImage, folder: string, labels: ReadonlyMap<number, readonly RawBox[]> | undefined): RawItem {
  const declared = width !== undefined && height !== undefined ? { declared: { width, height } } : {};
  return { id: file_name, imageId, path: path.resolve(folder, file_name), ...declared, boxes: labels ? (labels.get(imageId) ?? []) : null, normalized: false, unclipped: true };
}

function parseFile(file: string, text: string): z.infer<typeof fileSchema> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw badCoco(file, describeJsonError(cause, text), cause);
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  throw badCoco(file, result.error.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`).join("; "), result.error);
}

/** The parser's message, with the line where it gives a position. */
function describeJsonError(cause: unknown, text: string): string {
  const message = cause instanceof Error ? cause.message.split("\n")[0] ?? "" : String(cause);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined || message.includes("line")) return message;
  return `${message} (line ${text.slice(0, Number(position)).split("\n").length})`;
}

/** The entries that fit the schema; the others are reported by their place in the list. */
function parseEntries<T>(entries: readonly unknown[], list: string, schema: z.ZodType<T>, file: string, report: Report): T[] {
  return entries.flatMap((entry, index) => {
    const result = schema.safeParse(entry);
    if (result.success) return [result.data];
    report({ file, message: `${list}[${index}]${entryId(entry)}: ${issuesOf(result.error)}` });
    return [];
  });
}

const issuesOf = (error: z.ZodError) => error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`.trim()).join("; ");

const entryId = (entry: unknown) => (typeof entry === "object" && entry !== null && "id" in entry ? ` (id ${String(entry.id)})` : "");

function uniqueImages(listed: readonly CocoImage[], file: string, report: Report): CocoImage[] {
  const seen = new Set<number>();
  return listed.filter((image) => {
    const isNew = !seen.has(image.id);
    if (!isNew) report({ file, message: `images: id ${image.id} ("${image.file_name}") is used twice` });
    seen.add(image.id);
    return isNew;
  });
}

/** Boxes by image; `broken` holds the images that have a malformed annotation. */
function readAnnotations(entries: readonly unknown[], images: readonly CocoImage[], names: ReadonlyMap<number, string>, file: string, report: Report) {
  const byImage = new Map<number, RawBox[]>(images.map((image) => [image.id, []]));
  const broken = new Set<number>();
  for (const [index, entry] of entries.entries()) {
    const problem = addAnnotation(entry, byImage, names);
    if (problem === undefined) continue;
    report({ file, message: `annotations[${index}]${entryId(entry)}: ${problem}` });
    if (typeof entry === "object" && entry !== null && "image_id" in entry && typeof entry.image_id === "number") broken.add(entry.image_id);
  }
  return { byImage, broken };
}

function addAnnotation(entry: unknown, byImage: ReadonlyMap<number, RawBox[]>, names: ReadonlyMap<number, string>): string | undefined {
  const result = annotationSchema.safeParse(entry);
  if (!result.success) return issuesOf(result.error);
  const { image_id, category_id, bbox, iscrowd, area } = result.data;
  const boxes = byImage.get(image_id);
  const className = names.get(category_id);
  if (!boxes) return `no image has id ${image_id}`;
  if (className === undefined) return `no category has id ${category_id}`;
  boxes.push({ className, box: bbox, ...(iscrowd ? { crowd: true } : {}), ...(area !== undefined ? { area } : {}) });
  return undefined;
}

/** The first folder near the JSON that has the first listed picture that any of them has. */
async function findImageFolder(file: string, images: readonly CocoImage[]): Promise<string> {
  const folder = path.dirname(path.resolve(file));
  const split = path.basename(file, ".json").replace(/^instances_|^annotations_/, "");
  const parents = [folder, path.dirname(folder)];
  const candidates = parents.flatMap((parent) => [parent, ...["images", split, `images/${split}`].map((name) => path.join(parent, name))]);
  for (const image of images.slice(0, 5))
    for (const candidate of candidates) if ((await kindOf(path.resolve(candidate, image.file_name))) === "file") return candidate;
  if (images.length === 0) return folder;
  throw noImageFolder(file, images[0]?.file_name ?? "", candidates);
}

const noImageFolder = (file: string, name: string, tried: readonly string[]) =>
  new UserError("DATASET_MISSING", `The pictures of "${file}" were not found: "${name}" is in none of ${tried.map((t) => `"${t}"`).join(", ")}.`, "give the folder of the pictures (data.images).");

const badCoco = (file: string, reason: string, cause?: unknown) =>
  new UserError("BAD_COCO_JSON", `Cannot use "${file}" as COCO JSON: ${reason}.`, "it needs the lists images, categories and (with labels) annotations.", { cause });
