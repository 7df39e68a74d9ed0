/**
 * What opening a large data set costs, the first time and again: `npx tsx benchmarks/datasets/open.ts [--pictures 50000] [--folder <dir>]`.
 * Makes a COCO set of small JPEG pictures in the folder (kept for the next time), opens it and takes its digest as a plan does.
 */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { openSetMemory, setDigest } from "../../pipeline/contents.ts";
import { silentReporter } from "../../pipeline/progress.ts";
import { openDataset } from "../../vision/index.ts";

const { values } = parseArgs({ options: { pictures: { type: "string", default: "50000" }, folder: { type: "string", default: join(tmpdir(), "edgestill-many-pictures") } } });
const pictures = Number(values.pictures);
const folder = join(values.folder, String(pictures));
const labels = join(folder, "labels.json");
const cache = join(folder, "cache");

const make = async (): Promise<void> => {
  await mkdir(join(folder, "images"), { recursive: true });
  const bytes = await sharp({ create: { width: 64, height: 48, channels: 3, background: "gray" } }).jpeg().toBuffer();
  const images = Array.from({ length: pictures }, (_, id) => ({ id, file_name: `${String(id).padStart(6, "0")}.jpg`, width: 64, height: 48 }));
  for (const { id, file_name: name } of images) {
    const comment = Buffer.from([0xff, 0xfe, 0, 10, ...Buffer.from(String(id).padStart(8, "0"))]); // every file has other bytes
    await writeFile(join(folder, "images", name), Buffer.concat([bytes.subarray(0, 2), comment, bytes.subarray(2)]));
  }
  const annotations = images.map(({ id }) => ({ id, image_id: id, category_id: 1, bbox: [8, 8, 16, 16], area: 256, iscrowd: 0 }));
  await writeFile(labels, JSON.stringify({ images, annotations, categories: [{ id: 1, name: "car" }] }));
};

const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const started = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
};

if (!(await stat(labels).catch(() => undefined))) await timed(`making ${pictures} pictures`, make);
await rm(cache, { recursive: true, force: true });
const opening = async (): Promise<string> => {
  const memory = await openSetMemory(cache, [labels], silentReporter);
  const { items } = await timed("  labels, headers and ends", () => openDataset({ path: labels, images: join(folder, "images") }, { remember: (path, name, read) => memory.facts.get(path, name, read) }));
  const digest = await timed("  digests", () => setDigest(items, "training set", memory, silentReporter));
  await timed("  keeping what was read", () => memory.save());
  return digest;
};
const digests = [];
for (const turn of ["first time", "second time", "third time"]) digests.push(await timed(turn, opening));
if (new Set(digests).size > 1) throw new Error(`bug: the digests differ: ${digests.join(", ")}`);
