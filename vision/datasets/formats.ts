import path from "node:path";
import { UserError } from "../../graph/error.ts";
import { inputLimits } from "../../input/limits.ts";
import { givenNamesNote, yoloClassNames } from "./class-names.ts";
import { readCoco } from "./coco.ts";
import { readObjData } from "./darknet.ts";
import type { DatasetOptions, DatasetSpec, RawDataset, Report, Split } from "./dataset.ts";
import { beginningOf, byCodePoint, isImageFile, kindOf, listFiles, entriesOf, listPictureFiles, readIfPresent, relativeId } from "./files.ts";
import { findForeign, mayBeCoco, notRead } from "./foreign.ts";
import { isVocFile, readVoc } from "./voc.ts";
import { readDataYaml } from "./yolo-yaml.ts";
import { readYolo } from "./yolo.ts";

/** Tells the format from the path and what lies there, and reads it. */
export async function readAny(spec: DatasetSpec, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const raw = await readKind(spec, options, report);
  if (!options.labelNames || raw.classes.length === 0 || raw.notes.includes(givenNamesNote)) return raw;
  return { ...raw, notes: [...raw.notes, `the label names that were given are not used: the data set names its classes (${raw.classes.slice(0, 8).join(", ")})`] };
}

async function readKind(spec: DatasetSpec, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const split = spec.split ?? "val";
  const kind = await kindOf(spec.path);
  if (kind === undefined) throw missing(spec.path);
  if (kind === "folder") return readFolder({ root: path.resolve(spec.path), split, images: spec.images, options, report });
  const extension = path.extname(spec.path).toLowerCase();
  if (extension === ".json") return readCoco({ file: spec.path, images: spec.images }, report);
  if (extension === ".yaml" || extension === ".yml") return readYolo(await readDataYaml(spec.path, split), report, options.unlabelled);
  if (extension === ".data") return readYolo(await readObjData(spec.path, split), report, options.unlabelled);
  if (extension === ".txt") return readPlainYolo([spec.path], path.dirname(path.resolve(spec.path)), options, report);
  throw unknownFormat(spec.path);
}

interface Folder {
  readonly root: string;
  readonly split: Split;
  readonly images: string | undefined;
  readonly options: DatasetOptions;
  readonly report: Report;
}

/** How a split's folder may be called. */
const splitFolders: Readonly<Record<Split, readonly string[]>> = { train: ["train", "training"], val: ["val", "valid", "validation"], test: ["test", "testing"] };

async function readFolder(folder: Folder): Promise<RawDataset> {
  const { root, split, images, options, report } = folder;
  const names = (await entriesOf(root)).map(({ name }) => name).sort(byCodePoint);
  const has = (name: string) => names.includes(name);
  const yaml = ["data.yaml", "data.yml", "dataset.yaml"].find(has);
  if (yaml !== undefined) return readYolo(await readDataYaml(path.join(root, yaml), split), report, options.unlabelled);
  if (has("obj.data")) return readYolo(await readObjData(path.join(root, "obj.data"), split), report, options.unlabelled);
  if (has("Annotations")) return readVoc(root, split, report, options.unlabelled);
  if (has("_annotations.coco.json")) return readCoco({ file: path.join(root, "_annotations.coco.json"), images: images ?? root, ownsFolder: images === undefined }, report);
  if (await holdsVoc(path.join(root, "annotations"))) return readVoc(root, split, report, options.unlabelled);
  if (has("annotations")) return readCoco({ file: await cocoFile(path.join(root, "annotations"), split), images }, report);
  if (await holdsVoc(path.join(root, "labels"))) return readVoc(root, split, report, options.unlabelled);
  const otherYaml = await onlyDataYaml(root, names);
  if (otherYaml !== undefined) return readYolo(await readDataYaml(otherYaml, split), report, options.unlabelled);
  if (has("images") && has("labels")) return readPlainYolo([await splitFolder(path.join(root, "images"), split)], root, options, report);
  if (await hasLabels(root)) return readPlainYolo([root], root, options, report);
  if (await someVoc(root, names)) return readVoc(root, split, report, options.unlabelled);
  const json = names.filter((name) => name.toLowerCase().endsWith(".json"));
  const coco = await cocoAmong(root, json, split);
  if (coco !== undefined) return readCoco({ file: coco, images }, report);
  const part = splitFolders[split].find(has);
  if (part !== undefined && (await kindOf(path.join(root, part))) === "folder") return readFolder({ ...folder, root: path.join(root, part) });
  const inner = await onlyFolderWith(root, names, "Annotations");
  if (inner !== undefined) return readFolder({ ...folder, root: inner });
  return readUnlabelled(root);
}

/** A folder of VOC files under another name than `Annotations`. */
async function holdsVoc(folder: string): Promise<boolean> {
  if ((await kindOf(folder)) !== "folder") return false;
  const files = await listFiles(folder, (file) => /\.(xml|json|txt)$/i.test(file));
  return files[0] !== undefined && files.every((file) => /\.xml$/i.test(file)) && isVocFile(files[0]);
}

/** The folder's only YAML file that reads like a data.yaml, whatever it is called. */
async function onlyDataYaml(root: string, names: readonly string[]): Promise<string | undefined> {
  const files: string[] = [];
  for (const file of names.filter((name) => /\.ya?ml$/i.test(name)).map((name) => path.join(root, name))) {
    const text = (await kindOf(file)) === "file" ? await beginningOf(file, inputLimits.dataYamlBytes) : "";
    if (/^names\s*:/m.test(text) && /^(train|val|valid|test)\s*:/m.test(text)) files.push(file);
  }
  return files.length === 1 ? files[0] : undefined;
}

/** VOCdevkit/VOC2012: the one folder below that holds a folder of this name. */
async function onlyFolderWith(root: string, names: readonly string[], wanted: string): Promise<string | undefined> {
  const found: string[] = [];
  for (const name of names) if ((await kindOf(path.join(root, name, wanted))) === "folder") found.push(path.join(root, name));
  return found.length === 1 ? found[0] : undefined;
}

/** Pictures alone; labels that lie somewhere among them are refused, not passed over. */
async function readUnlabelled(root: string): Promise<RawDataset> {
  const foreign = await findForeign(root);
  if (foreign) throw notRead(foreign.file, foreign);
  const { files, notes } = await listPictureFiles(root);
  const deeper = await deeperLabels(root, files);
  if (deeper !== undefined) throw unknownLayout(root, deeper);
  const items = files.map((file, index) => ({ id: relativeId(root, file), imageId: index + 1, path: file, boxes: null, normalized: false }));
  return { classes: [], items, notes: ["no labels found: a folder of unlabelled pictures", ...notes, ...twinNotes(root, files)] };
}

/** Most pictures have another of their name in another folder: masks, depth, a copy. */
function twinNotes(root: string, files: readonly string[]): string[] {
  const folders = new Map<string, Set<string>>();
  for (const file of files) folders.set(stemOf(file), (folders.get(stemOf(file)) ?? new Set()).add(path.dirname(file)));
  const twins = [...folders.values()].filter(({ size }) => size > 1);
  if (twins.length * 2 <= folders.size) return [];
  const places = [...new Set(twins.flatMap((set) => [...set]))].map((folder) => relativeId(root, folder) || ".").sort(byCodePoint);
  return [`most pictures have another of the same name, all of which are used (${places.slice(0, 4).join(", ")}): give one folder if the others are masks or copies`];
}

const stemOf = (file: string) => path.basename(file, path.extname(file));

/** A label file of a picture, in a folder below. */
async function deeperLabels(root: string, pictures: readonly string[]): Promise<string | undefined> {
  const stems = new Set(pictures.map(stemOf));
  const candidates = await listFiles(root, (file) => /\.(txt|xml|json)$/i.test(file) && stems.has(stemOf(file)));
  for (const file of candidates.slice(0, 20)) if (!/\.txt$/i.test(file) || /^[ \t]*\d+([ \t]+-?[\d.]+){4,}/m.test(await beginningOf(file, 65_536))) return file;
  return undefined;
}

/** YOLO files without a data.yaml. */
async function readPlainYolo(images: readonly string[], root: string, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const { names, note } = await yoloClassNames(root, options, () => highestClass(root));
  return readYolo({ images, root, names, notes: [note] }, report, options.unlabelled);
}

async function highestClass(root: string): Promise<number> {
  let highest = -1;
  for (const file of await listFiles(root, (name) => /\.txt$/i.test(name)))
    for (const [, number] of ((await readIfPresent(file)) ?? "").matchAll(/^(\d+)(?:[ \t]+[\d.eE+-]+){4}/gm)) highest = Math.max(highest, Number(number));
  return highest;
}

/** `images/val` where the pictures are split by folder, else `images`. */
async function splitFolder(images: string, split: Split): Promise<string> {
  for (const name of splitFolders[split]) if ((await kindOf(path.join(images, name))) === "folder") return path.join(images, name);
  return images;
}

/** A folder of pictures with its labels in a `labels` folder beside `images`, or between the pictures. */
async function hasLabels(folder: string): Promise<boolean> {
  const parts = folder.split(path.sep);
  const at = parts.lastIndexOf("images");
  const mirrored = [...parts.slice(0, at), "labels", ...parts.slice(at + 1)].join(path.sep);
  if (at >= 0 && (await kindOf(mirrored)) === "folder") return true;
  const names = (await entriesOf(folder)).map(({ name }) => name);
  const texts = new Set(names.filter((name) => /\.txt$/i.test(name)).map(stemOf));
  return names.some((name) => isImageFile(name) && texts.has(stemOf(name)));
}

async function someVoc(root: string, names: readonly string[]): Promise<boolean> {
  const xml = names.filter((name) => name.toLowerCase().endsWith(".xml"));
  return xml.length > 1 || (xml[0] !== undefined && (await isVocFile(path.join(root, xml[0]))));
}

/** The COCO JSON of a folder that may have several: the only one, or that of the split. */
async function cocoAmong(root: string, json: readonly string[], split: Split): Promise<string | undefined> {
  const files: string[] = [];
  for (const name of json) if (await mayBeCoco(path.join(root, name))) files.push(name);
  const ofSplit = files.filter((name) => splitFolders[split].some((word) => name.toLowerCase().includes(word)));
  const [only] = files.length === 1 ? files : ofSplit;
  if (files.length > 1 && ofSplit.length !== 1) throw whichJson(root, files);
  return only === undefined ? (json.length === 1 ? path.join(root, json[0]!) : undefined) : path.join(root, only);
}

async function cocoFile(folder: string, split: Split): Promise<string> {
  const files = (await entriesOf(folder)).map(({ name }) => name).filter((name) => name.toLowerCase().endsWith(".json")).sort(byCodePoint);
  const ofSplit = files.filter((name) => name.includes(split));
  const detection = ofSplit.filter((name) => name.startsWith("instances"));
  const candidates = [detection, ofSplit, files].find((list) => list.length > 0) ?? [];
  if (candidates.length === 1) return path.join(folder, candidates[0] ?? "");
  const foreign = await findForeign(folder);
  throw foreign ? notRead(foreign.file, foreign) : whichJson(folder, files);
}

const missing = (file: string) => new UserError("DATASET_MISSING", `There is no dataset "${file}".`, "check the path (relative paths start at the config's folder).");

const unknownFormat = (file: string) =>
  new UserError(
    "UNKNOWN_DATASET_FORMAT",
    `Cannot tell what kind of dataset "${file}" is.`,
    "give COCO JSON (.json), a YOLO data.yaml, a list of images (.txt), CVAT's obj.data, or a folder.",
  );

const unknownLayout = (root: string, file: string) =>
  new UserError(
    "UNKNOWN_DATASET_FORMAT",
    `The folder "${root}" has label files ("${file}"), but not where they are looked for.`,
    "write a data.yaml that names the folders of pictures and the classes, or give the folder that holds images/ and labels/ (VOC: Annotations/ and JPEGImages/).",
  );

const whichJson = (folder: string, files: readonly string[]) =>
  new UserError("AMBIGUOUS_DATASET", `"${folder}" has ${files.length} annotation files: ${files.join(", ") || "none"}.`, "give the JSON file itself as the dataset.");
