import { readdir } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../../graph/error.ts";
import type { ClassName } from "../types.ts";
import { readCoco } from "./coco.ts";
import type { DatasetOptions, DatasetSpec, RawDataset, Report, Split } from "./dataset.ts";
import { byCodePoint, isImageFile, kindOf, listFiles, readIfPresent, relativeId } from "./files.ts";
import { readVoc } from "./voc.ts";
import { readDataYaml, readDataYamlNames } from "./yolo-yaml.ts";
import { readYolo } from "./yolo.ts";

/** Tells the format from the path and what lies there, and reads it. */
export async function readAny(spec: DatasetSpec, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const split = spec.split ?? "val";
  const kind = await kindOf(spec.path);
  if (kind === undefined) throw missing(spec.path);
  if (kind === "folder") return readFolder(spec, split, options, report);
  const extension = path.extname(spec.path).toLowerCase();
  if (extension === ".json") return readCoco(spec.path, spec.images, report);
  if (extension === ".yaml" || extension === ".yml") return readYolo(await readDataYaml(spec.path, split), report);
  if (extension === ".txt") return readPlainYolo([spec.path], path.dirname(spec.path), options, report);
  throw unknownFormat(spec.path);
}

async function readFolder(spec: DatasetSpec, split: Split, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const root = path.resolve(spec.path);
  const names = (await readdir(root)).sort(byCodePoint);
  const has = (name: string) => names.includes(name);
  const yaml = ["data.yaml", "data.yml", "dataset.yaml"].find(has);
  if (yaml !== undefined) return readYolo(await readDataYaml(path.join(root, yaml), split), report);
  if (has("Annotations")) return readVoc(root, split, report);
  if (has("_annotations.coco.json")) return readCoco(path.join(root, "_annotations.coco.json"), spec.images ?? root, report);
  if (has("annotations")) return readCoco(await cocoFile(path.join(root, "annotations"), split), spec.images, report);
  if (has("images") && has("labels")) return readPlainYolo([await splitFolder(path.join(root, "images"), split)], root, options, report);
  if (await hasLabels(root)) return readPlainYolo([root], root, options, report);
  if (names.some((name) => name.toLowerCase().endsWith(".xml"))) return readVoc(root, split, report);
  const json = names.filter((name) => name.toLowerCase().endsWith(".json"));
  if (json.length === 1) return readCoco(path.join(root, json[0] ?? ""), spec.images, report);
  return readUnlabelled(root);
}

async function readUnlabelled(root: string): Promise<RawDataset> {
  const files = await listFiles(root, isImageFile);
  const items = files.map((file, index) => ({ id: relativeId(root, file), imageId: index + 1, path: file, boxes: null, normalized: false }));
  return { classes: [], items, notes: ["no labels found: a folder of unlabelled pictures"] };
}

/** YOLO files without a data.yaml: class names come from classes.txt, from the data.yaml of a folder above, or from the caller. */
async function readPlainYolo(images: readonly string[], root: string, options: DatasetOptions, report: Report): Promise<RawDataset> {
  const { names, note } = await classNames(root, options);
  return readYolo({ images, root, names, notes: [note] }, report);
}

async function classNames(root: string, options: DatasetOptions): Promise<{ names: readonly ClassName[]; note: string }> {
  const above = [root, path.dirname(root), path.dirname(path.dirname(root))];
  const lists = above.slice(0, 2).flatMap((folder) => ["classes.txt", "labels/classes.txt", "obj.names"].map((name) => path.join(folder, name)));
  for (const file of lists) {
    const lines = (await readIfPresent(file))?.split(/\r\n|\n|\r/).map((line) => line.trim()).filter((line) => line !== "");
    if (lines && lines.length > 0) return { names: lines, note: `class names from ${relativeId(root, file)}` };
  }
  for (const file of above.slice(1).map((folder) => path.join(folder, "data.yaml")))
    if ((await kindOf(file)) === "file") return { names: await readDataYamlNames(file), note: `class names from ${relativeId(root, file)}` };
  if (!options.labelNames) throw noClassNames(root);
  return { names: options.labelNames, note: "no data.yaml or classes.txt: class numbers read in the order of the model's class list" };
}

/** `images/val` where the pictures are split by folder, else `images`. */
async function splitFolder(images: string, split: Split): Promise<string> {
  const folder = path.join(images, split);
  return (await kindOf(folder)) === "folder" ? folder : images;
}

/** A folder of pictures with its labels in a `labels` folder beside `images`, or between the pictures. */
async function hasLabels(folder: string): Promise<boolean> {
  const parts = folder.split(path.sep);
  const at = parts.lastIndexOf("images");
  const mirrored = [...parts.slice(0, at), "labels", ...parts.slice(at + 1)].join(path.sep);
  if (at >= 0 && (await kindOf(mirrored)) === "folder") return true;
  const names = new Set(await readdir(folder));
  return [...names].some((name) => isImageFile(name) && names.has(name.replace(/\.[^.]+$/, ".txt")));
}

async function cocoFile(folder: string, split: Split): Promise<string> {
  const files = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith(".json")).sort(byCodePoint);
  const ofSplit = files.filter((name) => name.includes(split));
  const detection = ofSplit.filter((name) => name.startsWith("instances"));
  const candidates = [detection, ofSplit, files].find((list) => list.length > 0) ?? [];
  if (candidates.length !== 1) throw whichJson(folder, files);
  return path.join(folder, candidates[0] ?? "");
}

const missing = (file: string) => new UserError("DATASET_MISSING", `There is no dataset "${file}".`, "check the path (relative paths start at the config's folder).");

const unknownFormat = (file: string) =>
  new UserError(
    "UNKNOWN_DATASET_FORMAT",
    `Cannot tell what kind of dataset "${file}" is.`,
    "give COCO JSON (.json), a YOLO data.yaml, a list of images (.txt), or a folder.",
  );

const whichJson = (folder: string, files: readonly string[]) =>
  new UserError("AMBIGUOUS_DATASET", `"${folder}" has ${files.length} annotation files: ${files.join(", ") || "none"}.`, "give the JSON file itself as the dataset.");

const noClassNames = (folder: string) =>
  new UserError(
    "NO_CLASS_NAMES",
    `The YOLO labels of "${folder}" have class numbers, but nothing says which classes they are.`,
    "add a data.yaml with names, or a classes.txt with one class a line.",
  );
