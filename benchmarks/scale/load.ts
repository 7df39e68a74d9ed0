import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../graph/error.ts";
import { parseModel } from "../../onnx/load.ts";
import { inspectModel } from "../../pipeline/models/inspect.ts";
import { largeModels } from "../../test/fuzz/large.ts";

// How long models that are large in one way take to load and to inspect: npx tsx benchmarks/scale/load.ts [word] [runs]
// The goal is 5 s each (the minimum of the runs); the time of all cores is beside it, for a machine that has other work.

const [word = "", runs = "3"] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "edgestill-scale-"));

const timed = async (work: () => unknown): Promise<{ readonly ms: number; readonly cpuMs: number; readonly outcome: string }> => {
  const [started, used] = [performance.now(), process.cpuUsage()];
  let outcome = "done";
  try {
    await work();
  } catch (error) {
    outcome = error instanceof UserError ? error.code : String(error);
  }
  const { user, system } = process.cpuUsage(used);
  return { ms: performance.now() - started, cpuMs: (user + system) / 1000, outcome };
};

const best = async (work: () => unknown): Promise<string> => {
  const all = [];
  for (let run = 0; run < Number(runs); run++) all.push(await timed(work));
  const least = (times: readonly number[]): string => (Math.min(...times) / 1000).toFixed(2);
  return `${least(all.map(({ ms }) => ms))} s, ${least(all.map(({ cpuMs }) => cpuMs))} s of cores (${all[0]!.outcome})`;
};

console.log("| model | size | load | load and inspect |\n|---|---|---|---|");
for (const [name, make] of Object.entries(largeModels).filter(([each]) => each.includes(word))) {
  const bytes = make();
  const path = join(folder, "model.onnx");
  await writeFile(path, bytes);
  const load = await best(() => parseModel(bytes));
  console.log(
    `| ${name} | ${(bytes.length / 1e6).toFixed(1)} MB | ${load} | ${await best(() => inspectModel(path))} |`,
  );
}
await rm(folder, { recursive: true });
