import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Value } from "../../../graph/node.ts";
import { emitCpu } from "../../../pipeline/quantize/cpu.ts";
import { sqnrDb } from "../../../pipeline/quantize/sensitivity.ts";
import { exactCpuSession } from "../../../pipeline/quantize/sessions.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { runOnce } from "../../../runtime/session.ts";
import { behindPair, examples, netOf, nodesOf, optimizedOps, rangesFor, type Net } from "./nets.ts";

interface Case {
  readonly build: (net: Net, x: Value) => Value;
  /** Ops of the optimised graph and how often they occur. */
  readonly ops: Readonly<Record<string, number>>;
  readonly silu?: "int8" | "float";
}

/** Layers around `middle`, the last one quantized too so that every Conv is on the int8 path. */
const between = (middle: (net: Net, h: Value) => Value) => (net: Net, x: Value): Value => net.conv(middle(net, net.conv(x)));

const cases: Readonly<Record<string, Case>> = {
  "two convolutions": { build: between((_net, h) => h), ops: { QLinearConv: 2, Conv: 0 } },
  "ReLU is absorbed": { build: between(({ b }, h) => b.op("Relu", [h])), ops: { QLinearConv: 2, Conv: 0, Relu: 0 } },
  "ReLU6 is absorbed": { build: between(({ b }, h) => b.op("Clip", [h, b.scalar(0), b.scalar(6)])), ops: { QLinearConv: 2, Conv: 0, Clip: 0 } },
  "LeakyReLU": { build: between(({ b }, h) => b.op("LeakyRelu", [h], { alpha: 0.1 })), ops: { QLinearConv: 2, QLinearLeakyRelu: 1 } },
  "SiLU in int8": { build: between(({ b }, h) => b.silu(h)), silu: "int8", ops: { QLinearConv: 2, QLinearSigmoid: 1, QLinearMul: 1 } },
  "SiLU in float": { build: between(({ b }, h) => b.silu(h)), silu: "float", ops: { QLinearConv: 2, Conv: 0, QLinearMul: 0 } },
  "HardSwish stays float between int8 layers": { build: between(({ b }, h) => b.op("HardSwish", [h])), ops: { QLinearConv: 2, Conv: 0 } },
  "residual": { build: between((net, h) => net.b.add(h, net.conv(h))), ops: { QLinearConv: 3, QLinearAdd: 1, Conv: 0 } },
  "residual with ReLU": { build: between((net, h) => net.b.op("Relu", [net.b.add(h, net.conv(h))])), ops: { QLinearConv: 3, QLinearAdd: 1, Conv: 0, Relu: 0 } },
  "Concat": { build: between((net, h) => net.b.concat([h, net.conv(h)], 1)), ops: { QLinearConv: 3, QLinearConcat: 1, Conv: 0 } },
  "MaxPool": { build: between(({ b }, h) => b.op("MaxPool", [h], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })), ops: { QLinearConv: 2, NhwcMaxPool: 1, Conv: 0 } },
  "nearest Resize": {
    build: between(({ b }, h) => b.op("Resize", [h, null, b.full([4], 2)], { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" })),
    ops: { QLinearConv: 2, Resize: 1, Conv: 0 },
  },
  "Split": { build: between((net, h) => { const [a, c] = net.b.split(h, [8, 8], 1); return net.b.concat([a!, net.conv(c!, 8)], 1); }), ops: { QLinearConv: 3, Split: 1, QLinearConcat: 1, Conv: 0 } },
  "depthwise and pointwise": { build: between((net, h) => net.conv(net.conv(h, 16, 3, 16), 16, 1)), ops: { QLinearConv: 4, Conv: 0 } },
  "AveragePool": { build: between(({ b }, h) => b.op("AveragePool", [h], { kernel_shape: [2, 2], strides: [2, 2] })), ops: { QLinearConv: 2, QLinearAveragePool: 1 } },
  "ConvTranspose stays float": {
    build: between((net, h) => net.b.op("ConvTranspose", [h, net.weight(16, 16, 2, 2)], { kernel_shape: [2, 2], strides: [2, 2] })),
    ops: { QLinearConv: 2, ConvTranspose: 1, Conv: 0 },
  },
  "Gemm": {
    build: (net, x) => net.b.op("Gemm", [net.b.op("Flatten", [net.conv(x)]), net.weight(10, 1024), net.weight(10)], { transB: 1 }),
    ops: { QLinearConv: 1, QGemm: 1, Gemm: 0 },
  },
  "MatMul": { build: (net, x) => net.b.matmul(net.conv(x), net.weight(8, 12)), ops: { QLinearConv: 1, QLinearMatMul: 1, MatMul: 0 } },
};

for (const [name, { build, ops, silu }] of Object.entries(cases)) {
  for (const activations of ["uint8", "int8"] as const) {
    test(`${name}, ${activations}: runs on ONNX Runtime's int8 kernels and stays near float`, async () => {
      const graph = netOf(build);
      const emitted = emitCpu(graph, await rangesFor(graph), { floatNodes: new Set(), activations, ...(silu && { silu }) });
      const session = exactCpuSession(activations);
      const counts = await optimizedOps(emitted.graph, session);
      for (const [op, count] of Object.entries(ops)) assert.is(counts.get(op) ?? 0, count, `${op} in ${[...counts].map(([key, n]) => `${n} ${key}`).join(", ")}`);
      const [expected, found] = await Promise.all([runOnce(graph, examples[0]!), runOnce(emitted.graph, examples[0]!, { threads: 1, ...session })]);
      assert.equal(Object.keys(found), Object.keys(expected));
      const ratio = sqnrDb(Object.values(expected), Object.values(found));
      assert.ok(ratio > 28, `${ratio.toFixed(1)} dB`);
    });
  }
}

test("a default session of this machine is exact: int8 arithmetic equals that of the float simulation within one step", async () => {
  const graph = netOf(between(({ b }, h) => b.op("Relu", [h])));
  const emitted = emitCpu(graph, await rangesFor(graph), { floatNodes: new Set() });
  const exact = await runOnce(emitted.graph, examples[0]!, { extra: { "session.disable_quant_qdq": "1" } });
  const found = await runOnce(emitted.graph, examples[0]!);
  assert.ok(sqnrDb(Object.values(exact), Object.values(found)) > 38);
});

test("zero points are at the low end after ReLU; every activation has one type; nodes keep their names", async () => {
  const graph = netOf(between(({ b }, h) => b.op("Relu", [h])));
  const ranges = await rangesFor(graph);
  for (const [activations, lowest] of [["uint8", 0], ["int8", -128]] as const) {
    const emitted = emitCpu(graph, ranges, { floatNodes: new Set(), activations });
    const afterRelu = nodesOf(emitted.graph, "Relu")[0]!.out().readers[0]!;
    assert.equal([...afterRelu.in(2).constant!.toNumbers()], [lowest]);
    assert.equal(new Set(nodesOf(emitted.graph, "QuantizeLinear").map((node) => node.in(2).dtype)), new Set([activations]));
    const names = new Set([...emitted.graph.nodes].map((node) => node.name));
    for (const node of graph.nodes) assert.ok(names.has(node.name), node.name);
  }
});

test("weights are int8, per output channel, zero point 0: the file is about a quarter of the float one", async () => {
  const graph = netOf((net, x) => net.conv(net.conv(x, 64), 64));
  const { graph: quantized } = emitCpu(graph, await rangesFor(graph), { floatNodes: new Set() });
  for (const conv of nodesOf(quantized, "Conv")) {
    const dequantize = conv.in(1).producer!;
    assert.is(dequantize.opType, "DequantizeLinear");
    assert.is(dequantize.in(0).dtype, "int8");
    assert.equal(dequantize.in(1).shape, [64]);
    assert.ok(dequantize.in(2).constant!.toNumbers().every((zero) => zero === 0));
    assert.is(conv.in(2).dtype, "float32");
  }
  assert.ok(serializeModel(quantized).length < 0.3 * serializeModel(graph).length);
});

test("a node in the float set is float, and what only feeds it needs no quantization", async () => {
  const graph = netOf((net, x) => net.conv(net.b.silu(net.conv(x))));
  const last = nodesOf(graph, "Conv")[1]!;
  const emitted = emitCpu(graph, await rangesFor(graph), { floatNodes: new Set([last.name]), silu: "int8" });
  assert.is(emitted.layers.length, 1);
  const copy = nodesOf(emitted.graph, "Conv")[1]!;
  assert.is(copy.in(1).producer, null);
  assert.is(behindPair(copy.in(0)), undefined);
});

const stride2 = { kernel_shape: [2, 2], strides: [2, 2] };
/** A weight [16, 16, …] in which one channel in four is 300 times the others: one scale for all would round those away. */
const uneven = (net: Net, axis: 0 | 1, kernel: number): Value => {
  const shape = axis === 0 ? [16, 1, 1, 1] : [1, 16, 1, 1];
  const factors = Tensor.float32(shape, Float32Array.from({ length: 16 }, (_, channel) => (channel % 4 === 0 ? 3 : 0.01)));
  return net.b.mul(net.weight(16, 16, kernel, kernel), net.b.constant(factors));
};

for (const [name, opType, middle] of [
  ["Conv", "Conv", (net: Net, h: Value, w: Value) => net.b.op("Conv", [h, w, net.graph.addInitializer("bias", Tensor.float32([16], new Float32Array(16).fill(0.3)))], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })],
  ["ConvTranspose", "ConvTranspose", ({ b }: Net, h: Value, w: Value) => b.op("ConvTranspose", [h, w], stride2)],
] as const) test(`a float ${name} between int8 layers computes in float: the runtime does not make its weights int8 on its own`, async () => {
  const relu = (net: Net, x: Value): Value => net.b.op("Relu", [x]);
  const graph = netOf((net, x) => net.conv(relu(net, middle(net, relu(net, net.conv(x)), opType === "Conv" ? uneven(net, 0, 3) : uneven(net, 1, 2)))));
  const floatNodes = new Set(nodesOf(graph, opType).slice(opType === "Conv" ? 1 : 0).slice(0, 1).map((node) => node.name));
  const { graph: int8, layers } = emitCpu(graph, await rangesFor(graph), { floatNodes });
  assert.is(layers.length, 2);
  const counts = await optimizedOps(int8, {});
  assert.equal([counts.get("QLinearConv"), (counts.get("Conv") ?? 0) + (counts.get("FusedConv") ?? 0) + (counts.get("ConvTranspose") ?? 0)], [2, 1]);
  const expected = Object.values(await runOnce(graph, examples[0]!));
  const written = sqnrDb(expected, Object.values(await runOnce(int8, examples[0]!, { extra: { "session.disable_quant_qdq": "1" } })));
  const kernels = sqnrDb(expected, Object.values(await runOnce(int8, examples[0]!)));
  assert.ok(kernels > written - 0.3, `${kernels.toFixed(2)} dB in the kernels, ${written.toFixed(2)} dB as written`);
});

test.run();
