import path from "node:path";
import { isScalar, visit, type Document, type LineCounter } from "yaml";
import { z } from "zod";
import { UserError } from "../../graph/error.ts";
import { inputLimits } from "../../input/limits.ts";
import { readYaml as readText } from "../../input/yaml.ts";
import { checkSchema, problemText } from "../../input/schema.ts";
import type { Split } from "./dataset.ts";
import { kindOf, readIfPresent } from "./files.ts";
import { checkClassNames } from "./name-check.ts";
import { unclearName } from "./plain-names.ts";
import type { YoloSource } from "./yolo.ts";

const places = z.union([z.string(), z.array(z.string())]).nullish();
const className = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const schema = z.object({
  path: z.string().nullish(),
  train: places,
  val: places,
  valid: places,
  test: places,
  nc: z.number().int().positive().nullish(),
  kpt_shape: z.tuple([z.number().int().positive(), z.union([z.literal(2), z.literal(3)])]).nullish(),
  names: z.union([z.array(className), z.record(z.string().regex(/^\d+$/), className)], { error: "the class names are wanted, as a list or as a map of the class numbers 0, 1, 2, …" }),
});
type DataYaml = z.infer<typeof schema>;

/** Reads an Ultralytics data.yaml: names (list or map), and one split's folders or lists, relative to `path` or to the file. */
export async function readDataYaml(file: string, split: Split): Promise<YoloSource> {
  const yaml = await readYaml(file);
  const names = namesOf(file, yaml);
  const listed = yaml[split] ?? (split === "val" ? yaml.valid : undefined);
  if (listed === undefined || listed === null) throw noSplit(file, split, yaml);
  const folder = path.dirname(path.resolve(file));
  const root = await rootOf(folder, yaml.path ?? undefined);
  const places = await Promise.all([listed].flat().map((place) => resolvePlace(root, place)));
  return { images: places.map(({ place }) => place), root, names, keypoints: yaml.kpt_shape ?? undefined, notes: places.flatMap(({ note }) => note ?? []) };
}

/** The class names alone. */
export async function readDataYamlNames(file: string): Promise<string[]> {
  return namesOf(file, await readYaml(file));
}

async function readYaml(file: string): Promise<DataYaml> {
  const text = await readIfPresent(file, inputLimits.dataYamlBytes);
  if (text === undefined) throw badYaml(file, "no such file");
  return parseYaml(file, text);
}

function parseYaml(file: string, text: string): DataYaml {
  const { document, lines, value, problems: [problem] } = readText(text);
  if (problem) throw badYaml(file, `${problem.message} (line ${problem.line})`);
  const unclear = unclearName(document);
  if (unclear) throw badYaml(file, `${unclear.message} (line ${lines.linePos(unclear.offset).line}): put it in quotes`);
  const { data, problems: wrong } = checkSchema(schema, value, "file");
  if (wrong) throw badYaml(file, problemText(wrong));
  checkClassNames(`"${file}"`, Object.values(data.names), ({ name }) => lineOf(document, lines, name));
  return data;
}

/** The line of the first value that reads so. */
function lineOf(document: Document, lines: LineCounter, name: string): number | undefined {
  let offset: number | undefined;
  visit(document, { Scalar: (_, node) => (isScalar(node) && String(node.value) === name && node.range ? ((offset = node.range[0]), visit.BREAK) : undefined) });
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function namesOf(file: string, { names, nc }: DataYaml): string[] {
  const list = Array.isArray(names) ? names : Array.from({ length: Object.keys(names).length }, (_, i) => names[i]);
  if (!list.every((name) => name !== undefined)) throw badYaml(file, "names: the class numbers must be 0, 1, 2, … without gaps");
  if (nc !== undefined && nc !== null && nc !== list.length) throw badYaml(file, `nc is ${nc} but there are ${list.length} names`);
  return list;
}

/** `path` is often left as on the author's machine; the file's own folder is right then. */
async function rootOf(folder: string, declared: string | undefined): Promise<string> {
  const root = path.resolve(folder, declared ?? ".");
  return (await kindOf(root)) === "folder" ? root : folder;
}

/** Roboflow writes `../train/images` beside the folder `train`: Ultralytics drops the `../` where the plain path is missing. */
async function resolvePlace(root: string, written: string): Promise<{ place: string; note?: string }> {
  const given = (await kindOf(path.resolve(root, written))) ? written : written.replaceAll("\\", "/"); // Windows writes \
  const plain = path.resolve(root, given);
  if (!given.startsWith("../")) return { place: plain };
  const inside = path.resolve(root, given.slice(3));
  if ((await kindOf(plain)) === undefined) return { place: inside };
  return { place: plain, ...((await kindOf(inside)) && { note: `"${plain}" is used, as data.yaml says; "${inside}" exists too, which exporters that write ../ may mean` }) };
}

const badYaml = (file: string, reason: string) =>
  new UserError("BAD_DATA_YAML", `Cannot use "${file}": ${reason}.`, "it needs train and val (folders of pictures) and names (the classes).");

function noSplit(file: string, split: Split, yaml: DataYaml): UserError {
  const present = (["train", "val", "test"] as const).filter((name) => yaml[name]);
  return new UserError("NO_SPLIT", `"${file}" names no ${split} pictures; it has: ${present.join(", ") || "nothing"}.`, `add "${split}: <folder>" or choose another split.`);
}
