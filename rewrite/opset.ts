import { Builder } from "../graph/builder.ts";
import { subgraphsOf, type Graph } from "../graph/graph.ts";
import { inferNode, inferShapes } from "../graph/shapes.ts";
import { cannotUpgrade, nodeLabel, opsetTooNew, opsetTooOld } from "./errors.ts";
import { opsetAdapters, sameMeaning, type Replace } from "./opset-adapters.ts";
import { graphPass, substitute, type Change, type Pass, type PassResult } from "./rule.ts";

/**
 * Raises ai.onnx to `target` (8 to 17) from opset 7 or newer, keeping what the model computes; a model that is there already is returned as it is.
 * Throws UserError OPSET_UPGRADE naming the first node that no row of rewrite/opset-adapters.ts covers, OPSET_TOO_OLD, OPSET_TOO_NEW.
 */
export const upgradeOpset = (input: Graph, target = 17): PassResult => toOpset(target)(input);

/** `upgradeOpset` as a pass. */
export const toOpset = (target: number): Pass =>
  graphPass("upgrade-opset", (graph) => {
    const from = graph.opset;
    if (from < 7) throw opsetTooOld(from);
    if (target > 17 && from < target) throw opsetTooNew(from, target);
    if (from >= target) return {};
    inferShapes(graph);
    graph.opsets.set("", target);
    graph.facts.irVersion = Math.max(graph.facts.irVersion, oldestIr);
    return { applied: upgradeNodes(graph, from, target) };
  });

/** IR version that came with opset 15 to 18 (onnx/docs/Versioning.md). */
const oldestIr = 8;

const upgradeNodes = (graph: Graph, from: number, target: number): Change[] => {
  const b = new Builder(graph, "opset");
  const applied: Change[] = [];
  for (const node of graph.sorted()) {
    for (const body of subgraphsOf(node)) applied.push(...upgradeNodes(body, from, target));
    if (node.domain !== "" && node.domain !== "ai.onnx") continue;
    const rows = Object.hasOwn(opsetAdapters, node.opType) ? opsetAdapters[node.opType]! : [];
    if (rows.length === 0 && !sameMeaning.has(node.opType)) throw cannotUpgrade(node, from, target, "is no op of that opset");
    for (const { since, adapt } of rows) {
      if (since <= from || since > target || !graph.nodes.has(node)) continue;
      const reason = adapt(b, node, (old, opType, inputs, attributes) => replaceNode(graph, target, old, opType, inputs, attributes));
      if (reason) throw cannotUpgrade(node, from, target, reason);
      applied.push({ rule: `${node.opType}-${since}`, node: node.name, detail: nodeLabel(node) });
    }
  }
  return applied;
};

const replaceNode = (graph: Graph, target: number, ...[old, opType, inputs, attributes]: Parameters<Replace>): void => {
  const made = graph.addNode({ opType, name: old.name, inputs, outputs: old.outputs.map((output) => output.name), attributes });
  inferNode(made, target);
  for (const [index, output] of old.outputs.entries()) substitute(graph, output, made.out(index));
  graph.removeNode(old);
};
