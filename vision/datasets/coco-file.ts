import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { inputLimits } from "../../input/limits.ts";
import { parseJson as parseText } from "../../input/json.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import { boundsOf } from "./bounds.ts";
import { readIfPresent } from "./files.ts";
import { foreignJson, notRead } from "./foreign.ts";
import { checkClassNames, lineOfJsonString } from "./name-check.ts";

const fileSchema = z.object({ images: z.array(z.unknown()), categories: z.array(z.unknown()), annotations: z.array(z.unknown()).optional() });

const wholeNumber = "must be a whole number below 2^53 (COCO's ids are numbers, not text)";
const id = z.number({ error: wholeNumber }).refine(Number.isSafeInteger, wholeNumber);
const side = z.number().int().nonnegative().nullish();

export const imageSchema = z.object({ id, file_name: z.string().min(1), width: side, height: side });
export const categorySchema = z.object({ id, name: z.string().min(1), supercategory: z.unknown().optional() });
export const annotationSchema = z.object({
  id: z.unknown().optional(),
  image_id: id,
  category_id: id,
  bbox: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]),
  iscrowd: z.union([z.literal(0), z.literal(1), z.boolean()]).nullish(),
  area: z.number().nonnegative().nullish(),
});

/** An annotation of segmentation tools: no `bbox`, or an empty one, but polygons, whose bounding box counts. Undefined for all others. */
export function polygonBox(entry: unknown): [number, number, number, number] | undefined {
  const parsed = polygonSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  return boundsOf(parsed.data.segmentation.flat());
}

const polygonSchema = z.object({
  bbox: z.union([z.null(), z.tuple([])]).optional(),
  segmentation: z.array(z.array(z.number()).min(6).refine((points) => points.length % 2 === 0)).min(1),
});

export type CocoImage = z.infer<typeof imageSchema>;
export type CocoCategory = z.infer<typeof categorySchema>;

export const entryId = (entry: unknown): string => {
  const id = typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined;
  return typeof id === "number" ? ` (id ${id})` : typeof id === "string" ? ` (id ${id.slice(0, 40)})` : "";
};

/** The lists of a COCO JSON. Throws UserError BAD_COCO_JSON, BAD_CLASS_NAMES; DATASET_NOT_READ for JSON of another tool. */
export async function parseCocoFile(file: string): Promise<z.infer<typeof fileSchema>> {
  const text = await readIfPresent(file, inputLimits.textBytes);
  if (text === undefined) throw badCoco(file, "no such file");
  const value = parseJson(file, text);
  const foreign = foreignJson(value);
  if (foreign) throw notRead(file, foreign);
  const { data, problems } = checkSchema(fileSchema, value, "file");
  if (problems) throw badCoco(file, problemText(problems));
  const ids = data.categories.flatMap((category) => (typeof category === "object" && category !== null && "id" in category && typeof category.id === "number" ? [category.id] : []));
  const seen = new Set<number>();
  const twice = ids.find((one) => seen.size === seen.add(one).size);
  if (twice !== undefined) throw badCoco(file, `two categories have id ${twice}`);
  const names = data.categories.flatMap((category) => (typeof category === "object" && category !== null && "name" in category && typeof category.name === "string" && category.name !== "" ? [category.name] : []));
  checkClassNames(`"${file}"`, names, ({ name }) => lineOfJsonString(text, name));
  return data;
}

function parseJson(file: string, text: string): unknown {
  try {
    return parseText(text);
  } catch (cause) {
    throw badCoco(file, describeJsonError(cause, text), cause);
  }
}

/** The parser's message, with the line where it gives a position. */
function describeJsonError(cause: unknown, text: string): string {
  const message = cause instanceof Error ? cause.message.split("\n")[0] ?? "" : String(cause);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined || message.includes("line")) return message;
  return `${message} (line ${text.slice(0, Number(position)).split("\n").length})`;
}

const badCoco = (file: string, reason: string, cause?: unknown) =>
  new UserError("BAD_COCO_JSON", `Cannot use "${file}" as COCO JSON: ${reason}.`, "it needs the lists images, categories and (with labels) annotations.", { cause });
