import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { preprocessPreset, SampleCache } from "../../vision/index.ts";
import { failure, withDataset } from "./datasets/folder.ts";

const contract = preprocessPreset("yolov8", [96, 64]);
const files = { "big.png": [400, 300], "small.png": [50, 40] } as const;
const itemsOf = (root: string) => Object.keys(files).map((name) => ({ path: path.join(root, name), boxes: [{ box: [10, 10, 20, 20] as const, classIndex: 0 }] }));

test("pictures are shrunk to 1.3 times what the network sees, with their boxes; small ones stay", () =>
  withDataset(files, async (root) => {
    const cache = new SampleCache(itemsOf(root), contract);
    const big = await cache.get(0);
    assert.equal([big.image.width, big.image.height], [Math.ceil(85 * 1.3), Math.ceil(64 * 1.3)]);
    const [x, , , h] = big.boxes[0]?.box ?? [0, 0, 0, 0];
    assert.equal([x.toFixed(9), h.toFixed(9)], [((10 * 111) / 400).toFixed(9), ((20 * 84) / 300).toFixed(9)]);
    const small = await cache.get(1);
    assert.equal([small.image.width, small.image.height, small.boxes[0]?.box], [50, 40, [10, 10, 20, 20]]);
    assert.is(cache.length, 2);
  }));

test("kept pictures are not read again; beyond the budget they are", () =>
  withDataset(files, async (root) => {
    const [kept, none] = [new SampleCache(itemsOf(root), contract), new SampleCache(itemsOf(root), contract, { budgetBytes: 100 })];
    const [a, b] = await Promise.all([kept.get(0), kept.get(0)]);
    assert.is(a, b);
    assert.is(kept.usedBytes, 111 * 84 * 3);
    assert.equal(await none.get(0), a);
    assert.is(none.usedBytes, 0);
    rmSync(path.join(root, "big.png"));
    assert.is(await kept.get(0), a);
    assert.is((await failure(none.get(0))).code, "IMAGE_MISSING");
  }));

test("a picture that breaks off is an error that names it, each time", () =>
  withDataset(files, async (root) => {
    const file = path.join(root, "big.png");
    writeFileSync(file, readFileSync(file).subarray(0, 4000));
    const cache = new SampleCache(itemsOf(root), contract);
    for (let i = 0; i < 2; i++) assert.match((await failure(cache.get(0))).message, /big\.png/);
  }));

test.run();
