import { subgraphsOf, type Graph } from "./graph.ts";
import type { Shape, Value } from "./node.ts";
import type { DataType } from "./tensor.ts";

/** The result of `work`, which may change dtypes and shapes of the graph's values (bodies included) but no edges; all are as before afterwards. */
export const keepingTypes = <T>(graph: Graph, work: () => T): T => {
  const before = typesOf(graph);
  try {
    return work();
  } finally {
    for (const [at, value] of before.values.entries()) {
      value.dtype = before.dtypes[at];
      value.shape = before.shapes[at];
    }
  }
};

const typesOf = (graph: Graph): { readonly values: Value[]; readonly dtypes: (DataType | undefined)[]; readonly shapes: (Shape | undefined)[] } => {
  const values: Value[] = [];
  const graphs = [graph];
  for (let next = graphs.pop(); next; next = graphs.pop()) {
    for (const input of next.inputs) values.push(input);
    for (const node of next.nodes) {
      for (const output of node.outputs) values.push(output);
      for (const body of subgraphsOf(node)) graphs.push(body);
    }
  }
  return { values, dtypes: values.map(({ dtype }) => dtype), shapes: values.map(({ shape }) => shape) };
};
