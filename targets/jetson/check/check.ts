import type { Graph } from "../../../graph/graph.ts";
import type { Node, Value } from "../../../graph/node.ts";
import { dlaRules } from "./dla.ts";
import type { CheckOptions, Hit, Rule, Severity, TensorrtFinding } from "./finding.ts";
import { parameterRules } from "./parameters.ts";
import { parserRules } from "./parser.ts";
import { placementRules } from "./placement.ts";
import { precisionRules } from "./precision.ts";

/** Every rule by name. */
export const rules: Readonly<Record<string, Rule>> = { ...parserRules, ...parameterRules, ...placementRules, ...precisionRules, ...dlaRules };

const order: readonly Severity[] = ["error", "slow", "note"];

/**
 * What TensorRT (8.6 to 11, or `version`) would refuse, run badly or run otherwise, errors first; empty where nothing is known.
 * Shapes must have been inferred: a rule that needs an unknown shape stays silent.
 */
export const checkTensorrt = (graph: Graph, options: CheckOptions = {}): TensorrtFinding[] => {
  const model = { graph, nodes: graph.sorted(), ...options };
  return Object.entries(rules)
    .flatMap(([name, rule]) => rule.find(model).map((hit) => findingOf(graph, name, rule, hit)))
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
};

const findingOf = (graph: Graph, rule: string, { severity, change, source }: Rule, { at, finding, ...own }: Hit): TensorrtFinding =>
  ({ ...nameOf(graph, at), rule, severity, finding, change, source, ...own });

const nameOf = (graph: Graph, at: Node | Value | "model"): { readonly node: string; readonly opType: string } => {
  if (at === "model") return { node: graph.name, opType: "model" };
  if ("opType" in at) return { node: at.name || (at.outputs[0]?.name ?? ""), opType: at.opType };
  return { node: at.name, opType: graph.inputs.includes(at) ? "input" : "output" };
};
