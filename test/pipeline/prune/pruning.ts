import * as assert from "uvu/assert";
import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import type { Value } from "../../../graph/node.ts";
import { elementCount, Tensor } from "../../../graph/tensor.ts";
import { maskedGraph, prunedGraph, type Plan } from "../../../pipeline/prune/apply.ts";
import { findGroups, type Structure } from "../../../pipeline/prune/groups.ts";
import { runOnce, type Feeds } from "../../../runtime/session.ts";

/** Numbers in [-1, 1) that depend on nothing but the seed (a 32-bit LCG). */
export const noise = (count: number, seed: number): Float32Array => {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
};

/** A network under construction: every weight is noise. */
export class Net {
  readonly graph = new Graph("net", 17);
  readonly b = new Builder(this.graph, "n");
  #seed = 1;

  input(shape: readonly number[]): Value { return this.graph.addInput("x", "float32", shape); }
  weight(...shape: number[]): Value {
    return this.graph.addInitializer(`w${this.#seed}`, Tensor.float32(shape, noise(elementCount(shape), this.#seed++).map((v) => v / 2)));
  }
  conv(x: Value, out: number, { kernel = 1, group = 1, bias = true } = {}): Value {
    const w = this.weight(out, (x.shape![1] as number) / group, kernel, kernel);
    const pad = (kernel - 1) / 2;
    return this.b.op("Conv", bias ? [x, w, this.weight(out)] : [x, w], { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], group });
  }
  relu(x: Value): Value { return this.b.op("Relu", [x]); }
  done(...outputs: Value[]): Graph {
    this.graph.outputs.push(...outputs);
    for (const [index, output] of outputs.entries()) output.name = `y${index}`;
    return this.graph;
  }
}

/** Takes every third unit of every group. */
export const everyThird = (structure: Structure): Plan => ({
  structure, units: structure.groups.flatMap(({ units }) => (units.length < 2 ? [] : units.filter((_, index) => index % 3 === 1))),
});

export const feedsOf = (graph: Graph, seed = 7): Feeds => Object.fromEntries(graph.inputs.map(({ name, shape }) =>
  [name, Tensor.float32(shape as number[], noise(elementCount(shape as number[]), seed))]));

/** Largest difference of all outputs, relative to the largest value of the output. */
export const distance = (a: Record<string, Tensor>, b: Record<string, Tensor>): number => Math.max(...Object.keys(a).map((name) => {
  const [left, right] = [a[name]!, b[name]!];
  assert.equal(left.shape, right.shape, name);
  const [l, r] = [left.floats, right.floats];
  let [difference, scale] = [0, 0];
  for (let i = 0; i < l.length; i++) {
    difference = Math.max(difference, Math.abs(l[i]! - r[i]!));
    scale = Math.max(scale, Math.abs(r[i]!));
  }
  if (!(scale > 0)) throw new Error(`output ${name} is all zero: nothing to compare`);
  return difference / scale;
}));

/** Pruned and masked agree, and both differ from the model as it was. */
export const prunedEqualsMasked = async (plan: Plan, feeds = feedsOf(plan.structure.graph)): Promise<Graph> => {
  assert.ok(plan.units.length > 0, "nothing to prune");
  const pruned = prunedGraph(plan);
  const [before, masked, after] = [await runOnce(plan.structure.graph, feeds), await runOnce(maskedGraph(plan), feeds), await runOnce(pruned, feeds)];
  assert.ok(distance(masked, before) > 1e-3, "the removed channels mattered");
  const difference = distance(after, masked);
  assert.ok(difference <= 1e-5, `pruned and masked differ by ${difference}`);
  return pruned;
};

export const groupsOf = (graph: Graph): { name: string; units: number }[] => findGroups(graph).groups.map(({ name, units }) => ({ name, units: units.length }));
