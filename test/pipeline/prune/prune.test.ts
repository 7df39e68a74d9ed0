import { existsSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../../graph/error.ts";
import type { Graph } from "../../../graph/graph.ts";
import { countMacs } from "../../../graph/macs.ts";
import { elementCount, Tensor } from "../../../graph/tensor.ts";
import { loadModel } from "../../../onnx/load.ts";
import { deriveStudent, prunable, pruneModel, type PruneOptions, type PruneProgress } from "../../../pipeline/prune/prune.ts";
import { runOnce, type Feeds } from "../../../runtime/session.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { distance, Net, noise } from "./pruning.ts";

const assets = new URL("../../../../shared/assets/", import.meta.url).pathname;
const models = { "models/yolov8n_320.onnx": 1, "models/yolox_nano_416.onnx": 255, "models/yolov8s.onnx": 1, "text/bert-mini-sst2/model.onnx": 1 };
const tokens = 12;

/** Pixels in [0, `scale`), token numbers, a mask of ones; dynamic sizes become 1 sentence of a few tokens. */
const randomFeeds = (graph: Graph, scale: number): Feeds => Object.fromEntries(graph.inputs.map(({ name, dtype, shape }) => {
  const sizes = shape!.map((dim, axis) => (typeof dim === "number" ? dim : axis === 0 ? 1 : tokens));
  const values = noise(elementCount(sizes), 3).map((value) => (value + 1) / 2);
  if (dtype === "float32") return [name, Tensor.float32(sizes, values.map((value) => value * scale))];
  return [name, Tensor.int64(sizes, Array.from(values, (value) => (name.includes("mask") ? 1 : name.includes("ids") && !name.includes("type") ? Math.floor(value * 5000) : 0)))];
}));

/** The contract of pruning: the outputs of the pruned and the masked model agree to 1e-5 of their scale, and the MACs to 2% of the target. */
const prunedEqualsMasked = async (original: Graph, macs: number, scale: number): Promise<void> => {
  const { graph, masked, report } = await pruneModel(original, { macs, dims: { seq: tokens } });
  const reached = report.reachedMacs! / report.targetMacs!;
  assert.ok(Math.abs(reached - 1) <= 0.02, `reached ${reached} of the target: ${report.note}`);
  assert.is(report.note, undefined);
  const feeds = randomFeeds(original, scale);
  const difference = distance(await runOnce(graph, feeds, { threads: 1 }), await runOnce(masked!, feeds, { threads: 1 }));
  assert.ok(difference <= 1e-5, `outputs differ by ${difference}`);
};

for (const macs of [0.9, 0.7, 0.5])
  for (const activation of ["relu", "silu"] as const)
    test(`a built ${activation} student at ${macs} of the MACs: pruned equals masked`, () =>
      prunedEqualsMasked(yoloStudent({ classes: ["car", "person"], size: [192, 96], width: 0.25, depth: 0.33, activation }), macs, 1));

for (const [path, scale] of Object.entries(models))
  for (const macs of [0.9, 0.7, 0.5]) {
    const proof = async (): Promise<void> => prunedEqualsMasked((await loadModel(assets + path)).graph, macs, scale);
    const name = `${path} at ${macs} of the MACs: pruned equals masked`;
    if (existsSync(assets + path)) test(name, proof);
    else test.skip(`${name} (needs ../shared/assets)`, proof);
  }

const sample = (): Graph => {
  const net = new Net();
  const h = net.relu(net.conv(net.relu(net.conv(net.input([1, 3, 8, 8]), 32)), 64, { kernel: 3 }));
  const graph = net.done(net.conv(net.relu(net.conv(h, 48)), 5));
  for (const [index, node] of [...graph.nodes].filter(({ opType }) => opType === "Conv").entries()) node.name = `model.${index}/Conv`;
  return graph;
};

const widths = (graph: Graph): unknown[] => [...graph.nodes].filter(({ opType }) => opType === "Conv").map((node) => node.out().shape![1]);

test("steps go to the target evenly, with recovery and mAP after each", async () => {
  const phases: PruneProgress["phase"][] = [];
  let trained = 0;
  const { graph, masked, report } = await pruneModel(sample(), {
    macs: 0.4, steps: 3,
    recover: (cut) => Promise.resolve((trained++, cut.clone())),
    evaluate: (model) => Promise.resolve(countMacs(model).macs / 1e9 + trained),
    onProgress: ({ phase }) => phases.push(phase),
  });
  assert.is(trained, 3);
  assert.is(masked, undefined);
  assert.is(report.steps!.length, 3);
  for (const [step, { macs, mapBefore, mapAfter }] of report.steps!.entries()) {
    assert.ok(Math.abs(macs / countMacs(sample()).macs - (1 - 0.2 * (step + 1))) < 0.06, `step ${step}: ${macs}`);
    assert.is(Math.round(mapAfter! - mapBefore!), 1);
  }
  assert.equal(phases.slice(0, 5), ["score", "cut", "evaluate", "recover", "evaluate"]);
  assert.is(report.reachedMacs, countMacs(graph).macs);
  assert.equal(report.groups!.map(({ channelsAfter }) => channelsAfter), widths(graph).slice(0, -1));
  assert.equal(report.groups!.map(({ channelsBefore }) => channelsBefore), [32, 64, 48]);
});

test("a target in parameters", async () => {
  const { graph, report } = await pruneModel(sample(), { parameters: 0.5 });
  assert.is(report.parameters, countMacs(graph).parameters);
  assert.ok(Math.abs(report.parameters! / countMacs(sample()).parameters - 0.5) < 0.05);
});

test("excluded layers keep their channels", async () => {
  const { graph } = await pruneModel(sample(), { macs: 0.6, exclude: ["model.1", "*.2/Conv"] });
  assert.equal(widths(graph).slice(1, 3), [64, 48]);
});

test("the input graph stays as it was", async () => {
  const graph = sample();
  await pruneModel(graph, { macs: 0.5 });
  assert.equal(widths(graph), [32, 64, 48, 5]);
});

const refused: readonly (readonly [string, PruneOptions])[] = [
  ["EXCLUDE_UNMATCHED", { macs: 0.5, exclude: ["model.9"] }],
  ["PRUNE_TARGET", { macs: 60 }],
  ["PRUNE_TARGET", {}],
  ["PRUNE_TARGET", { macs: 0.5, parameters: 0.5 }],
  ["PRUNE_STEPS", { macs: 0.5, steps: 0 }],
  ["NO_GRADIENTS", { macs: 0.5, criterion: "taylor" }],
];

for (const [code, options] of refused)
  test(`${JSON.stringify(options)} is refused as ${code}`, async () => {
    await pruneModel(sample(), options).then(() => assert.unreachable("accepted"), (error: unknown) => {
      assert.instance(error, UserError);
      assert.is((error as UserError).code, code);
    });
  });

test("a target below what may be removed is explained", async () => {
  const { report } = await pruneModel(sample(), { macs: 0.01 });
  assert.match(report.note!, /minimum/);
});

test("prunable names groups and what blocks the rest", () => {
  const { layers, totalLayers, groups, blocked } = prunable(sample());
  assert.equal([layers, totalLayers], [3, 4]);
  assert.equal(groups[1], { name: "model.1/Conv", layers: ["model.1/Conv"], channels: 64 });
  assert.equal(blocked.map(({ opType, layers: names }) => [opType, ...names]), [["output", "model.3/Conv"]]);
});

test("a derived student has the share of the MACs and every layer narrower", async () => {
  const { graph } = await deriveStudent(sample(), { macs: 0.5 });
  assert.ok(Math.abs(countMacs(graph).macs / countMacs(sample()).macs - 0.5) < 0.05);
  const before = widths(sample()) as number[];
  for (const [index, width] of (widths(graph) as number[]).slice(0, -1).entries()) assert.ok(width < before[index]!);
});

test.run();
