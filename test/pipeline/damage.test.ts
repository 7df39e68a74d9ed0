import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diceFor } from "../../vision/random.ts";
import { damageNames, makeBench, quickStages, tryDamages, type Bench } from "./damage.ts";

/** One file of each kind, all in one run; benchmarks/integrity/ takes every file alone, in all ways. */
const kinds: Readonly<Record<string, readonly RegExp[]>> = {
  finished: [/^tiny-[^/]*\/distill-[^/]*\/.*\.onnx$/, /^tiny-[^/]*\/quantize-[^/]*\/(stage|ranges)\.json$/, /^tiny-[^/]*\/(evaluate|bundle)-[^/]*\//],
  cache: [/^cache\/teacher\/.*\.f16$/, /^cache\/training\/.*\.(onnx|json)$/, /^cache\/accuracy\//],
  interrupted: [/(checkpoint|best\.json|best-\d+\.onnx|curve\.json)$/],
};
const dice = diceFor(8, 0, 0);
let bench: Bench;
const folder = await mkdtemp(join(tmpdir(), "damage-"));

test.before(async () => { bench = await makeBench(folder, quickStages); });
test.after(() => rm(folder, { recursive: true, force: true }));

for (const [name, patterns] of Object.entries(kinds)) {
  test(`${name}: each damaged file is named in one line, and the run comes to the same`, async () => {
    const scene = bench.scenes.find((one) => one.name === name)!;
    const chosen = patterns.map((pattern) => {
      const files = scene.files.filter((file) => pattern.test(file));
      assert.ok(files.length > 0, `${pattern.source}: ${scene.files.join("\n")}`);
      return { file: files[dice.index(files.length)]!, damage: damageNames[dice.index(name === "cache" ? 3 : 4)]! };
    });
    assert.is(await tryDamages(bench, scene, chosen, () => dice.between(0, 1)), undefined, JSON.stringify(chosen));
  });
}

test.run();
