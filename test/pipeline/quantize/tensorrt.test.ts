import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../../graph/graph.ts";
import { emitTensorrt } from "../../../pipeline/quantize/tensorrt.ts";
import { sqnrDb } from "../../../pipeline/quantize/sensitivity.ts";
import { int8TensorrtSession } from "../../../pipeline/quantize/sessions.ts";
import { runOnce } from "../../../runtime/session.ts";
import { behindPair, examples, netOf, nodesOf, rangesFor } from "./nets.ts";

const emitted = async (graph: Graph) => emitTensorrt(graph, await rangesFor(graph), { floatNodes: new Set() });

/** Scale of the pair in front of a value. */
const scaleOf = (graph: Graph, opType: string, index: number, slot: number): number => nodesOf(graph, opType)[index]!.in(slot).producer!.in(1).constant!.toNumbers()[0]!;

test("pairs stand before layers and after activations only; zero points are int8 zeros; biases stay float", async () => {
  const graph = netOf((net, x) => net.conv(net.b.silu(net.conv(x))));
  const { graph: quantized, layers } = await emitted(graph);
  assert.equal(layers, nodesOf(graph, "Conv").map(({ name }) => name));
  const [first, second] = nodesOf(quantized, "Conv");
  assert.is(behindPair(first!.in(0))!.name, "x");
  assert.is(behindPair(second!.in(0))!.producer!.opType, "Mul");
  assert.equal(new Set(first!.out().readers.map(({ opType }) => opType)), new Set(["Sigmoid", "Mul"]));
  assert.is(nodesOf(quantized, "QuantizeLinear").length, 4);
  for (const node of [...nodesOf(quantized, "QuantizeLinear"), ...nodesOf(quantized, "DequantizeLinear")]) {
    assert.is(node.in(2).dtype, "int8");
    assert.ok(node.in(2).constant!.toNumbers().every((zero) => zero === 0));
    assert.equal(node.in(2).shape, node.in(1).shape);
    assert.ok(node.in(1).constant!.toNumbers().every((scale) => scale > 0));
  }
  assert.is(second!.in(2).producer, null);
  assert.is(second!.in(2).dtype, "float32");
});

test("weights are float constants behind Q and DQ, per output channel: axis 0 of Conv, 1 of ConvTranspose, the columns of Gemm", async () => {
  const graph = netOf((net, x) => {
    const h = net.b.op("ConvTranspose", [net.conv(x), net.weight(16, 24, 2, 2)], { kernel_shape: [2, 2], strides: [2, 2] });
    return [net.b.matmul(h, net.weight(16, 20)), net.b.op("Gemm", [net.b.reshape(net.conv(x), [64, 16]), net.weight(16, 10)])];
  });
  const { graph: quantized } = await emitted(graph);
  for (const [op, axis, channels] of [["Conv", 0, 16], ["ConvTranspose", 1, 24], ["MatMul", 1, 20], ["Gemm", 1, 10]] as const) {
    const dequantize = nodesOf(quantized, op)[0]!.in(1).producer!;
    const quantize = dequantize.in(0).producer!;
    assert.is(quantize.opType, "QuantizeLinear");
    assert.is(quantize.in(0).constant!.dtype, "float32");
    assert.is(quantize.int("axis", -1), axis);
    assert.is(dequantize.int("axis", -1), axis);
    assert.equal(dequantize.in(1).shape, [channels]);
  }
});

test("a residual Add has a pair on the side of the skip only", async () => {
  const graph = netOf((net, x) => { const h = net.b.silu(net.conv(x)); return net.conv(net.b.add(h, net.b.silu(net.conv(h)))); });
  const { graph: quantized } = await emitted(graph);
  const add = nodesOf(quantized, "Add")[0]!;
  assert.ok(behindPair(add.in(0)));
  assert.is(add.in(1).producer!.opType, "Mul");
  assert.is(behindPair(nodesOf(quantized, "Conv")[1]!.in(0)), behindPair(add.in(0)));
});

test("Concat, MaxPool and Resize have no pairs of their own, and share one scale with what they connect", async () => {
  const graph = netOf((net, x) => {
    const h = net.b.op("Relu", [net.conv(x)]);
    const wide = net.b.mul(net.b.op("Relu", [net.conv(h)]), 4);
    return [net.conv(net.b.concat([net.b.op("MaxPool", [h], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), wide], 1)), net.conv(wide)];
  });
  const { graph: quantized } = await emitted(graph);
  const concat = nodesOf(quantized, "Concat")[0]!;
  assert.is(behindPair(concat.in(0)), undefined);
  assert.is(behindPair(concat.in(1)), undefined);
  const scales = nodesOf(quantized, "Conv").map((_, index) => scaleOf(quantized, "Conv", index, 0));
  assert.is(new Set(scales.slice(1)).size, 1, scales.join());
});

test("convolutions with few channels stay float, except a square first one", async () => {
  const graph = netOf((net, x) => net.conv(net.conv(net.conv(x, 8), 4), 12));
  const { layers } = await emitted(graph);
  assert.equal(layers, [nodesOf(graph, "Conv")[0]!.name]);
});

test("a depthwise convolution of 3x3 is int8, a 1x1 grouped one is not", async () => {
  const graph = netOf((net, x) => [net.conv(x, 16, 3, 16), net.conv(x, 16, 1, 16)]);
  assert.equal((await emitted(graph)).layers, [nodesOf(graph, "Conv")[0]!.name]);
});

test("a vector times a matrix stays float", async () => {
  const graph = netOf((net, x) => net.b.op("Gemm", [net.b.op("Flatten", [net.conv(x)]), net.weight(10, 1024)], { transB: 1 }));
  assert.equal((await emitted(graph)).layers, [nodesOf(graph, "Conv")[0]!.name]);
});

test("the file computes nearly what the float model does", async () => {
  const graph = netOf((net, x) => { const h = net.b.silu(net.conv(x)); return net.conv(net.b.concat([h, net.b.add(h, net.conv(h))], 1)); });
  const [expected, found] = await Promise.all([runOnce(graph, examples[0]!), runOnce((await emitted(graph)).graph, examples[0]!, int8TensorrtSession)]);
  assert.ok(sqnrDb(Object.values(expected), Object.values(found)) > 30);
});

test.run();
