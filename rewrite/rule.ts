import { Builder } from "../graph/builder.ts";
import { checkGraph } from "../graph/check.ts";
import type { Graph } from "../graph/graph.ts";
import { editCount, type Node, type Value } from "../graph/node.ts";
import { removeDead } from "../graph/dead.ts";

/** One change that a pass made or declined to make. */
export interface Change {
  readonly rule: string;
  readonly node: string;
  /** What was done, or why not. */
  readonly detail: string;
}

export interface PassReport {
  readonly pass: string;
  readonly applied: readonly Change[];
  readonly refused: readonly Change[];
  /** Node count before and after. */
  readonly nodes: readonly [before: number, after: number];
}

export interface PassResult {
  readonly graph: Graph;
  readonly report: PassReport;
}

/** Pure outside: the input graph stays as it is. */
export interface Pass {
  (input: Graph): PassResult;
  /** The same without a copy: for a caller who owns `graph`, which may be edited and may be the result. */
  readonly onOwn?: (graph: Graph) => PassResult;
}

/** Runs `pass` on a graph that nobody else reads: in place where it can. */
export const runOnOwn = (pass: Pass, graph: Graph): PassResult => (pass.onOwn ?? pass)(graph);

const ofOwn = (onOwn: (graph: Graph) => PassResult): Pass => Object.assign((input: Graph) => onOwn(input.clone()), { onOwn });

interface RuleInit<Match> {
  readonly name: string;
  /** What `node` and its neighbours are to the rule; undefined where it has nothing to say. */
  readonly match: (node: Node, graph: Graph) => Match | undefined;
  /** Why a match must stay as it is. */
  readonly refuse?: (match: Match, graph: Graph) => string | undefined;
  /** Values that take the place of the node's outputs, in order; null keeps one. */
  readonly replace: (b: Builder, match: Match) => readonly (Value | null)[];
}

export interface Rule {
  readonly name: string;
  /** Tries the rule on `node`: undefined = no match; a string = refused, and why; true = applied. */
  readonly tryOn: (node: Node, graph: Graph) => string | true | undefined;
}

/** A local rewrite of one node. Checks first, then edits: a refused rule leaves the graph as it was. */
export const rule = <Match>({ name, match, refuse, replace }: RuleInit<Match>): Rule => ({
  name,
  tryOn: (node, graph) => {
    const found = match(node, graph);
    if (found === undefined) return undefined;
    const reason = refuse?.(found, graph);
    if (reason !== undefined) return reason;
    const replacements = replace(new Builder(graph, name), found);
    const stuck = node.outputs.find((output, index) => replacements[index] && !canSubstitute(graph, output, replacements[index]));
    if (stuck) return `"${stuck.name}" is an output of the model and must keep its name`;
    for (const [index, output] of node.outputs.entries()) {
      const replacement = replacements[index];
      if (replacement) substitute(graph, output, replacement);
    }
    return true;
  },
});

/** A graph output hands its name on; a value with a public name of its own, or without a producer, cannot take it. */
const canSubstitute = (graph: Graph, old: Value, replacement: Value): boolean =>
  !graph.isOutput(old) || (replacement.producer !== null && !graph.isOutput(replacement) && graph.nodes.has(replacement.producer));

/** Every reader of `old` reads `replacement`, which also takes the name of a graph output. */
export const substitute = (graph: Graph, old: Value, replacement: Value): void => {
  const isOutput = graph.isOutput(old);
  if (isOutput) {
    replacement.name = old.name;
    old.name = graph.freshName(`${old.name}/replaced`);
  }
  graph.replaceAllUses(old, replacement);
};

export interface ApplyOptions {
  /** Stop after this many applications (to bisect a bad rewrite). */
  readonly limit?: number;
}

/** Applies the rules to every node, again and again, until none fits; dead nodes go as it runs. Mutates `graph`. */
export const applyUntilStable = (graph: Graph, rules: readonly Rule[], { limit = Infinity }: ApplyOptions = {}): Pick<PassReport, "applied" | "refused"> => {
  const applied: Change[] = [];
  for (;;) {
    const before = applied.length;
    const refused: Change[] = [];
    for (const node of graph.sorted()) {
      for (const each of rules) {
        if (applied.length >= limit) return { applied, refused };
        if (!graph.nodes.has(node) || !isRead(graph, node)) break;
        const outcome = each.tryOn(node, graph);
        const label = node.name || node.outputs[0]?.name || node.opType;
        if (typeof outcome === "string") refused.push({ rule: each.name, node: label, detail: outcome });
        if (outcome === true) applied.push({ rule: each.name, node: label, detail: node.opType });
      }
    }
    removeDead(graph);
    if (applied.length === before) return { applied, refused };
  }
};

const isRead = (graph: Graph, node: Node): boolean => node.outputs.some((output) => output.uses.size > 0 || graph.isOutput(output));

/** A pass that applies `rules` until none fits; hands on a valid graph, or throws. */
export const rewritePass = (pass: string, rules: readonly Rule[], options: ApplyOptions = {}): Pass =>
  graphPass(pass, (graph) => applyUntilStable(graph, rules, options));

/** A pass that edits its own copy of the graph. */
export const graphPass = (pass: string, edit: (graph: Graph) => Partial<Pick<PassReport, "applied" | "refused">>): Pass => ofOwn((graph) => {
  const [before, size, ports] = [editCount(), graph.nodes.size, [...graph.inputs, ...graph.outputs]];
  const { applied = [], refused = [] } = edit(graph);
  const after = [...graph.inputs, ...graph.outputs];
  const isUntouched = applied.length === 0 && editCount() === before && ports.length === after.length && ports.every((port, at) => port === after[at]);
  if (!isUntouched) checkGraph(graph);
  return { graph, report: { pass, applied, refused, nodes: [size, graph.nodes.size] } };
});

/** One pass after the other, on one copy. */
export const sequence = (pass: string, passes: readonly Pass[]): Pass => ofOwn((own) => {
  const size = own.nodes.size;
  const results: PassResult[] = [];
  for (const each of passes) results.push(runOnOwn(each, results.at(-1)?.graph ?? own));
  const graph = results.at(-1)?.graph ?? own;
  return { graph, report: {
    pass, nodes: [size, graph.nodes.size],
    applied: results.flatMap(({ report }) => report.applied), refused: results.flatMap(({ report }) => report.refused),
  } };
});
