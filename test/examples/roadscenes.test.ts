import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { generateRoadscenes, roadscene } from "../../examples/roadscenes/generate.ts";

interface Coco {
  readonly categories: { id: number; name: string }[];
  readonly images: { id: number; file_name: string; width: number; height: number }[];
  readonly annotations: { image_id: number; category_id: number; bbox: [number, number, number, number] }[];
}

const inFolder = (work: (dir: string) => Promise<void>) => async (): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), "roadscenes-"));
  try {
    await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
};
const read = async (path: string): Promise<Coco> => JSON.parse(await readFile(path, "utf8")) as Coco;

test("the same seed gives the same bytes and labels, another seed others", async () => {
  const [a, b, c] = await Promise.all([roadscene(7), roadscene(7), roadscene(8)]);
  assert.ok(a.jpeg.equals(b.jpeg));
  assert.equal(a.labels, b.labels);
  assert.not(a.jpeg.equals(c.jpeg));
});

test("labels lie in the picture, are not tiny, and all five classes occur", inFolder(async (dir) => {
  const { train } = await generateRoadscenes({ dir, train: 40, val: 0, seed: 3 });
  const { annotations, categories, images } = await read(train);
  assert.is(images.length, 40);
  assert.equal(categories.map(({ name }) => name), ["car", "truck", "pedestrian", "cyclist", "traffic_light"]);
  assert.is(new Set(annotations.map((a) => a.category_id)).size, 5);
  for (const { bbox: [x, y, w, h] } of annotations) {
    assert.ok(x >= 0 && y >= 0 && x + w <= 320.01 && y + h <= 192.01);
    assert.ok(Math.min(w, h) >= 7.99, `side ${Math.min(w, h)}`);
  }
}));

test("a complete folder is left alone, a partly written one goes on, a smaller set is a prefix", inFolder(async (dir) => {
  const options = { dir: join(dir, "a"), train: 4, val: 2, seed: 5 };
  assert.is((await generateRoadscenes(options)).generated, true);
  assert.is((await generateRoadscenes(options)).generated, false);
  const before = await readFile(join(options.dir, "train.json"), "utf8");
  const [first = ""] = await readdir(join(options.dir, "images"));
  const bytes = await readFile(join(options.dir, "images", first));
  await rm(join(options.dir, "images", first));
  await writeFile(join(options.dir, "manifest.json"), "");
  await generateRoadscenes(options);
  assert.is(await readFile(join(options.dir, "train.json"), "utf8"), before);
  assert.ok(bytes.equals(await readFile(join(options.dir, "images", first))));
  const small = await generateRoadscenes({ ...options, dir: join(dir, "b"), train: 2 });
  assert.equal((await read(small.train)).annotations, (JSON.parse(before) as Coco).annotations.filter((a) => a.image_id <= 2));
}));

test.run();
