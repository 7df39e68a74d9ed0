/*
 * How long `edgestill verify --no-run` takes for a bundle of about 20 MB, as folder and as archive: npm run build && npx tsx benchmarks/bundle/main.ts [--runs 10]
 * The bundle is that of a student with fresh weights; the command is the built one, in a process of its own each time.
 */
import { execa } from "execa";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeBundle, type WrittenBundle } from "../../bundle/write.ts";
import { loadDetector } from "../../detection/detector.ts";
import { countMacs } from "../../graph/macs.ts";
import { saveModel } from "../../onnx/save.ts";
import { environmentRecord } from "../../pipeline/environment.ts";
import type { Variant } from "../../pipeline/result.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { sha256File } from "../../files/digest.ts";
import { cocoClasses } from "../../vision/index.ts";

const main = join(import.meta.dirname, "../../dist/cli/main.js");

/** A float student of 320×320 and 80 classes: 12 MB of weights, 8 MB of golden vectors. */
const makeBundle = async (folder: string): Promise<WrittenBundle> => {
  const path = join(folder, "student.onnx");
  await saveModel(yoloStudent({ classes: cocoClasses, size: [320, 320], width: 0.25, depth: 0.33 }), path);
  const model = await loadDetector(path);
  const variant: Variant = { name: "student", stage: "student", parent: null, model: path, sha256: await sha256File(path), ...countMacs(model.graph), sizeBytes: (await stat(path)).size, accuracy: null, latency: {} };
  return writeBundle({
    result: { name: "start", config: {}, seed: 0, environment: environmentRecord(), variants: [variant], stages: [], gates: [] },
    models: [{ role: "float", variant: variant.name, path, model, session: {} }], formats: ["cpp"], thresholds: { score: 0.25, iou: 0.5, maxDetections: 300 },
    requirements: [], data: null, ranges: null, autowareLabels: {}, timingCaches: new Map(), limits: [], notes: [],
  }, folder, { tool: { name: "edgestill", version: "0.0.0", onnxruntime: "0.0.0" }, archive: true });
};

const seconds = async (args: readonly string[]): Promise<number> => {
  const started = performance.now();
  await execa(process.execPath, args);
  return (performance.now() - started) / 1000;
};

const { values } = parseArgs({ options: { runs: { type: "string", default: "10" } } });
if (!existsSync(main)) throw new Error("dist/ is missing: npm run build");
const folder = await mkdtemp(join(tmpdir(), "edgestill-bench-bundle-"));
try {
  const bundle = await makeBundle(folder);
  const cases: Readonly<Record<string, readonly string[]>> = {
    "node alone": ["-e", "0"], "--help": [main, "--help"], "verify --no-run, folder": [main, "verify", "--no-run", bundle.folder], "verify --no-run, archive": [main, "verify", "--no-run", bundle.archive!],
  };
  console.log(`bundle of ${(bundle.bytes / 1e6).toFixed(1)} MB, ${values.runs} runs of each, in turns`);
  const times = new Map(Object.keys(cases).map((name): [string, number[]] => [name, []]));
  for (let run = 0; run < Number(values.runs); run++) for (const [name, args] of Object.entries(cases)) times.get(name)!.push(await seconds(args));
  for (const [name, all] of times) {
    const sorted = all.sort((a, b) => a - b);
    console.log(`${name.padEnd(26)} median ${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)} s, slowest ${sorted.at(-1)!.toFixed(2)} s`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
