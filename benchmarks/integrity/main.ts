/**
 * Damages every file of a finished and of an interrupted run, one at a time in four ways, and runs again:
 * `npx tsx benchmarks/integrity/main.ts [--seed 1] [--only <part of a path>] [--sample <share>]`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { damageNames, makeBench, tryDamages } from "../../test/pipeline/damage.ts";
import { diceFor } from "../../vision/random.ts";

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" }, only: { type: "string", default: "" }, sample: { type: "string", default: "1" } } });
const dice = diceFor(Number(values.seed), 0, 0);
const random = (): number => dice.index(2 ** 30) / 2 ** 30;
const folder = await mkdtemp(join(tmpdir(), "edgestill-damage-"));
try {
  const bench = await makeBench(folder);
  const failures: string[] = [];
  let tried = 0;
  const started = performance.now();
  for (const scene of bench.scenes) {
    console.log(`${scene.name}: ${scene.files.length} files`);
    for (const file of scene.files.filter((name) => `${scene.name}/${name}`.includes(values.only))) {
      for (const damage of damageNames) {
        if (random() >= Number(values.sample)) continue;
        tried++;
        const problem = await tryDamages(bench, scene, [{ file, damage }], random);
        if (problem === undefined) continue;
        failures.push(`${scene.name} ${damage} ${file}: ${problem}`);
        console.log(failures.at(-1));
      }
    }
  }
  console.log(`${tried} damages in ${((performance.now() - started) / 1000).toFixed(0)} s, ${failures.length} of them not as they should be`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}
