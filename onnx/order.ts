import type onnxProto from "onnx-proto";

type INodeProto = onnxProto.onnx.INodeProto;
type IGraphProto = onnxProto.onnx.IGraphProto;

/** Nodes that form a ring: each reads what the one before it makes. */
export interface Cycle {
  readonly cycle: readonly INodeProto[];
}

/**
 * The nodes of one graph in execution order: as they are listed where that is one, else every node after those that make what it reads.
 * ONNX wants them sorted; float16 converters append Casts at the end, and ONNX Runtime sorts on load.
 */
export const executionOrder = (graph: IGraphProto): readonly INodeProto[] | Cycle => {
  const nodes = graph.node ?? [];
  const makers = new Map(nodes.flatMap((node) => namesIn(node.output).map((name) => [name, node] as const)));
  for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) makers.delete(name ?? "");
  const readers = new Map(nodes.map((node) => [node, [...readNames(node)].flatMap((name) => makers.get(name) ?? [])]));
  return isSorted(nodes, readers) ? nodes : sorted(nodes, readers);
};

type Sources = ReadonlyMap<INodeProto, readonly INodeProto[]>;

const isSorted = (nodes: readonly INodeProto[], sources: Sources): boolean => {
  const done = new Set<INodeProto>();
  return nodes.every((node) => {
    const ready = sources.get(node)!.every((source) => done.has(source));
    done.add(node);
    return ready;
  });
};

/** Depth first, without recursion; nodes that are ready keep their order. */
const sorted = (nodes: readonly INodeProto[], sources: Sources): INodeProto[] | Cycle => {
  const order: INodeProto[] = [];
  const state = new Map<INodeProto, "open" | "done">();
  for (const root of nodes) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === "done") { stack.pop(); continue; }
      if (state.get(node) === "open") { state.set(node, "done"); order.push(node); stack.pop(); continue; }
      state.set(node, "open");
      for (const source of sources.get(node)!.toReversed()) {
        if (state.get(source) === "open") return { cycle: stack.filter((each) => state.get(each) === "open") };
        if (!state.has(source)) stack.push(source);
      }
    }
  }
  return order;
};

const namesIn = (names: readonly string[] | null | undefined): string[] => (names ?? []).filter((name) => name !== "");

/** Names of this graph that a node reads: its inputs, and what its subgraphs do not make themselves. */
const readNames = (node: INodeProto): Set<string> => {
  const names = new Set(namesIn(node.input));
  for (const { g, graphs } of node.attribute ?? [])
    for (const graph of [...(g ? [g] : []), ...(graphs ?? [])]) for (const name of freeNames(graph)) names.add(name);
  return names;
};

const freeNames = (graph: IGraphProto): Set<string> => {
  const nodes = graph.node ?? [];
  const free = new Set(nodes.flatMap((node) => [...readNames(node)]));
  for (const { name } of graph.output ?? []) free.add(name ?? "");
  for (const { name } of [...(graph.input ?? []), ...(graph.initializer ?? [])]) free.delete(name ?? "");
  for (const name of nodes.flatMap((node) => namesIn(node.output))) free.delete(name);
  free.delete("");
  return free;
};
