import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadDetector } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import type { Graph } from "../../graph/graph.ts";
import { serializeModel } from "../../onnx/save.ts";
import { calibrationFeeds, calibrationPaths } from "../../pipeline/quantize/calibration-data.ts";
import { compact } from "../../pipeline/quantize/compact.ts";
import { collectStatistics, rangesOf } from "../../pipeline/quantize/calibrate.ts";
import { emitCpu } from "../../pipeline/quantize/cpu.ts";
import { startingFloatSet } from "../../pipeline/quantize/float-set.ts";
import { observedValues } from "../../pipeline/quantize/observe.ts";
import { prepareForQuantization } from "../../pipeline/quantize/prepare.ts";
import type { CalibrationMethod } from "../../pipeline/quantize/ranges.ts";
import { int8ActivationsSession, int8CpuSession, int8TensorrtSession } from "../../pipeline/quantize/sessions.ts";
import { emitTensorrt } from "../../pipeline/quantize/tensorrt.ts";
import { points } from "../../report/figures.ts";
import type { SessionOptions } from "../../runtime/session.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { runPeer, writePeerFiles, type PeerJob } from "./peer.ts";
import { race, type Racer } from "./speed.ts";
import { Table } from "../table.ts";

/**
 * Accuracy, size, calibration time and speed of int8 files, beside onnxruntime's Python quantizer on the same model and pictures:
 *   npx tsx benchmarks/quantization/main.ts [--model F] [--calibration DIR] [--data DIR] [--methods minmax,mse] [--limit N] [--python P] [--skip-peers]
 */
const { values } = parseArgs({
  options: {
    model: { type: "string", default: "../shared/assets/models/yolov8n_320.onnx" },
    calibration: { type: "string", default: "../shared/assets/data/highway" },
    data: { type: "string", default: "../shared/assets/data/coco-val128" },
    methods: { type: "string", default: "minmax,percentile,entropy,mse" },
    pictures: { type: "string", default: "64" }, limit: { type: "string", default: "100000" }, threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "20" }, python: { type: "string", default: "python3" },
    "skip-peers": { type: "boolean", default: false }, "skip-speed": { type: "boolean", default: false },
  },
});
const threads = Number(values.threads);

const model = await loadDetector(values.model);
const dataset = await openDataset(values.data, { modelNames: model.classes });
const items = dataset.items.slice(0, Number(values.limit));
const prepared = prepareForQuantization(model.graph);
const paths = await calibrationPaths(values.calibration, Number(values.pictures));
const feeds = () => calibrationFeeds(paths, model.contract, prepared.inputs[0]!.name);
const floatNodes = new Set([...startingFloatSet(prepared).keys()].map(({ name }) => name));

interface Row {
  readonly name: string;
  readonly graph: Graph;
  readonly session: SessionOptions;
  readonly calibration?: string;
}

const seconds = (since: number): number => (performance.now() - since) / 1000;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
/** The file as it is delivered. */
const fileOf = (name: string, graph: Graph): Uint8Array => (name.startsWith("edgestill") ? serializeModel(compact(graph), { valueInfo: false }) : serializeModel(graph));

const rows: Row[] = [{ name: "float", graph: prepared, session: {} }];
const before = process.memoryUsage.rss();
const start = performance.now();
let peak = 0;
const statistics = await collectStatistics(prepared, observedValues(prepared, floatNodes), feeds(), { threads, onProgress: () => { peak = Math.max(peak, process.memoryUsage.rss()); } });
const pass = seconds(start);
for (const method of values.methods.split(",") as CalibrationMethod[]) {
  const from = performance.now();
  const table = rangesOf(statistics, method);
  const calibration = `${(pass + seconds(from)).toFixed(1)} s, +${mebibytes(peak - before)}`;
  rows.push({ name: `edgestill ${method}, cpu`, graph: emitCpu(prepared, table, { floatNodes }).graph, session: int8CpuSession, calibration });
  if (method === "mse") {
    rows.push({ name: `edgestill ${method}, cpu, SiLU in int8`, graph: emitCpu(prepared, table, { floatNodes, silu: "int8" }).graph, session: int8CpuSession, calibration });
    rows.push({ name: `edgestill ${method}, cpu, int8 activations`, graph: emitCpu(prepared, table, { floatNodes, activations: "int8" }).graph, session: int8ActivationsSession, calibration });
  }
  rows.push({ name: `edgestill ${method}, tensorrt`, graph: emitTensorrt(prepared, table, { floatNodes }).graph, session: int8TensorrtSession, calibration });
}

const peers: readonly PeerJob[] = [
  { name: "onnxruntime minmax, all ops", method: "minmax", ops: null, keepFloat: [] },
  { name: "onnxruntime minmax, Conv only", method: "minmax", ops: ["Conv"], keepFloat: [] },
  { name: "onnxruntime minmax, Conv only, heads float", method: "minmax", ops: ["Conv"], keepFloat: [...floatNodes] },
  { name: "onnxruntime entropy, Conv only, heads float", method: "entropy", ops: ["Conv"], keepFloat: [...floatNodes] },
  { name: "onnxruntime percentile, Conv only, heads float", method: "percentile", ops: ["Conv"], keepFloat: [...floatNodes] },
];
if (!values["skip-peers"]) {
  const folder = mkdtempSync(join(tmpdir(), "edgestill-quantization-"));
  try {
    const files = await writePeerFiles(prepared, feeds(), folder);
    for (const job of peers) {
      const result = await runPeer(values.python, files, job, folder);
      rows.push({ name: job.name, graph: result.graph, session: int8ActivationsSession, calibration: `${result.seconds.toFixed(1)} s, ${mebibytes(result.peakBytes)}` });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const racers: Racer[] = rows.filter(({ name }) => /float$|^edgestill mse, cpu|minmax, Conv only$/.test(name))
  .map(({ name, graph, session }) => ({ name, graph, session }));
const speed = values["skip-speed"] ? new Map<string, number>() : await race(racers, statistics.examples[0]!, Number(values.rounds));
const floatMs = speed.get("float");
const ratio = (name: string): string => {
  const ms = speed.get(name);
  return ms === undefined || floatMs === undefined ? "" : `${(floatMs / ms).toFixed(2)}x (${ms.toFixed(1)} ms)`;
};

console.log(`${values.model}, ${paths.length} calibration pictures, mAP on ${items.length} pictures, ${cpus()[0]?.model.trim() ?? "?"}`);
const table = new Table(["file", "mAP", "AP50", "drop", "size", "speed of float", "calibration"]);
let floatMap = 0;
for (const { name, graph, session, calibration } of rows) {
  const { accuracy } = await evaluateDetector(model, items, dataset.classes, { session: { threads, ...session } }, graph);
  if (name === "float") floatMap = accuracy.map;
  const cells = [name, points(accuracy.map), points(accuracy.map50), points(floatMap - accuracy.map), kilobytes(fileOf(name, graph).length), ratio(name), calibration ?? ""];
  console.error(cells.join("  "));
  table.push(cells);
}
console.log(table.toString());
for (const { name } of racers) console.log(`${name}: ${ratio(name)}`);
if (floatMs !== undefined) console.log(`Speed: CPU time on one thread, in turns; "cpu" files with default settings.`);
