import { test } from "uvu";
import * as assert from "uvu/assert";
import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Graph } from "../../graph/graph.ts";
import { loadModel } from "../../onnx/load.ts";
import { BestStateKeeper } from "../../pipeline/best-state.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { inFolder } from "../helpers/cli.ts";

const named = (name: string): Graph => {
  const graph = yoloStudent({ classes: ["car"], size: [64, 64], width: 0.125, depth: 0.1 });
  graph.name = name;
  return graph;
};

const open = async (folder: string): Promise<BestStateKeeper> => {
  const keeper = await BestStateKeeper.open(folder, "training a");
  if (!(keeper instanceof BestStateKeeper)) throw new Error(`${keeper.path} ${keeper.damage}`);
  return keeper;
};

test("the best state is kept, of equal ones the later, and it survives an interruption", () => inFolder(async (folder) => {
  const keeper = await open(folder);
  assert.is(keeper.best, undefined);
  for (const [epoch, map] of [[0, 0.3], [1, 0.1], [2, 0.4], [3, 0.4], [4, 0.2]] as const) await keeper.offer(epoch, map, () => named(`epoch ${epoch}`));
  assert.equal(keeper.best, { epoch: 3, map: 0.4, model: join(folder, "best-3.onnx") });
  assert.equal((await readdir(folder)).sort(), ["best-3.onnx", "best.json"]);

  const resumed = await open(folder);
  assert.equal(resumed.best, keeper.best);
  await resumed.offer(3, 0.4, () => { throw new Error("an epoch that was measured already is not written again"); });
  assert.is((await loadModel(resumed.best!.model)).graph.name, "epoch 3");
  await resumed.offer(5, 0.5, () => named("epoch 5"));
  assert.is((await loadModel(resumed.best!.model)).graph.name, "epoch 5");
}));

test("a best state that is not as it was written, or another training's, is named", () => inFolder(async (folder) => {
  await (await open(folder)).offer(1, 0.3, () => named("epoch 1"));
  assert.equal(await BestStateKeeper.open(folder, "training b"), { path: join(folder, "best.json"), damage: "belongs to something else" });
  await appendFile(join(folder, "best-1.onnx"), "x");
  assert.equal(await BestStateKeeper.open(folder, "training a"), { path: join(folder, "best-1.onnx"), damage: "is not what was written" });
}));

test.run();
