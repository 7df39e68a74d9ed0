import { test } from "uvu";
import * as assert from "uvu/assert";
import { compareModels, differing, largestDifference, sampleFeeds } from "../../../runtime/compare.ts";
import { parseModel } from "../../../onnx/load.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { maskedGraph, prunedGraph } from "../../../pipeline/prune/apply.ts";
import { findGroups } from "../../../pipeline/prune/groups.ts";
import { pruneModel } from "../../../pipeline/prune/prune.ts";
import { preparedGraph } from "../../../pipeline/prune/prepare.ts";
import { countMacs } from "../../../graph/macs.ts";
import { blockNames, randomModel } from "../../helpers/random-models.ts";

const seeds = Array.from({ length: 100 }, (_, seed) => seed);
const session = { threads: 1 } as const;
const used = new Set<string>();
let cut = 0;

for (const seed of seeds) {
  const model = randomModel(seed);
  for (const name of model.used) used.add(name);
  test(`seed ${seed}, opset ${model.graph.opset}: ${model.used.join(", ")}`, async () => {
    const feeds = sampleFeeds(model.graph, { seed });
    const prepared = preparedGraph(parseModel(serializeModel(model.graph)).graph);
    assert.equal(differing(await compareModels(model.graph, prepared, feeds, { session }), 1e-5), [], "prepared");
    const structure = findGroups(prepared);
    const plan = { structure, units: structure.groups.flatMap(({ units }) => (units.length < 2 ? [] : units.filter((_, index) => (index + seed) % 3 === 1))) };
    if (plan.units.length === 0) return;
    cut++;
    const pruned = prunedGraph(plan);
    assert.ok(countMacs(pruned).macs < countMacs(prepared).macs, "fewer MACs");
    const masked = maskedGraph(plan);
    assert.ok(largestDifference(await compareModels(prepared, masked, feeds, { session })) > 1e-4, "the removed channels mattered");
    assert.equal(differing(await compareModels(masked, pruned, feeds, { session }), 1e-5), [], "pruned");
  });
}

for (const seed of seeds.slice(0, 20)) test(`seed ${seed}: pruneModel cuts where it can, and nothing at a share of 1`, async () => {
  const { graph } = parseModel(serializeModel(randomModel(seed).graph));
  const feeds = sampleFeeds(graph, { seed });
  const whole = await pruneModel(graph, { macs: 1, round: 1 });
  assert.equal(differing(await compareModels(graph, whole.graph, feeds, { session }), 1e-5), []);
  const { report, masked, graph: pruned } = await pruneModel(graph, { macs: 0.6, round: 1, minChannels: 2 });
  const { macs } = countMacs(preparedGraph(graph));
  if ((report.groups ?? []).some(({ channelsBefore }) => channelsBefore > 2)) assert.ok(report.reachedMacs! < macs, `${report.reachedMacs} of ${macs}`);
  else assert.ok((report.blocked ?? []).length > 0, "what stays is blocked by name");
  assert.equal(differing(await compareModels(parseModel(serializeModel(masked!)).graph, parseModel(serializeModel(pruned)).graph, feeds, { session }), 1e-5), []);
});

test("every structure was tried, and most models lost channels", () => {
  assert.equal(blockNames.filter((name) => !used.has(name)), []);
  assert.ok(cut >= 60, `only ${cut} models lost channels`);
});

test.run();
