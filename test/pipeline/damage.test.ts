import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { diceFor } from "../../vision/random.ts";
import { damageNames, makeBench, tryDamage, type Bench } from "./damage.ts";

/** One file of each kind; benchmarks/integrity/ takes all of them, in all ways. */
const kinds: readonly (readonly [scene: string, file: RegExp])[] = [
  ["finished", /^tiny-[^/]*\/distill-[^/]*\/.*\.onnx$/],
  ["finished", /^tiny-[^/]*\/quantize-[^/]*\/(stage|ranges)\.json$/],
  ["finished", /^tiny-[^/]*\/(evaluate|bundle)-[^/]*\//],
  ["cache", /^cache\/teacher\/.*\.f16$/],
  ["cache", /^cache\/training\/.*\.(onnx|json)$/],
  ["cache", /^cache\/accuracy\//],
  ["interrupted", /(checkpoint|best\.json|best-\d+\.onnx|curve\.json)$/],
];
const dice = diceFor(8, 0, 0);
let bench: Bench;
const folder = await mkdtemp(join(tmpdir(), "damage-"));

test.before(async () => { bench = await makeBench(folder); });
test.after(() => rm(folder, { recursive: true, force: true }));

for (const [name, kind] of kinds) {
  test(`${name}: a damaged file ${kind.source} is named in one line, and the run comes to the same`, async () => {
    const scene = bench.scenes.find((one) => one.name === name)!;
    const files = scene.files.filter((file) => kind.test(file));
    assert.ok(files.length > 0, scene.files.join("\n"));
    const file = files[dice.index(files.length)]!;
    const damage = damageNames[dice.index(name === "cache" ? 3 : 4)]!;
    assert.is(await tryDamage(bench, scene, file, damage, () => dice.between(0, 1)), undefined, `${damage} ${file}`);
  });
}

test.run();
