import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { writeWhole } from "../../files/write.ts";
import { height, width } from "./camera.ts";
import { pictureSeed, Random } from "./random.ts";
import { conditions, scene, type Label } from "./scene.ts";
import { photograph } from "./sensor.ts";
import { classes } from "./sprite.ts";

/** Raised whenever a picture of some seed changes, so that old pictures are not taken for new ones. */
const version = 2;
const seedSalt = 1;

export interface RoadscenesOptions {
  /** Folder that gets `images/`, `train.json`, `val.json`, `test.json` and `manifest.json`. */
  readonly dir: string;
  readonly train: number;
  readonly val: number;
  /** Default 0: no test set. */
  readonly test?: number;
  readonly seed: number;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Roadscenes {
  readonly images: string;
  readonly train: string;
  readonly val: string;
  /** Where the options ask for one. */
  readonly test?: string;
  /** Lists of test pictures (of validation pictures where there is no test set) by light and weather; one without pictures is left out. */
  readonly slices: Readonly<Record<string, string>>;
  /** False when the folder was complete already. */
  readonly generated: boolean;
}

type Split = "train" | "val" | "test";

interface Picture {
  readonly file: string;
  readonly split: Split;
  readonly seed: number;
}

/** One labelled scene: JPEG bytes (320 × 192) and its labels. The same seed gives the same bytes. */
export async function roadscene(seed: number): Promise<{ jpeg: Buffer; labels: readonly Label[] }> {
  const random = new Random(seed);
  const { svg, labels, sensor } = scene(random);
  return { jpeg: await photograph(svg, sensor, random), labels };
}

const exists = (path: string): Promise<boolean> => stat(path).then(({ size }) => size > 0, () => false);

function pictures({ train, val, test = 0, seed }: RoadscenesOptions): Picture[] {
  const split = (name: Split, count: number, salt: number): Picture[] => Array.from({ length: count }, (_, i) =>
    ({ file: `${name}-v${version}-s${seed}-${String(i).padStart(5, "0")}.jpg`, split: name, seed: pictureSeed(seedSalt, seed, salt, i) }));
  return [...split("train", train, 1), ...split("val", val, 2), ...split("test", test, 3)];
}

function cocoJson(entries: readonly { file: string; labels: readonly Label[] }[]): string {
  const annotations = entries.flatMap(({ labels }, image) => labels.map(({ className, box }) => ({ image, className, box: box.map((v) => Math.round(v * 100) / 100) })));
  return JSON.stringify({
    info: { description: "Edgestill road scenes", version: String(version) },
    categories: classes.map((name, i) => ({ id: i + 1, name })),
    images: entries.map(({ file }, i) => ({ id: i + 1, file_name: file, width, height })),
    annotations: annotations.map(({ image, className, box }, i) => ({
      id: i + 1, image_id: image + 1, category_id: classes.indexOf(className) + 1, bbox: box, area: (box[2] ?? 0) * (box[3] ?? 0), iscrowd: 0,
    })),
  });
}

/**
 * Writes a labelled dataset of road scenes in COCO form. Picture i of a split depends on the seed and i alone: a smaller set is a prefix of a
 * larger one. A complete folder is left as it is; a partly written one goes on where it stopped.
 */
export async function generateRoadscenes(options: RoadscenesOptions): Promise<Roadscenes> {
  const { dir, test = 0, onProgress } = options;
  const images = join(dir, "images");
  const paths = { images, train: join(dir, "train.json"), val: join(dir, "val.json"), ...(test > 0 && { test: join(dir, "test.json") }) };
  const manifest = JSON.stringify({ version, seed: options.seed, train: options.train, val: options.val, ...(test > 0 && { test }) });
  const manifestFile = join(dir, "manifest.json");
  if (await readFile(manifestFile, "utf8").then((text) => text === manifest, () => false)) return { ...paths, slices: await writeSlices(options), generated: false };

  await mkdir(images, { recursive: true });
  const todo = pictures(options);
  const labels: (readonly Label[])[] = todo.map(() => []);
  let [next, done] = [0, 0];
  const worker = async (): Promise<void> => {
    for (let i = next++; i < todo.length; i = next++) {
      const picture = todo[i];
      if (!picture) return;
      labels[i] = await write(picture, images);
      onProgress?.((done += 1), todo.length);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
  const entries = todo.map(({ file, split }, i) => ({ file, split, labels: labels[i] ?? [] }));
  for (const split of ["train", "val", "test"] as const) {
    const path = paths[split];
    if (path !== undefined) await writeWhole(path, cocoJson(entries.filter((entry) => entry.split === split)));
  }
  await writeWhole(manifestFile, manifest);
  return { ...paths, slices: await writeSlices(options), generated: true };
}

/** One `slices/<condition>.txt` for each light and weather, drawn again from the seeds where it is not there. */
async function writeSlices(options: RoadscenesOptions): Promise<Record<string, string>> {
  const folder = join(options.dir, "slices");
  const file = (name: string): string => join(folder, `${name}.txt`);
  if (!(await readFile(file("complete"), "utf8").catch(() => ""))) {
    const reported = (options.test ?? 0) > 0 ? "test" : "val";
    const found = pictures(options).filter(({ split }) => split === reported).map((picture) => ({ file: picture.file, conditions: scene(new Random(picture.seed)).conditions }));
    await mkdir(folder, { recursive: true });
    for (const name of conditions) await writeWhole(file(name), found.filter((picture) => picture.conditions.includes(name)).map((picture) => `${picture.file}\n`).join(""));
    await writeWhole(file("complete"), "yes\n");
  }
  const slices: Record<string, string> = {};
  for (const name of conditions) if (await exists(file(name))) slices[name] = file(name);
  return slices;
}

async function write({ file, seed }: Picture, images: string): Promise<readonly Label[]> {
  const path = join(images, file);
  if (await exists(path)) return scene(new Random(seed)).labels;
  const { jpeg, labels } = await roadscene(seed);
  await writeFile(`${path}.part`, jpeg);
  await rename(`${path}.part`, path);
  return labels;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: {
    out: { type: "string" }, train: { type: "string", default: "800" }, val: { type: "string", default: "200" }, test: { type: "string", default: "0" }, seed: { type: "string", default: "1" },
  } });
  const [train, val, test, seed] = [Number(values.train), Number(values.val), Number(values.test), Number(values.seed)];
  if (!values.out || ![train, val, test, seed].every((n) => Number.isInteger(n) && n >= 0)) {
    console.error("usage: tsx examples/roadscenes/generate.ts --out <dir> [--train 800] [--val 200] [--test 0] [--seed 1]");
    process.exitCode = 2;
    return;
  }
  const result = await generateRoadscenes({ dir: values.out, train, val, test, seed, onProgress: (done, total) => { if (done % 100 === 0 || done === total) console.error(`${done}/${total}`); } });
  console.error(result.generated ? `wrote ${values.out}` : `${values.out} is complete`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
