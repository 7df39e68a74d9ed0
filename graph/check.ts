import { capturedBy, subgraphsOf, type Graph } from "./graph.ts";
import type { Value } from "./node.ts";

/** The values that a graph and those around it have. */
interface Known {
  has: (value: Value) => boolean;
}

type Check = (graph: Graph, outer: Known) => string[];

/** What must hold of every graph at every time, each by its name; docs/graph.md says the same in prose. */
export const invariants: Readonly<Record<string, Check>> = {
  "acyclic: no node reads what depends on it": (graph) => {
    try {
      graph.sorted();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  },

  "use-def: every input slot is among the uses of the value it reads": (graph) =>
    [...graph.nodes].flatMap((node) => node.inputs.flatMap((value, slot) =>
      value && !node.isUseKnown(slot) ? [`slot ${slot} of "${node.name}" reads "${value.name}", which does not know`] : [])),

  "def-use: every use is an input slot that reads the value": (graph) =>
    graph.values.flatMap((value) => [...value.uses].flatMap(({ node, slot }) =>
      node.inputs[slot] === value ? [] : [`"${value.name}" lists slot ${slot} of "${node.name}", which reads something else`])),

  "producers: an output belongs to the one node that made it": (graph) =>
    [...graph.nodes].flatMap((node) => node.outputs.flatMap((output) => (output.producer === node ? [] : [`"${output.name}" is an output of "${node.name}" but made elsewhere`]))),

  "sources: everything read is a graph input, an initializer, an output of a node of this graph, or a value of an enclosing graph": (graph, outer) => {
    const known = knownValues(graph, outer);
    const isKnown = (value: Value): boolean => known.has(value) || (value.tensor !== undefined && value.producer === null);
    const read = [...graph.nodes].flatMap((node) => node.inputs.map((value) => ({ value, by: `"${node.name}"` })));
    const all = [...read, ...graph.outputs.map((value) => ({ value, by: "the graph's outputs" }))];
    return all.flatMap(({ value, by }) => (value && !isKnown(value) ? [`${by} read "${value.name}", which is not in the graph`] : []));
  },

  "ports: inputs and outputs have names, and no two inputs and no two values among the outputs share one": (graph) =>
    [graph.inputs, [...new Set(graph.outputs)]].flatMap((ports) => {
      const seen = new Set<string>();
      return ports.flatMap(({ name }) => {
        if (name === "") return ["an input or output has no name"];
        if (seen.has(name)) return [`"${name}" is there twice`];
        seen.add(name);
        return [];
      });
    }),

  "contents: dtype and shape of an initializer are those of its tensor": (graph) =>
    graph.initializers.flatMap(({ name, dtype, shape, tensor }) =>
      dtype === tensor?.dtype && shape?.length === tensor?.shape.length && shape?.every((dim, axis) => dim === tensor?.shape[axis])
        ? [] : [`"${name}" says ${dtype}[${shape?.join()}] and holds ${tensor?.dtype}[${tensor?.shape.join()}]`]),

  "subgraphs: bodies keep all of this and read only themselves and the graphs around them": (graph, outer) => {
    const known = knownValues(graph, outer);
    return [...graph.nodes].flatMap(subgraphsOf).flatMap((body) => [
      ...capturedBy(body).filter((value) => !known.has(value) && !value.tensor).map((value) => `body "${body.name}" reads "${value.name}", which no enclosing graph has`),
      ...problemsOf(body, known),
    ]);
  },
};

const knownValues = (graph: Graph, outer: Known): Known => {
  const own = new Set([...graph.inputs, ...[...graph.nodes].flatMap((node) => node.outputs)]);
  return { has: (value) => own.has(value) || outer.has(value) };
};

const problemsOf = (graph: Graph, outer: Known): string[] => {
  const problems: string[] = [];
  for (const [name, check] of Object.entries(invariants)) {
    problems.push(...check(graph, outer).map((problem) => `${name.split(":")[0]}: ${problem}`));
    if (name.startsWith("acyclic") && problems.length > 0) break; // the rest walks the graph in order
  }
  return problems;
};

/** Every broken invariant, one line each; empty for a sound graph. */
export const graphProblems = (graph: Graph): string[] => problemsOf(graph, new Set());

/** Throws `bug: …` with every broken invariant. Passes call it before they hand a graph on. */
export const checkGraph = (graph: Graph): void => {
  const problems = graphProblems(graph);
  if (problems.length > 0) throw new Error(`bug: graph "${graph.name}" is broken:\n  ${problems.join("\n  ")}`);
};
