import path from "node:path";
import { UserError } from "../../graph/error.ts";
import { beginningOf, listFiles } from "./files.ts";

/** A form of labels that is recognised in order to be refused by name. */
export interface Foreign {
  readonly name: string;
  /** How to get something that is read. */
  readonly instead: string;
}

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose => typeof value === "object" && value !== null && !Array.isArray(value);
const has = (value: unknown, ...keys: readonly string[]): value is Loose => isObject(value) && keys.every((key) => Object.hasOwn(value, key));
const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : isObject(value) ? Object.values(value)[0] : undefined);

/** By form: how its JSON looks. */
const jsonForms: readonly (Foreign & { readonly is: (json: unknown) => boolean })[] = [
  { name: "Datumaro", instead: "export COCO 1.0 or YOLO (datum convert -f coco)", is: (json) => has(json, "items", "categories") },
  { name: "LabelMe (one JSON a picture)", instead: "convert it to COCO JSON (labelme2coco) or YOLO", is: (json) => has(json, "shapes", "imagePath") },
  { name: "Supervisely", instead: "export it as COCO, YOLO or Pascal VOC", is: (json) => has(json, "objects", "size") || (has(json, "classes", "tags") && Array.isArray(json["tags"])) },
  { name: "Label Studio", instead: "export it as COCO or YOLO", is: (json) => Array.isArray(json) && has(first(json), "annotations", "data") },
  { name: "CreateML", instead: "export COCO, YOLO or Pascal VOC", is: (json) => Array.isArray(json) && has(first(json), "image", "annotations") },
  { name: "BDD100K or Scalabel", instead: "convert it to COCO JSON (python -m bdd100k.label.to_coco)", is: (json) => (Array.isArray(json) && has(first(json), "name", "labels")) || has(json, "frames") },
  { name: "VGG Image Annotator (VIA)", instead: "export it as COCO JSON", is: (json) => has(json, "_via_img_metadata") || has(first(json), "filename", "regions") },
  { name: "a list of COCO annotations or detections", instead: "give the whole COCO JSON, with images and categories", is: (json) => Array.isArray(json) && has(first(json), "image_id", "category_id") },
];

/** The tool whose JSON this is, where it is known and not COCO. */
export const foreignJson = (json: unknown): Foreign | undefined => (has(json, "images", "categories") ? undefined : jsonForms.find(({ is }) => is(json)));

/** By form: what its files are called and begin with. */
const fileForms: readonly (Foreign & { readonly file: RegExp; readonly begins?: RegExp })[] = [
  { name: "CVAT for images", instead: "export YOLO, COCO 1.0 or Pascal VOC from CVAT", file: /\.xml$/i, begins: /<annotations[\s>]/ },
  { name: "TFRecord", instead: "export COCO, YOLO or Pascal VOC", file: /\.(tfrecord|record)s?(-\d+-of-\d+)?$/i },
  { name: "Open Images CSV", instead: "convert it to COCO or YOLO (for instance with FiftyOne)", file: /\.csv$/i, begins: /ImageID.*LabelName|ImageID.*XMin/i },
  { name: "CSV boxes", instead: "convert them to COCO or YOLO", file: /\.csv$/i, begins: /(x_?min|x1|bbox|left)\b/i },
  { name: "KITTI or DOTA (text with class names)", instead: "convert them to COCO or YOLO", file: /\.txt$/i, begins: /^\uFEFF?[A-Za-z][\w-]*( -?[\d.]+){14}\s*$|^(imagesource|gsd):|^( ?-?[\d.]+){8} [A-Za-z][\w-]* [01]\s*$/m },
  { name: "VisDrone or MOT (comma separated numbers)", instead: "convert them to COCO or YOLO", file: /\.txt$/i, begins: /^\s*-?[\d.]+(,\s*-?[\d.]+){5,}/ },
  { name: "SageMaker manifest", instead: "convert it to COCO JSON", file: /\.(manifest|ndjson|jsonl)$/i },
];

/**
 * Labels of another tool in a folder that holds none that are read; undefined where there are none. The first few files of each kind are looked at.
 */
export async function findForeign(root: string): Promise<(Foreign & { readonly file: string }) | undefined> {
  const files = await listFiles(root, (file) => /\.(json|ndjson|jsonl|xml|csv|txt|manifest)$|\.(tf)?records?(-\d+-of-\d+)?$/i.test(file));
  const seen = new Map<string, number>();
  for (const file of files) {
    const kind = `${path.dirname(file)} ${path.extname(file)}`;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    if (seen.get(kind)! > 3) continue;
    const found = await foreignFile(file);
    if (found) return { ...found, file };
  }
  return undefined;
}

async function foreignFile(file: string): Promise<Foreign | undefined> {
  const start = await beginningOf(file, /\.json$/i.test(file) ? 4_000_000 : 4096);
  if (/\.json$/i.test(file)) return foreignJson(parsed(start));
  return fileForms.find(({ file: name, begins }) => name.test(file) && (!begins || begins.test(start)));
}

/** Begins like a COCO JSON. */
export const mayBeCoco = async (file: string): Promise<boolean> => /"(images|categories|annotations)"\s*:\s*\[/.test(await beginningOf(file, 65_536));

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // cut off or no JSON: not one of those that are known
  }
};

export const notRead = (file: string, { name, instead }: Foreign) =>
  new UserError("DATASET_NOT_READ", `"${file}" holds labels in a form that is not read: ${name}.`, `${instead}; COCO JSON, YOLO, Pascal VOC and CVAT's YOLO 1.1 are read.`);
