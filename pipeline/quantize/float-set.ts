import type { Graph } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { isLayerOp } from "../../graph/ops/layers.ts";
import { wholeName } from "../../graph/pattern.ts";
import { patternMatchesNothing } from "./errors.ts";

/** Nodes that stay float, each with the reason. */
export type FloatSet = ReadonlyMap<Node, string>;

/** The weight that a layer multiplies by: constant float32 of rank 2 or more. */
const hasWeights = (node: Node): boolean => isLayerOp(node) && node.inputs[1]?.constant?.dtype === "float32";

/** The expectation of a distribution written as a Conv or MatMul with weights 0, 1, 2, … (DFL): decoding, not a layer. */
const isExpectation = (node: Node): boolean => {
  const weights = node.in(1).constant!;
  return weights.size > 1 && weights.floats.every((weight, index) => weight === index);
};

/** Layers with weights, in execution order, without the expectations of a decode tail. */
export const weightedLayers = (graph: Graph): Node[] => graph.sorted().filter((node) => hasWeights(node) && !isExpectation(node));

/** Layers that no other layer depends on: what the heads say. */
export const lastLayers = (graph: Graph): Node[] => {
  const layers = new Set(weightedLayers(graph));
  const feedsLayer = new Set<Node>();
  for (const node of graph.sorted().reverse()) {
    if (node.outputs.some((output) => output.readers.some((reader) => layers.has(reader) || feedsLayer.has(reader)))) feedsLayer.add(node);
  }
  return [...layers].filter((node) => !feedsLayer.has(node));
};

/** Everything that depends on the last layers alone or not: what decodes their outputs, without the layers themselves. */
export const decodingNodes = (graph: Graph): Set<Node> => {
  const last = new Set(lastLayers(graph));
  const decoding = new Set<Node>();
  for (const node of graph.sorted()) {
    if (node.inputs.some((input) => input?.producer && (last.has(input.producer) || decoding.has(input.producer)))) decoding.add(node);
  }
  return decoding;
};

/** The last layer of each head, and everything that depends on them alone: the decode tail with its boxes and their huge ranges. */
export const startingFloatSet = (graph: Graph): Map<Node, string> => {
  const set = new Map<Node, string>(lastLayers(graph).map((node) => [node, "last layer of a head"]));
  for (const node of graph.sorted()) {
    if (!set.has(node) && node.inputs.some((input) => input?.producer && set.has(input.producer))) set.set(node, "decoding after the last layers");
  }
  return set;
};

/** Adds the nodes whose names match the globs (`*` any text, `?` one character). Throws UserError KEEP_FLOAT_PATTERN. */
export const addPatterns = (set: Map<Node, string>, graph: Graph, patterns: readonly string[]): void => {
  for (const pattern of patterns) {
    const expression = wholeName(pattern);
    const matches = graph.sorted().filter(({ name }) => expression.test(name));
    if (matches.length === 0) throw patternMatchesNothing(pattern, lastLayers(graph).map(({ name }) => name));
    for (const node of matches) if (!set.has(node)) set.set(node, `keepFloat "${pattern}"`);
  }
};
