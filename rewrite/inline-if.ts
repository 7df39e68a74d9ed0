import { removeDead } from "../graph/dead.ts";
import { hasOp, subgraphsOf, type Graph } from "../graph/graph.ts";
import type { Node, Value } from "../graph/node.ts";
import { decidedBranch, inferShapes, type Memo } from "../graph/shapes.ts";
import { graphPass, substitute, type Change, type Pass } from "./rule.ts";

/** Puts the branch that runs in the place of every If whose condition shapes and constants decide: exporters write them for squeezes and sizes. */
export const inlineDecidedIfs: Pass = graphPass("inline-if", (graph) => {
  if (!hasOp(graph, "If")) return {};
  inferShapes(graph);
  const applied = inlineIn(graph);
  removeDead(graph);
  return { applied };
});

const inlineIn = (graph: Graph): Change[] => {
  const memo: Memo = new Map();
  return graph.sorted().flatMap((node): Change[] => {
    const nested = subgraphsOf(node).flatMap(inlineIn);
    const branch = node.opType === "If" && node.domain === "" ? decidedBranch(node, memo) : undefined;
    if (!branch || [...branch.nodes].some((inner) => subgraphsOf(inner).length > 0)) return nested;
    inline(graph, node, branch);
    return [...nested, { rule: "inline-if", node: node.name, detail: `the branch "${branch.name}" is the one that runs` }];
  });
};

const inline = (graph: Graph, node: Node, branch: Graph): void => {
  const made = new Map<Value, Value>();
  for (const inner of branch.sorted()) {
    const twin = graph.addNode({
      opType: inner.opType, domain: inner.domain, name: inner.name, doc: inner.doc, attributes: inner.attributes,
      inputs: inner.inputs.map((value) => value && (made.get(value) ?? value)), outputs: inner.outputs.map(({ name }) => name),
    });
    for (const [index, output] of inner.outputs.entries()) {
      Object.assign(twin.out(index), { dtype: output.dtype, shape: output.shape });
      made.set(output, twin.out(index));
    }
  }
  for (const [index, output] of node.outputs.entries()) {
    const value = made.get(branch.outputs[index]!) ?? branch.outputs[index]!;
    const isOwn = made.has(branch.outputs[index]!);
    substitute(graph, output, isOwn || !graph.isOutput(output) ? value : named(graph, value));
  }
  for (const body of subgraphsOf(node)) for (const inner of body.nodes) inner.disconnect();
  graph.removeNode(node);
};

/** A value that may take the name of an output of the model. */
const named = (graph: Graph, value: Value): Value => {
  const copy = graph.addNode({ opType: "Identity", name: graph.freshName("inline-if"), inputs: [value], outputs: [graph.freshName(value.name)] }).out();
  Object.assign(copy, { dtype: value.dtype, shape: value.shape });
  return copy;
};
