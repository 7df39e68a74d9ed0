import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureDataWait } from "./data.ts";
import { benchmarkProblem, layerList, type NetOptions } from "./net.ts";
import { startOurs } from "./ours.ts";
import { startPeer, type Trainer } from "./peer.ts";
import { profileByOp } from "./profile.ts";
import { Table } from "../table.ts";

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "8" }, size: { type: "string", default: "160" }, steps: { type: "string", default: "20" },
    threads: { type: "string", default: "2" }, width: { type: "string", default: "0.25" }, depth: { type: "string", default: "0.33" },
    activation: { type: "string", default: "silu" }, norm: { type: "string", default: "batch" }, python: { type: "string", default: "python3" },
    "skip-peers": { type: "boolean", default: false }, "skip-profile": { type: "boolean", default: false }, "skip-data": { type: "boolean", default: false },
  },
});

const net: NetOptions = {
  size: Number(values.size), width: Number(values.width), depth: Number(values.depth), batch: Number(values.batch),
  activation: values.activation === "relu" ? "relu" : "silu", norm: values.norm === "none" ? "none" : "batch",
};
const threads = Number(values.threads);
const steps = Number(values.steps);
const stepsPerTurn = 5;

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** Trainers take turns of a few steps, so that whatever else the machine does hits all alike. */
const takeTurns = async (trainers: readonly Trainer[]): Promise<Map<Trainer, { readonly median: number; readonly fastest: number; readonly peakBytes: number }>> => {
  const seconds = new Map(trainers.map((trainer) => [trainer, [] as number[]]));
  const peaks = new Map<Trainer, number>();
  for (const trainer of trainers) await trainer.steps(3);
  for (let done = 0; done < steps; done += stepsPerTurn) {
    for (const trainer of trainers) {
      const batch = await trainer.steps(stepsPerTurn);
      seconds.get(trainer)!.push(...batch.seconds);
      peaks.set(trainer, batch.peakBytes);
    }
  }
  return new Map(trainers.map((trainer) => [trainer, { median: median(seconds.get(trainer)!), fastest: Math.min(...seconds.get(trainer)!), peakBytes: peaks.get(trainer)! }]));
};

const printComparison = async (): Promise<void> => {
  const problem = benchmarkProblem(net);
  const input = problem.graph.inputs[0]!.staticShape!;
  const peers = values["skip-peers"] ? [] : await Promise.all((["default", "channels_last"] as const).map((layout) =>
    startPeer(layerList(problem), { python: values.python, layout, threads, input })));
  const ours = await startOurs(problem, { threads });
  const results = await takeTurns([ours, ...peers]);
  const best = Math.min(...peers.map((peer) => results.get(peer)!.median));
  const table = new Table(["trainer", "ms/step", "fastest", "images/s", "of PyTorch's best", "peak memory"]);
  for (const [trainer, { median: step, fastest, peakBytes }] of results) {
    table.push([trainer.name, (step * 1000).toFixed(1), (fastest * 1000).toFixed(1), (net.batch / step).toFixed(1), peers.length > 0 ? `${(best / step).toFixed(2)}x` : "", `${(peakBytes / 2 ** 30).toFixed(2)} GiB`]);
  }
  const parameters = problem.parameters.reduce((sum, value) => sum + value.tensor!.size, 0);
  console.log(`YOLOv8-class net, ${(parameters / 1e6).toFixed(2)} M parameters, ${net.activation}, norm ${net.norm}, batch ${input.join("×")}, SGD, ${threads} threads`);
  console.log(table.toString());
  await Promise.all([ours, ...peers].map((trainer) => trainer.close()));
};

const printProfile = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "edgestill-profile-"));
  try {
    const ours = await startOurs(benchmarkProblem(net), { threads, profilePrefix: join(folder, "step") });
    const { seconds } = await ours.steps(10);
    await ours.close();
    const rows = profileByOp(join(folder, readdirSync(folder)[0]!));
    const table = new Table(["op", "ms/step", "calls"]);
    for (const { op, milliseconds, calls } of rows) if (milliseconds >= 0.2) table.push([op, milliseconds.toFixed(1), calls]);
    const [kernels, calls] = [rows.reduce((sum, row) => sum + row.milliseconds, 0), rows.reduce((sum, row) => sum + row.calls, 0)];
    table.push(["all kernels", kernels.toFixed(1), calls], ["the rest of the fastest step", (1000 * Math.min(...seconds) - kernels).toFixed(1), ""]);
    console.log(table.toString());
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const printDataWait = async (): Promise<void> => {
  const { steps: count, millisecondsPerStep, waitShare } = await measureDataWait(net, threads);
  console.log(`Detector on road scenes (mosaic, flips, scaling, colours; AdamW, EMA): ${millisecondsPerStep.toFixed(0)} ms a step over ${count} steps, of it ${(100 * waitShare).toFixed(2)}% waiting for data`);
};

await printComparison();
if (!values["skip-profile"]) await printProfile();
if (!values["skip-data"]) await printDataWait();
