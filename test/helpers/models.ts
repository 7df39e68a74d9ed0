import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../graph/graph.ts";
import { elementCount, Tensor } from "../../graph/tensor.ts";
import { loadModel } from "../../onnx/load.ts";
import { openSession, runOnce, type Feeds } from "../../runtime/session.ts";

/** Path of a real model or photo that is not part of the repository. */
export const assetPath = (path: string): string => fileURLToPath(new URL(`../../../shared/assets/${path}`, import.meta.url));

/** A test of a real model; skipped (and shown as skipped) where the models are not there. */
export const testWithModel = (path: string, name: string, body: (graph: Graph) => Promise<void>): void => {
  const file = assetPath(path);
  const title = `${path}: ${name}`;
  if (existsSync(file)) test(title, async () => body((await loadModel(file)).graph));
  else {
    console.warn(`skipped, no ${path}: ${name}`);
    test.skip(title);
  }
};

/** Numbers in [low, high) from a small congruential generator: the same for the same seed. */
export const seededNumbers = (count: number, seed = 1, low = 0, high = 1): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return low + (state / 2 ** 32) * (high - low);
  });
};

/** Random contents for every input that has no default; symbolic dimensions take their size from `dims`. */
export const seededFeeds = (graph: Graph, dims: Readonly<Record<string, number>> = {}, seed = 1): Record<string, Tensor> =>
  Object.fromEntries(graph.inputs.filter((input) => !input.tensor).map((input, index) => {
    const shape = input.shape!.map((dim) => (typeof dim === "number" ? dim : dims[dim]!));
    const numbers = seededNumbers(elementCount(shape), seed + index, 0.05, 0.95);
    return [input.name, Tensor.from(input.dtype!, shape, input.dtype === "float32" ? numbers : numbers.map((x) => Math.floor(x * 2)))];
  }));

/** Both graphs give the same outputs on `feeds`, element by element within `atol`; unoptimised, so that the graphs run as written. */
export const sameOutputs = async (before: Graph, after: Graph, { atol = 1e-5, feeds = seededFeeds(before) }: { atol?: number; feeds?: Feeds } = {}): Promise<void> => {
  const options = { threads: 1, optimization: "disabled" } as const;
  const [expected, actual] = [await runOnce(before, feeds, options), await runOnce(after, feeds, options)];
  assert.equal(Object.keys(actual), Object.keys(expected));
  for (const [name, tensor] of Object.entries(expected)) {
    assert.equal(actual[name]!.shape, tensor.shape, name);
    const worst = largestDifference(tensor, actual[name]!);
    assert.ok(worst <= atol, `${name} differs by ${worst}`);
  }
};

export const largestDifference = (a: Tensor, b: Tensor): number => {
  const [x, y] = [a.data, b.data];
  let worst = a.size === b.size ? 0 : Infinity;
  for (let index = 0; index < x.length; index++) {
    const difference = Math.abs(Number(x[index]!) - Number(y[index]!));
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
};

/** Type and shape that ONNX Runtime gives every value of the graph. */
export const runtimeTypes = async (graph: Graph, feeds: Feeds): Promise<Map<string, { dtype: string; shape: readonly number[] }>> => {
  const all = graph.clone();
  const outputs = [...all.nodes].flatMap((node) => node.outputs).filter(({ name }) => name !== "");
  all.outputs.splice(0, all.outputs.length, ...outputs);
  for (const output of outputs) output.shape = undefined;
  const session = await openSession(all, { threads: 1, optimization: "disabled" });
  try {
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  } finally {
    await session.close();
  }
};
