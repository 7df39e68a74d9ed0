import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import type { Value } from "../../../graph/node.ts";
import { Tensor } from "../../../graph/tensor.ts";
import type { Feeds } from "../../../runtime/session.ts";
import { seededNumbers } from "../../helpers/models.ts";

/** Whole numbers and choices from a seed. */
class Dice {
  #state: number;
  constructor(seed: number) { this.#state = (seed * 2654435761 + 1) % 2 ** 32; }
  /** 0 … count - 1. */
  roll(count: number): number {
    this.#state = (this.#state * 1664525 + 1013904223) % 2 ** 32;
    return Math.floor((this.#state / 2 ** 32) * count);
  }
  of<T>(list: readonly T[]): T { return list[this.roll(list.length)]!; }
}

const size = 12;

interface ConvOptions {
  readonly kernel?: number;
  readonly group?: number;
  readonly stride?: number;
  readonly weight?: Value;
  /** Null: none. */
  readonly bias?: Value | null;
}

/** A small graph with structures that detectors have and a quantizer may stumble over, by seed. */
export class GeneratedNet {
  readonly graph: Graph;
  readonly b: Builder;
  readonly dice: Dice;
  /** What was built, for the name of the test. */
  readonly kinds: string[] = [];
  #seed: number;
  readonly #shared = new Map<string, Value>();

  constructor(seed: number, opset = 17 + (seed % 6)) {
    this.graph = new Graph(`generated-${seed}`, opset);
    this.b = new Builder(this.graph, "n");
    this.dice = new Dice(seed);
    this.#seed = 1000 * seed;
  }

  numbers(count: number, low: number, high: number): Float32Array { return seededNumbers(count, this.#seed++, low, high); }

  weight(shape: readonly number[], gain = 1): Value {
    const count = shape.reduce((n, d) => n * d, 1);
    const reach = (gain * 2.2) / Math.sqrt(Math.max(1, count / shape[0]!));
    return this.graph.addInitializer(`w${this.#seed}`, Tensor.float32(shape, this.numbers(count, -reach, reach)));
  }

  bias(count: number, reach = 0.5): Value { return this.graph.addInitializer(`b${this.#seed}`, Tensor.float32([count], this.numbers(count, -reach, reach))); }

  conv(x: Value, outputs: number, { kernel = 3, group = 1, stride = 1, weight, bias }: ConvOptions = {}): Value {
    const inputs = [x, weight ?? this.weight([outputs, channelsOf(x) / group, kernel, kernel]), ...(bias === null ? [] : [bias ?? this.bias(outputs)])];
    return this.b.op("Conv", inputs, { kernel_shape: [kernel, kernel], pads: new Array<number>(4).fill((kernel - 1) >> 1), group, strides: [stride, stride] });
  }

  /** A weight in which every fourth channel is `factor` times the others. */
  unevenWeight(shape: readonly number[], factor: number): Value {
    const weight = this.weight(shape);
    const inner = shape.slice(1).reduce((n, d) => n * d, 1);
    const floats = weight.tensor!.floats.map((w, i) => (Math.floor(i / inner) % 4 === 0 ? w * factor : w));
    return this.graph.addInitializer(`${weight.name}_uneven`, Tensor.float32(shape, floats));
  }

  shared(key: string, make: () => Value): Value {
    const known = this.#shared.get(key) ?? make();
    this.#shared.set(key, known);
    return known;
  }
}

export const channelsOf = (x: Value): number => x.staticShape![1]!;

type Block = (net: GeneratedNet, x: Value) => Value;

const activations: Readonly<Record<string, Block>> = {
  none: (_net, x) => x,
  relu: ({ b }, x) => b.op("Relu", [x]),
  silu: ({ b }, x) => b.silu(x),
  sigmoid: ({ b }, x) => b.sigmoid(x),
  tanh: ({ b }, x) => b.op("Tanh", [x]),
  hardSigmoid: ({ b }, x) => b.op("HardSigmoid", [x]),
  hardSwish: ({ b }, x) => b.op("HardSwish", [x]),
  leaky: ({ b }, x) => b.op("LeakyRelu", [x], { alpha: 0.1 }),
  relu6: ({ b }, x) => b.op("Clip", [x, b.scalar(0), b.scalar(6)]),
  clip: ({ b }, x) => b.op("Clip", [x, b.scalar(-0.5), b.scalar(0.7)]),
  softmax: ({ b }, x) => b.op("Softmax", [x], { axis: 1 }),
  elu: ({ b }, x) => b.op("Elu", [x]),
  abs: ({ b }, x) => b.abs(x),
};

const axes = ({ b, graph }: GeneratedNet): readonly Value[] => (graph.opset >= 18 ? [b.int64s([2, 3])] : []);

/** One kind a line; each gives a map of rank 4. */
export const blocks: Readonly<Record<string, Block>> = {
  ...Object.fromEntries(Object.entries(activations).map(([name, act]) => [`conv-${name}`, ((net, x) => act(net, net.conv(x, net.dice.of([8, 16, 20])))) satisfies Block])),
  noBias: (net, x) => net.conv(x, 16, { bias: null }),
  oddChannels: (net, x) => net.conv(net.conv(x, 7), 13),
  depthwise: (net, x) => net.b.op("Relu", [net.conv(x, channelsOf(x), { group: channelsOf(x) })]),
  grouped: (net, x) => net.conv(net.conv(x, 16), 24, { group: 4 }),
  stride: (net, x) => net.conv(x, 16, { stride: 2 }),
  tinyChannels: (net, x) => net.b.silu(net.conv(x, 16, { weight: net.unevenWeight([16, channelsOf(x), 3, 3], 10 ** -net.dice.of([3, 6, 9, 12, 20, 36, 40])) })),
  zeroChannels: (net, x) => net.b.silu(net.conv(x, 16, { weight: net.unevenWeight([16, channelsOf(x), 3, 3], 0) })),
  hugeBias: (net, x) => net.b.sigmoid(net.conv(x, 8, { bias: net.bias(8, 1e4), weight: net.weight([8, channelsOf(x), 3, 3], 1e-4) })),
  smallValues: (net, x) => net.conv(net.b.mul(net.conv(x, 8), 1e-6), 8, { weight: net.weight([8, 8, 3, 3], 1e6) }),
  sharedWeight: (net, x) => {
    const y = net.conv(x, 16);
    const weight = net.shared("weight", () => net.weight([16, 16, 3, 3]));
    const bias = net.dice.roll(2) === 0 ? net.shared("bias", () => net.bias(16)) : net.bias(16);
    return net.b.add(net.conv(y, 16, { weight, bias }), net.conv(net.b.op("Relu", [net.b.mul(y, 3)]), 16, { weight, bias }));
  },
  weightAlsoRead: (net, x) => {
    const weight = net.weight([8, channelsOf(x), 3, 3]);
    return net.b.add(net.conv(x, 8, { weight }), net.b.mean(net.b.reshape(weight, [1, 8, channelsOf(x) * 9, 1]), [2], true));
  },
  computedWeight: (net, x) => net.conv(x, 8, { weight: net.b.mul(net.weight([8, channelsOf(x), 1, 1]), net.b.op("Sigmoid", [net.b.mean(x)])), kernel: 1 }),
  pad: (net, x) => net.conv(net.graph.opset >= 18 ? net.b.op("Pad", [net.conv(x, 8), net.b.int64s([1, 1, 1, 1]), null, ...axes(net)]) : net.b.op("Pad", [net.conv(x, 8), net.b.int64s([0, 0, 1, 1, 0, 0, 1, 1])]), 8),
  resizeSizes: (net, x) => {
    const y = net.conv(x, 16);
    const [h, w] = y.staticShape!.slice(2).map((n) => 2 * n) as [number, number];
    return net.graph.opset >= 18 ? net.b.op("Resize", [y, null, null, net.b.int64s([h, w])], { axes: [2, 3], mode: "nearest" }) : net.b.op("Resize", [y, null, null, net.b.int64s([1, 16, h, w])], { mode: "nearest" });
  },
  resizeScales: (net, x) => {
    const y = net.conv(x, 8);
    const mode = net.dice.of(["nearest", "linear"]);
    return net.graph.opset >= 18 ? net.b.op("Resize", [y, null, net.b.constant(Tensor.float32([2], [2, 2]))], { axes: [2, 3], mode }) : net.b.op("Resize", [y, null, net.b.constant(Tensor.float32([4], [1, 1, 2, 2]))], { mode });
  },
  split: (net, x) => {
    const y = net.conv(x, 16);
    const [a, c] = net.graph.opset >= 18 ? net.b.ops("Split", [y], 2, { axis: 1, num_outputs: 2 }) : net.b.split(y, [8, 8], 1);
    return net.b.concat([net.conv(c!, 8), a!], 1);
  },
  slice: (net, x) => net.conv(net.b.slice(net.conv(x, 16), [4, 0], [12, 2 ** 31], [1, 2]), 8),
  maxPool: (net, x) => net.b.op("MaxPool", [net.conv(x, 16)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  averagePool: (net, x) => net.b.op("AveragePool", [net.conv(x, 16)], { kernel_shape: [2, 2], strides: [2, 2] }),
  squeezeExcite: (net, x) => {
    const y = net.conv(x, 16);
    const gate = net.b.sigmoid(net.conv(net.b.op("Relu", [net.conv(net.b.op("GlobalAveragePool", [y]), 8, { kernel: 1 })]), 16, { kernel: 1 }));
    return net.b.mul(y, gate);
  },
  reduceGate: (net, x) => { const y = net.conv(x, 16); return net.b.mul(y, net.b.op("HardSigmoid", [net.conv(net.b.mean(y, [2, 3], true), 16, { kernel: 1 })])); },
  residual: (net, x) => { const y = net.conv(x, 16); return net.b.op("Relu", [net.b.add(y, net.conv(y, 16))]); },
  residualSigmoid: (net, x) => { const y = net.conv(x, 16); return net.b.add(net.conv(y, 16), net.b.sigmoid(y)); },
  residualSoftmax: (net, x) => { const y = net.conv(x, 16); return net.b.add(net.b.op("Softmax", [y], { axis: 1 }), net.conv(y, 16)); },
  constants: (net, x) => net.b.op("Relu", [net.b.add(net.b.mul(net.conv(x, 8), net.b.constant(Tensor.float32([1, 8, 1, 1], net.numbers(8, 0.5, 2)))), net.b.constant(Tensor.float32([1, 8, 1, 1], net.numbers(8, -1, 1))))]),
  batchNorm: (net, x) => net.b.op("Relu", [net.b.op("BatchNormalization", [net.conv(x, 8, { bias: null }), ...[0, 1, 2].map(() => net.bias(8)), net.b.add(net.b.abs(net.bias(8)), 0.5)])]),
  concatInput: (net, x) => net.b.concat([net.conv(x, 8), x], 1),
  convTranspose: (net, x) => net.b.op("ConvTranspose", [net.conv(x, 8), net.weight([8, 16, 2, 2]), net.bias(16)], { kernel_shape: [2, 2], strides: [2, 2] }),
  matMul: (net, x) => {
    const y = net.b.matmul(net.b.transpose(net.conv(x, 8), [0, 2, 3, 1]), net.weight([8, 16]));
    return net.b.transpose(net.dice.roll(2) === 0 ? y : net.b.add(y, net.bias(16)), [0, 3, 1, 2]);
  },
  tinyMatMul: (net, x) => {
    const weight = net.unevenWeight([16, 8], 1e-9).tensor!;
    const columns = Tensor.float32([8, 16], Float32Array.from({ length: 128 }, (_, i) => weight.floats[(i % 16) * 8 + Math.floor(i / 16)]!));
    return net.b.transpose(net.b.add(net.b.matmul(net.b.transpose(net.conv(x, 8), [0, 2, 3, 1]), net.graph.addInitializer("columns", columns)), net.bias(16)), [0, 3, 1, 2]);
  },
  vectorMatMul: (net, x) => {
    const y = net.conv(x, 8);
    const weighted = net.b.matmul(net.b.transpose(y, [0, 2, 3, 1]), net.shared("vector", () => net.weight([8])));
    return net.b.add(y, net.b.unsqueeze(weighted, [1]));
  },
  attention: (net, x) => {
    const y = net.conv(x, 16);
    const [, , h, w] = y.staticShape! as [number, number, number, number];
    const rows = net.b.reshape(y, [1, 16, h * w]);
    const weights = net.b.op("Softmax", [net.b.mul(net.b.matmul(net.b.transpose(rows, [0, 2, 1]), rows), 0.25)], { axis: -1 });
    return net.b.reshape(net.b.matmul(rows, net.b.transpose(weights, [0, 2, 1])), [1, 16, h, w]);
  },
  sideOutput: (net, x) => { const y = net.b.op("Relu", [net.conv(x, 8)]); if (net.graph.outputs.length < 2) net.graph.outputs.push(y); return net.conv(y, 8); },
  unusedLayer: (net, x) => { const y = net.conv(x, 8); net.conv(y, 8); return net.b.op("Relu", [y]); },
  twoReaders: (net, x) => net.b.concat([net.conv(x, 8), net.b.op("LeakyRelu", [net.conv(x, 8, { kernel: 1 })])], 1),
  dropped: (net, x) => net.b.op("Identity", [net.conv(net.b.op("Identity", [x]), 8)]),
};

/** Reductions to the rows of a detector: a head of a layer each, or one of boxes in pixels and scores together. */
const ends: Readonly<Record<string, (net: GeneratedNet, x: Value) => Value>> = {
  layer: (net, x) => net.conv(x, 6, { kernel: 1 }),
  boxesAndScores: (net, x) => {
    const y = net.conv(x, 9, { kernel: 1 });
    const [, , h, w] = y.staticShape! as [number, number, number, number];
    const rows = net.b.reshape(y, [1, 9, h * w]);
    return net.b.concat([net.b.mul(net.b.op("Exp", [net.b.slice(rows, [0], [4], [1])]), 64), net.b.sigmoid(net.b.slice(rows, [4], [9], [1]))], 1);
  },
  gemm: (net, x) => net.b.op("Gemm", [net.b.op("Flatten", [net.b.op("GlobalAveragePool", [x])]), net.weight([10, channelsOf(x)]), net.bias(10)], { transB: 1 }),
  activation: (net, x) => net.b.sigmoid(net.conv(x, 5)),
};

/** Seeds from 0 on that have every kind once. */
export const seedsForAllKinds = Math.ceil(Object.keys(blocks).length / 2);

/** Three to five blocks, the first two by the seed, and an end. */
export const generatedNet = (seed: number): GeneratedNet => {
  const net = new GeneratedNet(seed);
  const names = Object.keys(blocks);
  let x = net.graph.addInput("images", "float32", [1, 3, size, size]);
  const count = 3 + net.dice.roll(3);
  for (let i = 0; i < count; i++) {
    const name = i < 2 ? names[(2 * seed + i) % names.length]! : net.dice.of(names);
    net.kinds.push(name);
    x = blocks[name]!(net, x);
  }
  const end = net.dice.of(Object.keys(ends));
  net.kinds.push(end);
  net.graph.outputs.push(ends[end]!(net, x));
  return net;
};

export const picturesFor = (seed: number, count = 4): Feeds[] => Array.from({ length: count }, (_, i) => ({ images: Tensor.float32([1, 3, size, size], seededNumbers(3 * size * size, 77 * seed + i, 0, 1)) }));
