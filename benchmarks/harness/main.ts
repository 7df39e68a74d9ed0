import { execa } from "execa";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { median, quantile } from "simple-statistics";
import { saveModel } from "../../onnx/save.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { sha256File } from "../../files/digest.ts";
import { localTarget } from "../../targets/local.ts";
import { startWorkerProcess } from "../../targets/worker-process.ts";
import { Table } from "../table.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "160" }, turns: { type: "string", default: "40" }, seconds: { type: "string", default: "0.5" },
    threads: { type: "string", default: String(availableParallelism()) }, repeats: { type: "string", default: "3" },
  },
});
const threads = Number(values.threads);

interface Loop {
  readonly name: string;
  /** Milliseconds of each run in about so many seconds. */
  readonly time: (seconds: number) => Promise<readonly number[]>;
  readonly close: () => Promise<unknown>;
}

const harness = async (path: string): Promise<Loop> => {
  const worker = startWorkerProcess("model");
  await worker.ask({ kind: "open", path, session: { threads }, batch: 1, picture: null }, "opened");
  return { name: "harness", time: async (seconds) => (await worker.ask({ kind: "round", runs: 1, seconds }, "round")).inferenceMs, close: () => worker.close() };
};

const bare = (path: string): Loop => {
  const child = execa(process.execPath, [join(import.meta.dirname, "bare.js"), path, String(threads)], { buffer: false, stderr: "inherit" });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: "bare loop",
    time: async (seconds) => {
      child.stdin.write(`${seconds}\n`);
      return JSON.parse((await lines.next() as { value: string }).value) as number[];
    },
    close: async () => {
      child.stdin.end();
      await child;
    },
  };
};

/** Two bare loops beside the harness: what the second differs from the first is the machine's noise. */
const printOverhead = async (path: string): Promise<void> => {
  const loops = [bare(path), await harness(path), { ...bare(path), name: "bare loop again" }];
  for (const loop of loops) await loop.time(1);
  const medians = loops.map((): number[] => []);
  for (let turn = 0; turn < Number(values.turns); turn++) {
    for (const index of turn % 2 === 0 ? [0, 1, 2] : [2, 1, 0]) medians[index]!.push(median([...await loops[index]!.time(Number(values.seconds))]));
  }
  const table = new Table(["loop", "p50 ms", "over the bare loop", "quartiles of the turns"]);
  for (const [index, { name }] of loops.entries()) {
    const ratios = medians[index]!.map((value, turn) => 100 * (value / medians[0]![turn]! - 1));
    table.push([name, median(medians[index]!).toFixed(3), index === 0 ? "" : `${median(ratios).toFixed(1)}%`, index === 0 ? "" : `${quantile(ratios, 0.25).toFixed(1)}% to ${quantile(ratios, 0.75).toFixed(1)}%`]);
  }
  console.log(`Overhead: student of ${values.size}×${values.size}, ${threads} threads, ${values.turns} turns of ${values.seconds} s`);
  console.log(table.toString());
  await Promise.all(loops.map((loop) => loop.close()));
};

/** Whole benchmarks, one after the other. */
const printRepeats = async (path: string): Promise<void> => {
  const model = { name: "student", path, sha256: await sha256File(path), precision: "float32" as const };
  const table = new Table(["benchmark", "p50 ms", "stable", "reasons"]);
  const p50s: number[] = [];
  let unstable = 0;
  for (let repeat = 1; repeat <= Number(values.repeats); repeat++) {
    const [record] = await localTarget("local", threads).benchmark({ models: [model], runs: 200, seconds: 10 });
    p50s.push(record!.inferenceMs.p50);
    if (!record!.stable) unstable++;
    table.push([repeat, record!.inferenceMs.p50.toFixed(3), String(record!.stable), (record!.unstableReasons ?? []).join("; ")]);
  }
  console.log(table.toString());
  const spread = Math.max(...p50s) / Math.min(...p50s) - 1;
  console.log(`Slowest over fastest p50: ${(100 * spread).toFixed(1)}%; ${spread <= 0.05 ? "within 5%" : unstable > 0 ? `beyond 5%, and ${unstable} of them say so` : "BEYOND 5% WITHOUT SAYING SO"}`);
};

const folder = await mkdtemp(join(tmpdir(), "edgestill-harness-"));
try {
  const path = join(folder, "student.onnx");
  await saveModel(yoloStudent({ classes: ["a", "b", "c"], size: [Number(values.size), Number(values.size)], width: 0.25, depth: 0.33 }), path);
  await printOverhead(path);
  await printRepeats(path);
} finally {
  await rm(folder, { recursive: true });
}
