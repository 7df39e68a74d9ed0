import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../../graph/error.ts";
import type { Graph } from "../../../graph/graph.ts";
import { countMacs } from "../../../graph/macs.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { prunedGraph } from "../../../pipeline/prune/apply.ts";
import { costModel } from "../../../pipeline/prune/costs.ts";
import { findGroups } from "../../../pipeline/prune/groups.ts";
import { scoreGroups, type Gradients } from "../../../pipeline/prune/scores.ts";
import { searchUnits, type SearchOptions } from "../../../pipeline/prune/search.ts";
import { everyThird, Net } from "./pruning.ts";

/** A C2f block, a depthwise convolution and a chain: 64, 32, 48 channels. */
const sample = (): Graph => {
  const net = new Net();
  const [left, right] = net.b.split(net.relu(net.conv(net.input([1, 3, 8, 8]), 64)), [32, 32], 1);
  const m = net.b.add(right!, net.conv(net.relu(net.conv(right!, 48, { kernel: 3 })), 32, { kernel: 3 }));
  const h = net.relu(net.conv(net.b.concat([left!, right!, m], 1), 64));
  return net.done(net.conv(net.relu(net.conv(h, 64, { kernel: 3, group: 64 })), 5));
};

test("the cost model equals the costs of the pruned graph", () => {
  const structure = findGroups(sample());
  const cost = costModel(structure.graph, structure.closure, countMacs(structure.graph));
  const plan = everyThird(structure);
  cost.remove(plan.units);
  const { macs, parameters } = countMacs(prunedGraph(plan));
  assert.is(Math.round(cost.macs), macs);
  assert.is(Math.round(cost.parameters), parameters);
  cost.restore(plan.units);
  assert.is(Math.round(cost.macs), countMacs(structure.graph).macs);
});

const options = (by: "macs" | "parameters", value: number, change: Partial<SearchOptions> = {}): SearchOptions =>
  ({ target: { by, value }, allocation: "global", round: 8, minChannels: 8, maxRemoved: 0.8, tolerance: 0.02, ...change });

const searched = async (share: number, change: Partial<SearchOptions> = {}, by: "macs" | "parameters" = "macs") => {
  const structure = findGroups(sample());
  const totals = countMacs(structure.graph);
  const cost = costModel(structure.graph, structure.closure, totals);
  const { removed, note } = searchUnits(await scoreGroups(structure, "l2"), cost, options(by, totals[by] * share, change));
  const pruned = prunedGraph({ structure, units: [...removed.values()].flat() });
  return { structure, removed, note, pruned, share: countMacs(pruned)[by] / totals[by] };
};

for (const allocation of ["global", "uniform"] as const)
  for (const by of ["macs", "parameters"] as const)
    test(`${allocation} allocation reaches 0.5 of the ${by} within the rounding`, async () => {
      const { share, note, structure, removed } = await searched(0.5, { allocation, round: 2, minChannels: 2 }, by);
      assert.ok(Math.abs(share - 0.5) <= 0.01, `${share} ${note}`);
      for (const group of structure.groups) assert.is((group.units.length - (removed.get(group)?.length ?? 0)) % 2, 0);
    });

test("channels are kept in multiples of 8 and a miss is explained", async () => {
  const { pruned, note, share } = await searched(0.05);
  for (const node of pruned.nodes) if (node.opType === "Conv" && node.out() !== pruned.outputs[0]) assert.is((node.out().shape![1] as number) % 8, 0);
  assert.ok(share > 0.05);
  assert.match(note!, /reached .* of the MACs instead of 5\.0%: .* at their minimum/);
});

test("uniform allocation spreads the cut", async () => {
  const { structure, removed } = await searched(0.4, { allocation: "uniform" });
  for (const group of structure.groups) assert.ok((removed.get(group)?.length ?? 0) >= group.units.length / 4, group.name);
});

test("a target outside 0..1 is refused", async () => {
  await searched(1.2).then(() => assert.unreachable(), (error: unknown) => assert.is((error as UserError).code, "PRUNE_TARGET"));
});

/** Two channels with weights (3, -1) and (1, 0.5), read by a layer with weights (2) and (4). */
const twoChannels = (withBatchNorm = false) => {
  const net = new Net();
  const constant = (shape: number[], values: number[]) => net.graph.addInitializer("w", Tensor.float32(shape, values));
  let h = net.b.op("Conv", [net.input([1, 2, 4, 4]), constant([2, 2, 1, 1], [3, -1, 1, 0.5])], { kernel_shape: [1, 1] });
  const vector = (a: number, b: number) => constant([2], [a, b]);
  if (withBatchNorm) h = net.b.op("BatchNormalization", [h, vector(-1, 3), vector(0, 0), vector(0, 0), vector(1, 1)]);
  net.done(net.b.op("Conv", [h, constant([1, 2, 1, 1], [2, 4])], { kernel_shape: [1, 1] }));
  return findGroups(net.graph);
};

const scoresOf = async (...args: Parameters<typeof scoreGroups>) => [...(await scoreGroups(...args)).values()][0]!;

test("scores add up over the group and are relative to its mean", async () => {
  assert.equal(await scoresOf(twoChannels(), "l1"), [6 / 5.75, 5.5 / 5.75]);
  const [a, b] = [Math.sqrt(9 + 1 + 4), Math.sqrt(1 + 0.25 + 16)];
  assert.equal(await scoresOf(twoChannels(), "l2"), [(2 * a) / (a + b), (2 * b) / (a + b)]);
  assert.equal(await scoresOf(twoChannels(true), "bn-scale"), [0.5, 1.5]);
});

test("Taylor scores are the mean over batches of (Σ w dL/dw)², by slice of each weight", async () => {
  const structure = twoChannels();
  const gradients: Gradients = (graph, visit) => {
    for (const scale of [1, 2]) visit(new Map(graph.initializers.map((value) => [value, Float32Array.from({ length: value.constant!.size }, (_, i) => scale * i)])));
  };
  const mean = (1 + 4) / 2;
  assert.equal(await scoresOf(structure, "taylor", gradients), [mean * ((3 * 0 - 1 * 1) ** 2 + (2 * 0) ** 2), mean * ((1 * 2 + 0.5 * 3) ** 2 + (4 * 1) ** 2)]);
});

test("the price per saving takes the block that saves most for the same harm", () => {
  const structure = findGroups(sample());
  const total = countMacs(structure.graph);
  const equal = new Map(structure.groups.map((group) => [group, group.units.map(() => 1)]));
  const cost = () => costModel(structure.graph, structure.closure, total);
  const { removed } = searchUnits(equal, cost(), options("macs", total.macs * 0.99, { price: "per-saving", round: 1, minChannels: 1 }));
  const savingPerChannel = structure.groups.map((group) => {
    const own = cost();
    own.remove(group.units.slice(0, 1));
    return { group, saving: total.macs - own.macs };
  });
  const best = savingPerChannel.reduce((a, b) => (b.saving > a.saving ? b : a));
  assert.equal([...removed.keys()].map(({ name }) => name), [best.group.name]);
});

for (const [criterion, code] of [["taylor", "NO_GRADIENTS"], ["bn-scale", "NO_BATCH_NORM"]] as const)
  test(`${criterion} without its data is an error`, async () => {
    await scoreGroups(twoChannels(), criterion).then(() => assert.unreachable(), (error: unknown) => assert.is((error as UserError).code, code));
  });

test.run();
