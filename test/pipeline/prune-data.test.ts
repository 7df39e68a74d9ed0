import { mkdir, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pruneFile } from "../../pipeline/models/prune.ts";
import { inFolder } from "../helpers/cli.ts";
import { makeDetector, makeScenes, scenePicture } from "../helpers/scenes.ts";

test("pruning on labels says which boxes it leaves out, and on how many pictures gradients are taken", () => inFolder(async (folder) => {
  await makeScenes(folder, 1, 1);
  const [data, model] = [join(folder, "set"), join(folder, "d.onnx")];
  await makeDetector(model);
  await mkdir(data);
  const picture = await scenePicture(folder, "train", 0);
  for (let i = 0; i < 66; i++) {
    await copyFile(picture, join(data, `${i}.jpg`));
    await writeFile(join(data, `${i}.txt`), "0 0.5 0.5 0.3 0.3\n1 0.3 0.3 0.2 0.2\n");
  }
  await writeFile(join(data, "classes.txt"), "car\nzeppelin\n");
  const { notes } = await pruneFile(model, { macs: 0.9, data, out: join(folder, "p.onnx") });
  assert.match(notes.join("\n"), /the model does not know "zeppelin": their boxes are left out/);
  assert.match(notes.join("\n"), /gradients are taken on the first 64 of 66 pictures/);
}));

test.run();
