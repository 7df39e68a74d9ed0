import { test } from "uvu";
import * as assert from "uvu/assert";
import { convGradient } from "../../autodiff/conv.ts";
import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { blockConvolutions, blockSize } from "../../runtime/blocked-convolutions.ts";
import { runOnce } from "../../runtime/session.ts";

const values = (shape: readonly number[]): Tensor =>
  Tensor.float32(shape, Float32Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, (_, i) => Math.sin(i * 12.9898)));

const shapes = { x: [2, 16, 32, 20], w: [32, 16, 3, 3], bias: [32], v: [16, 32, 3, 3] };

/** Two convolutions, the first with bias, the second strided; weights are inputs, as in a training graph. */
const twoConvolutions = (): Graph => {
  const graph = new Graph("two", 17);
  const b = new Builder(graph, "two");
  const [x, w, bias, v] = Object.entries(shapes).map(([name, shape]) => graph.addInput(name, "float32", shape));
  const y = b.op("Relu", [b.op("Conv", [x!, w!, bias!], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })]);
  graph.outputs.push(b.op("Conv", [y, v!], { kernel_shape: [3, 3], pads: [1, 1, 0, 0], strides: [1, 2] }));
  return graph;
};

test("blocked convolutions give the same numbers as plain ones", async () => {
  const block = await blockSize();
  if (block === undefined) return console.log("SKIPPED: the runtime has no blocked kernels on this machine");
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, values(shape)]));
  const plain = twoConvolutions();
  const blocked = twoConvolutions();
  assert.is(blockConvolutions(blocked, block), 2);
  const [expected, actual] = await Promise.all([plain, blocked].map((graph) => runOnce(graph, feeds, { threads: 1 })));
  const [e, a] = [Object.values(expected!)[0]!, Object.values(actual!)[0]!];
  assert.equal(a.shape, e.shape);
  assert.ok(e.floats.every((value, i) => Math.abs(value - a.floats[i]!) < 1e-3), "the outputs differ");
});

/** Output and gradients of a 3×3 convolution: its adjoint's weight is a transpose of the weight's taps. */
const convolutionWithGradients = (): Graph => {
  const graph = new Graph("gradients", 17);
  const b = new Builder(graph, "gradients");
  const [x, w, dy] = [graph.addInput("x", "float32", [2, 16, 32, 20]), graph.addInput("w", "float32", [32, 16, 3, 2]), graph.addInput("dy", "float32", [2, 32, 30, 20])];
  const y = b.op("Conv", [x, w], { kernel_shape: [3, 2], pads: [0, 1, 0, 0] });
  graph.outputs.push(y, ...convGradient(b, y.producer!, [dy]).filter((value) => value !== null).map((value) => b.op("Identity", [value])));
  return graph;
};

test("the adjoint of a blocked convolution is blocked too, with the same numbers", async () => {
  const block = await blockSize();
  if (block === undefined) return console.log("SKIPPED: the runtime has no blocked kernels on this machine");
  const blocked = convolutionWithGradients();
  assert.is(blockConvolutions(blocked, block), 2, "y and dX");
  const feeds = Object.fromEntries(blocked.inputs.map(({ name, staticShape }) => [name, values(staticShape!)]));
  const [expected, actual] = await Promise.all([convolutionWithGradients(), blocked].map(async (graph) => Object.values(await runOnce(graph, feeds, { threads: 1 }))));
  assert.is(expected!.length, 3);
  for (const [index, tensor] of expected!.entries()) {
    const largest = Math.max(...tensor.floats.map(Math.abs));
    assert.ok(tensor.floats.every((value, i) => Math.abs(value - actual![index]!.floats[i]!) < 1e-5 * largest), `output ${index} differs`);
  }
});

test("constant weights, groups, 1×1 kernels and part blocks stay as they are", () => {
  const graph = new Graph("plain", 17);
  const b = new Builder(graph, "plain");
  const x = graph.addInput("x", "float32", [1, 16, 32, 32]);
  const input = (name: string, shape: readonly number[]) => graph.addInput(name, "float32", shape);
  graph.outputs.push(
    b.op("Conv", [x, b.constant(values([16, 16, 3, 3]))], { kernel_shape: [3, 3] }),
    b.op("Conv", [x, input("grouped", [16, 8, 3, 3])], { kernel_shape: [3, 3], group: 2 }),
    b.op("Conv", [x, input("pointwise", [16, 16, 1, 1])], { kernel_shape: [1, 1] }),
    b.op("Conv", [x, input("part", [12, 16, 3, 3])], { kernel_shape: [3, 3] }),
  );
  assert.is(blockConvolutions(graph, 16), 0);
  assert.is(graph.opsets.get("com.microsoft.nchwc"), undefined);
});

test.run();
