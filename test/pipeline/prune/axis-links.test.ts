import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../../graph/graph.ts";
import type { Value } from "../../../graph/node.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { axisLinks } from "../../../pipeline/prune/axis-links.ts";
import { findGroups } from "../../../pipeline/prune/groups.ts";
import { preparedGraph } from "../../../pipeline/prune/prepare.ts";
import { everyThird, Net, prunedEqualsMasked } from "./pruning.ts";

interface Case {
  /** Ops whose rows the case is for. */
  readonly ops: readonly string[];
  /** Units per group, in order. */
  readonly units: readonly number[];
  readonly build: (net: Net, x: Value) => Value | readonly Value[];
  readonly input?: readonly number[];
}

/** Conv 1x1 -> `middle` -> Conv 1x1: what lies between two layers. */
const between = (middle: (net: Net, h: Value) => Value, width = 12) => (net: Net, x: Value): Value =>
  net.conv(middle(net, net.conv(x, width)), 5);

const vector = (net: Net, size: number, fill: (i: number) => number): Value => net.b.constant(Tensor.float32([size], Array.from({ length: size }, (_, i) => fill(i))));

const cases: Readonly<Record<string, Case>> = {
  "a chain of convolutions": { ops: ["Conv"], units: [12], build: between((net, h) => net.relu(h)) },
  "SiLU as exported": { ops: ["Sigmoid", "Mul"], units: [12], build: between(({ b }, h) => b.silu(h)) },
  "BatchNormalization": {
    ops: ["BatchNormalization"], units: [12],
    build: between((net, h) => net.relu(net.b.op("BatchNormalization", [h, net.weight(12), net.weight(12), net.weight(12), vector(net, 12, (i) => 1 + i / 7)]))),
  },
  "InstanceNormalization": { ops: ["InstanceNormalization"], units: [12], build: between((net, h) => net.b.op("InstanceNormalization", [h, net.weight(12), net.weight(12)])) },
  "PRelu with a slope per channel": { ops: ["PRelu"], units: [12], build: between((net, h) => net.b.op("PRelu", [h, net.weight(12, 1, 1)])) },
  "constants per channel, per tensor and per pixel": {
    ops: ["Add", "Sub", "Div"], units: [12],
    build: between((net, h) => net.b.add(net.b.sub(net.b.div(net.b.add(h, net.weight(1, 12, 1, 1)), 2), net.weight(6, 6)), net.weight(1, 1, 6, 6))),
  },
  "a residual": { ops: ["Add"], units: [12, 9], build: (net, x) => {
    const h = net.relu(net.conv(x, 12));
    return net.conv(net.b.add(h, net.conv(net.relu(net.conv(h, 9)), 12)), 5);
  } },
  "Concat of two branches": { ops: ["Concat"], units: [12, 9], build: (net, x) =>
    net.conv(net.b.concat([net.relu(net.conv(x, 12)), net.relu(net.conv(x, 9))], 1), 5) },
  "Concat along another axis": { ops: ["Concat"], units: [12], build: (net, x) =>
    net.conv(net.b.concat([net.conv(x, 12), net.conv(x, 12)], 2), 5) },
  "C2f with Split": { ops: ["Split"], units: [6, 6, 9], build: (net, x) => {
    const [left, right] = net.b.split(net.relu(net.conv(x, 12)), [6, 6], 1);
    const m = net.b.add(right!, net.conv(net.relu(net.conv(right!, 9, { kernel: 3 })), 6, { kernel: 3 }));
    return net.conv(net.b.concat([left!, right!, m], 1), 5);
  } },
  "C2f with Slice": { ops: ["Slice"], units: [5, 7, 9], build: (net, x) => {
    const h = net.relu(net.conv(x, 12));
    const [left, right] = [net.b.slice(h, [0], [5], [1]), net.b.slice(h, [-7], [2 ** 62], [1])];
    const m = net.b.add(right, net.conv(net.relu(net.conv(right, 9)), 7));
    return net.conv(net.b.concat([left, right, m], 1), 5);
  } },
  "Slice of pixels": { ops: ["Slice"], units: [12], build: between(({ b }, h) => b.slice(h, [0, 1], [4, 6], [2, 3], [2, 1])) },
  "a depthwise convolution": { ops: ["Conv"], units: [12], build: between((net, h) => net.relu(net.conv(h, 12, { kernel: 3, group: 12 }))) },
  "a depthwise convolution with multiplier 2": { ops: ["Conv"], units: [12], build: between((net, h) => net.relu(net.conv(h, 24, { kernel: 3, group: 12 }))) },
  "a grouped convolution": { ops: ["Conv"], units: [4, 2], build: between((net, h) => net.relu(net.conv(h, 6, { kernel: 3, group: 3 }))) },
  "a channel shuffle": { ops: ["Reshape", "Transpose"], units: [3, 3], build: (net, x) => {
    const h = net.b.reshape(net.relu(net.conv(x, 12)), [1, 2, 6, 6, 6]);
    const shuffled = net.b.reshape(net.b.transpose(h, [0, 2, 1, 3, 4]), [1, 12, 6, 6]);
    return net.conv(net.relu(net.conv(shuffled, 6, { group: 2 })), 5);
  } },
  "ConvTranspose": { ops: ["ConvTranspose"], units: [12, 9], build: (net, x) => {
    const h = net.relu(net.conv(x, 12));
    return net.conv(net.relu(net.b.op("ConvTranspose", [h, net.weight(12, 9, 2, 2), net.weight(9)], { kernel_shape: [2, 2], strides: [2, 2] })), 5);
  } },
  "a grouped ConvTranspose": { ops: ["ConvTranspose"], units: [6, 3], build: between((net, h) =>
    net.b.op("ConvTranspose", [h, net.weight(12, 3, 2, 2), net.weight(6)], { kernel_shape: [2, 2], strides: [2, 2], group: 2 })) },
  "a depthwise ConvTranspose": { ops: ["ConvTranspose"], units: [12], build: between((net, h) =>
    net.b.op("ConvTranspose", [h, net.weight(12, 1, 2, 2), net.weight(12)], { kernel_shape: [2, 2], strides: [2, 2], group: 12 })) },
  "pools, Resize, Pad": { ops: ["MaxPool", "AveragePool", "Resize", "Pad"], units: [12], build: between(({ b }, h) => {
    const pooled = b.concat([b.op("MaxPool", [h], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), b.op("AveragePool", [h], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })], 1);
    const bigger = b.op("Resize", [pooled, null, b.constant(Tensor.float32([4], [1, 1, 2, 2]))], { mode: "nearest" });
    const sized = b.op("Resize", [bigger, null, null, b.int64s([1, 24, 9, 9])], { mode: "linear" });
    return b.op("Pad", [sized, b.int64s([0, 0, 1, 1, 0, 0, 1, 1]), b.scalar(0.5)]);
  }) },
  "squeeze and excite": { ops: ["GlobalAveragePool", "Mul"], units: [12, 4], build: (net, x) => {
    const h = net.relu(net.conv(x, 12));
    return net.conv(net.b.mul(h, net.b.sigmoid(net.conv(net.relu(net.conv(net.b.op("GlobalAveragePool", [h]), 4)), 12))), 5);
  } },
  "Gemm after Flatten": { ops: ["Flatten", "Gemm"], units: [12, 9], build: (net, x) => {
    const flat = net.b.op("Flatten", [net.relu(net.conv(x, 12))], { axis: 1 });
    const h = net.relu(net.b.op("Gemm", [flat, net.weight(9, 12 * 36), net.weight(9)], { transB: 1 }));
    return net.b.op("Gemm", [h, net.weight(9, 4), net.weight(4)]);
  } },
  "a mean over pixels, then MatMul": { ops: ["ReduceMean", "MatMul", "Squeeze", "Unsqueeze"], units: [12, 9], build: (net, x) => {
    const { b } = net;
    const pooled = b.unsqueeze(b.mean(net.relu(net.conv(x, 12)), [2, 3], false), [1]);
    const h = net.relu(b.add(b.matmul(b.squeeze(pooled, [1]), net.weight(12, 9)), net.weight(9)));
    return b.matmul(h, net.weight(9, 4));
  } },
  "tokens: Reshape, Transpose, MatMul": { ops: ["Reshape", "Transpose", "MatMul", "Erf"], units: [12, 9], build: (net, x) => {
    const { b } = net;
    const tokens = b.transpose(b.reshape(net.conv(x, 12), [1, 12, 36]), [0, 2, 1]);
    return b.matmul(b.op("Erf", [b.matmul(tokens, net.weight(12, 9))]), net.weight(9, 4));
  } },
  "values of attention heads; queries and keys stay": { ops: ["MatMul", "Softmax", "Reshape"], units: [3], input: [1, 5, 8], build: (net, x) => {
    const { b } = net;
    const heads = (name: Value, perm: number[]): Value => b.transpose(b.reshape(name, [1, 5, 2, 3]), perm);
    const [q, k, v] = [b.matmul(x, net.weight(8, 6)), b.matmul(x, net.weight(8, 6)), b.matmul(x, net.weight(8, 6))];
    const a = b.op("Softmax", [b.matmul(heads(q, [0, 2, 1, 3]), heads(k, [0, 2, 3, 1]))], { axis: -1 });
    return b.matmul(b.reshape(b.transpose(b.matmul(a, heads(v, [0, 2, 1, 3])), [0, 2, 1, 3]), [1, 5, -1]), net.weight(6, 8));
  } },
  "SpaceToDepth and DepthToSpace": { ops: ["SpaceToDepth", "DepthToSpace"], units: [12, 4], build: (net, x) => {
    const h = net.conv(net.b.op("SpaceToDepth", [net.conv(x, 12)], { blocksize: 2 }), 16);
    return net.conv(net.b.op("DepthToSpace", [h], { blocksize: 2, mode: "CRD" }), 5);
  } },
  "QuantizeLinear and DequantizeLinear per channel": { ops: ["QuantizeLinear", "DequantizeLinear"], units: [12], build: (net, x) => {
    const { b } = net;
    const scale = vector(net, 12, (i) => 0.01 + i / 2000);
    const zero = b.constant(Tensor.from("int8", [12], new Array<number>(12).fill(0)));
    const quantized = b.op("QuantizeLinear", [net.weight(12, 3, 1, 1), scale, zero], { axis: 0 });
    const weight = b.op("DequantizeLinear", [quantized, scale, zero], { axis: 0 });
    return net.conv(net.relu(b.op("Conv", [x, weight], { kernel_shape: [1, 1] })), 5);
  } },
  "Where, Cast, Clip, Gather of pixels, Expand, Tile": { ops: ["Where", "Cast", "Clip", "Gather", "Expand", "Tile", "Greater"], units: [12], build: between(({ b }, h) => {
    const clipped = b.op("Clip", [b.where(b.greater(h, 0), h, b.mul(h, 0.1)), b.scalar(-1), b.scalar(1)]);
    const picked = b.op("Gather", [b.cast(b.cast(clipped, "float64"), "float32"), b.int64s([1, 3])], { axis: 2 });
    return b.op("Tile", [b.op("Expand", [picked, b.int64s([1, 12, 2, 6])]), b.int64s([1, 1, 2, 1])]);
  }) },
  "LayerNormalization and Softmax over other axes": { ops: ["LayerNormalization", "Softmax", "CumSum"], units: [12], build: between((net, h) =>
    net.b.op("CumSum", [net.b.op("Softmax", [net.b.op("LayerNormalization", [h, net.weight(6), net.weight(6)], { axis: 3 })], { axis: 2 }), net.b.scalar(3, "int64")])) },
  "a weight that two layers share": { ops: ["Conv"], units: [12], build: (net, x) => {
    const shared = net.weight(12, 3, 1, 1);
    const branch = (input: Value): Value => net.relu(net.b.op("Conv", [input, shared], { kernel_shape: [1, 1] }));
    return net.conv(net.b.concat([branch(x), branch(net.b.mul(x, x))], 1), 5);
  } },
};

const buildCase = ({ build, input = [1, 3, 6, 6] }: Case): Graph => {
  const net = new Net();
  const outputs = build(net, net.input(input));
  return net.done(...("uses" in outputs ? [outputs] : outputs));
};

for (const [name, each] of Object.entries(cases))
  test(`${name}: pruned equals masked`, async () => {
    const structure = findGroups(buildCase(each));
    assert.equal(structure.groups.map(({ units }) => units.length), each.units, JSON.stringify(structure.blocked));
    await prunedEqualsMasked(everyThird(structure));
  });

const blocks: Readonly<Record<string, { readonly reason: RegExp; readonly build: (net: Net, x: Value) => Value }>> = {
  "an op without a row": { reason: /LRN has no row/, build: between(({ b }, h) => b.op("LRN", [h], { size: 3 })) },
  "Softmax over the channels": { reason: /normalises over that axis/, build: between(({ b }, h) => b.op("Softmax", [h], { axis: 1 })) },
  "a mean over the channels": { reason: /reduces that axis/, build: between(({ b }, h) => b.add(h, b.mean(h, [1]))) },
  "LayerNormalization over the channels": { reason: /normalises over that axis/, build: between((net, h) =>
    net.b.transpose(net.b.op("LayerNormalization", [net.b.transpose(h, [0, 2, 3, 1]), net.weight(12)], { axis: -1 }), [0, 3, 1, 2])) },
  "a Reshape that mixes channels and pixels": { reason: /not traceable/, build: between(({ b }, h) => b.reshape(b.reshape(h, [1, 8, 54]), [1, 12, 6, 6])) },
  "every second channel": { reason: /every 2th index/, build: (net, x) => net.conv(net.b.slice(net.conv(x, 12), [0], [12], [1], [2]), 5) },
  "the number of channels as data": { reason: /read at run time/, build: between(({ b }, h) =>
    b.div(h, b.cast(b.op("Gather", [b.op("Shape", [h]), b.int64s([1])], { axis: 0 }), "float32"))) },
};

for (const [name, { build, reason }] of Object.entries(blocks))
  test(`${name} blocks its group and says why`, () => {
    const { groups, blocked } = findGroups(buildCase({ ops: [], units: [], build }));
    assert.equal(groups.length, 0);
    const found = blocked.find((part) => reason.test(part.reason));
    assert.ok(found, JSON.stringify(blocked));
    assert.ok(found.layers.length > 0);
  });

test("equal biases that an exporter merged do not tie their layers", () => {
  const net = new Net();
  const bias = net.weight(12);
  const conv = (x: Value): Value => net.relu(net.b.op("Conv", [x, net.weight(12, x.shape![1] as number, 1, 1), bias], { kernel_shape: [1, 1] }));
  const graph = net.done(net.conv(conv(conv(net.input([1, 3, 6, 6]))), 5));
  assert.is(findGroups(graph).groups.length, 1);
  assert.is(findGroups(preparedGraph(graph)).groups.length, 2);
});

test("model outputs keep their channels", () => {
  const net = new Net();
  const { groups, blocked } = findGroups(net.done(net.conv(net.input([1, 3, 6, 6]), 12)));
  assert.equal(groups.length, 0);
  assert.match(blocked[0]!.reason, /output of the model/);
});

test("every row with index maps of its own has a case", () => {
  const covered = new Set(Object.values(cases).flatMap(({ ops }) => ops));
  const rules = new Map(Object.entries(axisLinks).filter(([op]) => covered.has(op)).map(([op, rule]) => [rule, op]));
  const without = Object.entries(axisLinks).filter(([, rule]) => !rules.has(rule)).map(([op]) => op);
  assert.equal(without, ["Shape"]); // blocks only: "the number of channels as data"
});

test.run();
