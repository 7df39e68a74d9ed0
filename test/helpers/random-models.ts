import { Builder } from "../../graph/builder.ts";
import { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { elementCount, Tensor } from "../../graph/tensor.ts";
import type { AttributeInput } from "../../graph/attribute.ts";

/** Small graphs with the structures that detectors use, from a seed: the same seed gives the same graph. */
export const randomModel = (seed: number): RandomModel => {
  const m = new Maker(opsets[seed % opsets.length]!, seed);
  const used: string[] = [];
  let x = m.conv(m.input, m.pick([8, 12, 16]), { kernel: 3, stride: 2 });
  const names = Object.keys(blocks);
  for (let count = 0; count < 3; count++) {
    const name = count === 0 ? names[seed % names.length]! : m.pick(names); // every block leads some model
    used.push(name);
    x = m.conv(blocks[name]!(m, x), m.pick([8, 12, 16]));
  }
  const head = m.pick(Object.keys(heads));
  used.push(head);
  m.graph.outputs.push(...heads[head]!(m, x));
  for (const [index, output] of m.graph.outputs.entries()) output.name = `y${index}`;
  return { graph: m.graph, used };
};

export interface RandomModel {
  readonly graph: Graph;
  /** Names of its blocks and its head. */
  readonly used: readonly string[];
}

const opsets = [17, 9, 18, 11, 13, 10, 12, 15, 16, 14];
const end = Number.MAX_SAFE_INTEGER * 2 ** 20; // beyond int64: written as INT64_MAX
type Numbers = readonly number[];

class Maker {
  readonly graph: Graph;
  readonly input: Value;
  readonly #b: Builder;
  #state: number;

  constructor(opset: number, seed: number) {
    this.graph = new Graph(`random ${seed}`, opset);
    this.#b = new Builder(this.graph, "n");
    this.#state = Math.imul(seed + 1, 2654435761) >>> 0;
    this.input = this.graph.addInput("x", "float32", [1, 3, 16, 16]);
  }

  get opset(): number { return this.graph.opset; }

  random(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) / 2 ** 24;
  }
  pick<T>(from: readonly T[]): T { return from[Math.floor(this.random() * from.length)]!; }
  op(opType: string, inputs: readonly (Value | null)[], attributes: Readonly<Record<string, AttributeInput | undefined>> = {}): Value { return this.#b.op(opType, inputs, attributes); }
  ops(opType: string, inputs: readonly (Value | null)[], count: number, attributes: Readonly<Record<string, AttributeInput | undefined>> = {}): readonly Value[] { return this.#b.ops(opType, inputs, count, attributes); }

  weight(shape: Numbers, scale = 1 / Math.sqrt(elementCount(shape.slice(1)) || 1), around = 0): Value {
    return this.constant(Tensor.float32(shape, Float32Array.from({ length: elementCount(shape) }, () => around + (this.random() * 2 - 1) * scale * 1.7)));
  }
  /** An initializer or a Constant node. */
  constant(tensor: Tensor): Value {
    if (this.random() < 0.7) return this.graph.addInitializer(this.graph.freshName("c"), tensor);
    return this.op("Constant", [], { value: tensor });
  }
  ints(values: Numbers, dtype: "int64" | "int32" = "int64"): Value { return this.constant(Tensor.from(dtype, [values.length], values)); }

  conv(x: Value, out: number, { kernel = 1, stride = 1, group = 1, bias = true, act = true, weight }: { kernel?: number; stride?: number; group?: number; bias?: boolean; act?: boolean; weight?: Value } = {}): Value {
    const w = weight ?? this.weight([out, channels(x) / group, kernel, kernel]);
    const pad = (kernel - 1) / 2;
    const y = this.op("Conv", [x, w, ...(bias ? [this.weight([out], 0.3)] : [])], { kernel_shape: [kernel, kernel], pads: [pad, pad, pad, pad], strides: [stride, stride], group });
    return act ? this.act(y) : y;
  }
  act(x: Value): Value {
    switch (this.pick(["relu", "silu", "leaky", "clip"])) {
      case "relu": return this.op("Relu", [x]);
      case "silu": return this.op("Mul", [x, this.op("Sigmoid", [x])]);
      case "leaky": return this.op("LeakyRelu", [x], { alpha: 0.1 });
      default: return this.clip(x, -0.5, 2);
    }
  }
  clip(x: Value, low: number, high: number): Value {
    if (this.opset < 11) return this.op("Clip", [x], { min: { type: "float", value: low }, max: { type: "float", value: high } });
    return this.op("Clip", [x, this.constant(Tensor.float32([], [low])), this.constant(Tensor.float32([], [high]))]);
  }
  slice(x: Value, starts: Numbers, ends: Numbers, axes: Numbers, steps?: Numbers): Value {
    if (this.opset < 10) return this.op("Slice", [x], { starts, ends, axes });
    const dtype = !steps && starts.length === 1 && this.random() < 0.3 ? "int32" : "int64";
    const bounds = (values: Numbers) => this.ints(dtype === "int32" ? values.map((value) => Math.min(value, 2 ** 31 - 1)) : values, dtype);
    return this.op("Slice", [x, bounds(starts), bounds(ends), bounds(axes), ...(steps ? [this.ints(steps)] : [])]);
  }
  split(x: Value, sizes: Numbers, axis: number): readonly Value[] {
    const even = sizes.every((size) => size === sizes[0]);
    if (even && this.random() < 0.5) return this.ops("Split", [x], sizes.length, { axis, num_outputs: this.opset >= 18 ? sizes.length : undefined });
    return this.opset < 13 ? this.ops("Split", [x], sizes.length, { axis, split: sizes }) : this.ops("Split", [x, this.ints(sizes)], sizes.length, { axis });
  }
  axesOp(opType: "Squeeze" | "Unsqueeze", x: Value, axes: Numbers): Value { return this.opset < 13 ? this.op(opType, [x], { axes }) : this.op(opType, [x, this.ints(axes)]); }
  reduce(opType: string, x: Value, axes: Numbers, keepdims = 1): Value {
    const asInput = this.opset >= (opType === "ReduceSum" ? 13 : 18);
    return asInput ? this.op(opType, [x, this.ints(axes)], { keepdims }) : this.op(opType, [x], { axes, keepdims });
  }
  pad(x: Value, pads: Numbers): Value {
    if (this.opset < 11) return this.op("Pad", [x], { pads, mode: "constant" });
    if (this.opset < 18 || this.random() < 0.5) return this.op("Pad", [x, this.ints(pads)]);
    return this.op("Pad", [x, this.ints([pads[2]!, pads[3]!, pads[6]!, pads[7]!]), null, this.ints([2, 3])]);
  }
  reshape(x: Value, shape: Numbers): Value { return this.op("Reshape", [x, this.ints(shape)]); }
  /** The target [x's batch, …] put together at run time, as unsimplified exports do. */
  reshapeLikeTorch(x: Value, rest: Numbers): Value {
    const batch = this.op("Gather", [this.op("Shape", [x]), this.constant(Tensor.int64([], [0]))], { axis: 0 });
    return this.op("Reshape", [x, this.op("Concat", [this.axesOp("Unsqueeze", batch, [0]), ...rest.map((size) => this.ints([size]))], { axis: 0 })]);
  }
  softmax(x: Value, axis: number): Value { return this.op("Softmax", [x], { axis: this.opset < 13 && axis < 0 ? axis + x.shape!.length : axis }); }
  upsample(x: Value, factor: number): Value {
    const scales = this.constant(Tensor.float32([4], [1, 1, factor, factor]));
    if (this.opset < 10) return this.op("Upsample", [x, scales], { mode: "nearest" });
    if (this.opset < 11) return this.op("Resize", [x, scales], { mode: "nearest" });
    const [n = 1, c = 1, h = 1, w = 1] = x.staticShape!;
    const nearest = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
    const none = this.opset < 13 ? this.constant(Tensor.float32([0], [])) : null;
    switch (this.opset >= 18 ? this.pick(["scales", "sizes", "axes", "computed"]) : this.pick(["scales", "sizes", "computed"])) {
      case "scales": return this.op("Resize", [x, none, scales], nearest);
      case "sizes": return this.op("Resize", [x, none, none, this.ints([n, c, h * factor, w * factor])], nearest);
      case "axes": return this.op("Resize", [x, null, null, this.ints([h * factor, w * factor])], { ...nearest, axes: [2, 3] });
      default: {
        const head = this.slice(this.op("Shape", [x]), [0], [2], [0]);
        return this.op("Resize", [x, none, none, this.op("Concat", [head, this.ints([h * factor, w * factor])], { axis: 0 })], nearest);
      }
    }
  }
  norm(x: Value): Value {
    const c = channels(x);
    return this.op("BatchNormalization", [x, this.weight([c], 0.3, 1), this.weight([c], 0.2), this.weight([c], 0.2), this.weight([c], 0.2, 1)], { epsilon: 1e-3 });
  }
  linear(x: Value, out: number): Value {
    const y = this.op("MatMul", [x, this.weight([channelsLast(x), out], 0.3)]);
    return this.op("Add", this.random() < 0.5 ? [y, this.weight([out], 0.2)] : [this.weight([out], 0.2), y]);
  }
}

const channels = (x: Value): number => Number(x.shape![1]);
const channelsLast = (x: Value): number => Number(x.shape!.at(-1));
const sizeOf = (x: Value): number => Number(x.shape![2]);
const widthOf = (x: Value): number => Number(x.shape![3]);
const isOdd = (x: Value): boolean => sizeOf(x) % 2 + widthOf(x) % 2 > 0;
type Block = (m: Maker, x: Value) => Value;

const tokens: Block = (m, x) => m.op("Transpose", [m.reshape(x, [1, channels(x), -1])], { perm: [0, 2, 1] });
const untokens = (m: Maker, t: Value, like: Value): Value => m.reshape(m.op("Transpose", [t], { perm: [0, 2, 1] }), [1, channelsLast(t), sizeOf(like), widthOf(like)]);

/** Structures of detectors, by name; each takes and gives [1, C, H, W] with an even C. */
const blocks: Readonly<Record<string, Block>> = {
  residual: (m, x) => m.op("Add", [x, m.conv(m.conv(x, channels(x), { kernel: 3 }), channels(x), { act: false })]),
  "residual with norm": (m, x) => m.op("Relu", [m.op("Add", [m.norm(m.conv(x, channels(x), { kernel: 3, bias: false, act: false })), x])]),
  "C2f by Split": (m, x) => {
    const [a, b] = m.split(m.conv(x, 16), [8, 8], 1) as [Value, Value];
    const c = m.op("Add", [b, m.conv(b, 8, { kernel: 3 })]);
    return m.op("Concat", [a, b, c], { axis: 1 });
  },
  "CSP by Slice": (m, x) => {
    const y = m.conv(x, 16);
    return m.op("Concat", [m.slice(y, [0], [8], [1]), m.conv(m.slice(y, [8], [end], [1]), 8, { kernel: 3 })], { axis: m.pick([1, -3]) });
  },
  "Slice on two axes": (m, x) => m.slice(m.conv(x, 16), [2, 1], [14, end], [1, 2]),
  "Slice on three axes, negative": (m, x) => m.slice(m.conv(x, 16), [-12, 0, -3], [-2, end, end], [-3, 2, 3]),
  "Slice with negative start": (m, x) => { const y = m.conv(x, 16); return m.op("Add", [m.slice(y, [-8], [end], [1]), m.slice(y, [0], [-8], [1])]); },
  "Slice of rows, sum of channels": (m, x) => m.conv(m.reduce("ReduceSum", m.slice(m.conv(x, 16), [8], [end], [1]), [1]), 8),
  "channels reversed": (m, x) => (m.opset < 10 ? x : m.slice(m.conv(x, 16), [-1], [-end], [1], [-1])),
  "every second channel": (m, x) => (m.opset < 10 ? x : m.slice(m.conv(x, 16), [0], [end], [1], [2])),
  focus: (m, x) => {
    if (m.opset < 10 || isOdd(x)) return x;
    const at = (row: number, column: number) => m.slice(m.slice(x, [row], [end], [2], [2]), [column], [end], [3], [2]);
    return m.op("Concat", [at(0, 0), at(1, 0), at(0, 1), at(1, 1)], { axis: 1 });
  },
  "focus in one Slice": (m, x) => (m.opset < 10 || isOdd(x) ? x : m.op("Concat", [m.slice(x, [0, 0], [end, end], [2, 3], [2, 2]), m.slice(x, [1, 1], [end, end], [2, 3], [2, 2])], { axis: 1 })),
  "grouped convolution": (m, x) => m.conv(m.conv(x, 16), 16, { kernel: 3, group: m.pick([2, 4]) }),
  "grouped convolution that widens": (m, x) => m.conv(m.conv(x, 8), 24, { kernel: 3, group: 4 }),
  depthwise: (m, x) => m.conv(m.conv(x, channels(x), { kernel: 3, group: channels(x) }), 16),
  "depthwise of a wide layer": (m, x) => { const y = m.conv(x, 16); return m.conv(y, 16, { kernel: 3, group: 16 }); },
  "depthwise with a multiplier": (m, x) => { const y = m.conv(x, 8); return m.conv(y, 16, { kernel: 3, group: 8 }); },
  "inverted residual": (m, x) => m.op("Add", [x, m.conv(m.conv(m.conv(x, 24), 24, { kernel: 3, group: 24 }), channels(x), { act: false })]),
  "channel shuffle": (m, x) => {
    const y = m.conv(x, 16);
    const [h, w] = [sizeOf(y), widthOf(y)];
    return m.reshape(m.op("Transpose", [m.reshape(y, [1, 2, 8, h, w])], { perm: [0, 2, 1, 3, 4] }), [1, -1, h, w]);
  },
  "channel shuffle after a grouped convolution": (m, x) => {
    const y = m.conv(m.conv(x, 16), 16, { group: 4 });
    return m.conv(m.reshape(m.op("Transpose", [m.reshape(y, [1, 4, 4, sizeOf(y), widthOf(y)])], { perm: [0, 2, 1, 3, 4] }), [1, 16, sizeOf(y), widthOf(y)]), 16, { group: 4 });
  },
  "squeeze and excite": (m, x) => {
    const y = m.conv(x, 16);
    return m.op("Mul", [y, m.op("Sigmoid", [m.conv(m.conv(m.op("GlobalAveragePool", [y]), 8), 16, { act: false })])]);
  },
  "squeeze and excite by ReduceMean and Gemm": (m, x) => {
    const y = m.conv(x, 16);
    const flat = m.reduce("ReduceMean", y, [2, 3], 0);
    const gate = m.op("Sigmoid", [m.op("Gemm", [m.op("Relu", [m.op("Gemm", [flat, m.weight([8, 16]), m.weight([8])], { transB: 1 })]), m.weight([8, 16]), m.weight([16])])]);
    return m.op("Mul", [y, m.axesOp("Unsqueeze", gate, [2, 3])]);
  },
  "squeeze and excite by Flatten and Reshape": (m, x) => {
    const y = m.conv(x, 16);
    const flat = m.op("Flatten", [m.op("GlobalAveragePool", [y])], { axis: 1 });
    return m.op("Mul", [m.reshape(m.op("Sigmoid", [m.op("Gemm", [flat, m.weight([16, 16]), m.weight([16])], { transB: 1 })]), [1, 16, 1, 1]), y]);
  },
  "spatial attention over channels": (m, x) => {
    const maps = m.op("Concat", [m.reduce("ReduceMean", x, [1]), m.reduce("ReduceMax", x, [1])], { axis: 1 });
    return m.op("Mul", [x, m.op("Sigmoid", [m.conv(maps, 1, { kernel: 3, act: false })])]);
  },
  attention: (m, x) => {
    const [h, w] = [sizeOf(x), widthOf(x)];
    const qkv = m.reshape(m.conv(x, 32, { act: false }), [1, 2, 16, h * w]);
    const [q, k, v] = m.split(qkv, [4, 4, 8], 2) as [Value, Value, Value];
    const scores = m.softmax(m.op("Mul", [m.op("MatMul", [m.op("Transpose", [q], { perm: [0, 1, 3, 2] }), k]), m.constant(Tensor.float32([], [0.5]))]), -1);
    const mixed = m.reshape(m.op("MatMul", [v, m.op("Transpose", [scores], { perm: [0, 1, 3, 2] })]), [1, 16, h, w]);
    return m.conv(m.op("Add", [mixed, m.conv(m.reshape(v, [1, 16, h, w]), 16, { kernel: 3, group: 16, act: false })]), 16);
  },
  "attention of tokens": (m, x) => {
    const t = tokens(m, x);
    const [q, k, v] = [m.linear(t, 8), m.linear(t, 8), m.linear(t, channels(x))];
    const mixed = m.op("MatMul", [m.softmax(m.op("MatMul", [q, m.op("Transpose", [k], { perm: [0, 2, 1] })]), -1), v]);
    return untokens(m, m.op("Add", [t, m.linear(mixed, channels(x))]), x);
  },
  "linear layers on tokens": (m, x) => {
    const t = tokens(m, x);
    const wide = m.linear(t, 24);
    return untokens(m, m.op("Add", [m.linear(m.op("Mul", [wide, m.op("Sigmoid", [wide])]), channels(x)), t]), x);
  },
  "layer norm by parts": (m, x) => {
    const y = m.conv(x, 16, { act: false });
    const centred = m.op("Sub", [y, m.reduce("ReduceMean", y, [1])]);
    const deviation = m.op("Sqrt", [m.op("Add", [m.reduce("ReduceMean", m.op("Mul", [centred, centred]), [1]), m.constant(Tensor.float32([], [1e-3]))])]);
    return m.op("Mul", [m.op("Div", [centred, deviation]), m.weight([16, 1, 1], 0.5, 1)]);
  },
  "upsample and concat": (m, x) => isOdd(x) ? x : m.op("Concat", [x, m.upsample(m.conv(x, 8, { kernel: 3, stride: 2 }), 2)], { axis: 1 }),
  "upsample and add": (m, x) => isOdd(x) ? x : m.op("Add", [m.conv(x, 8), m.upsample(m.conv(m.op("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] }), 8), 2)]),
  "Pad and convolution": (m, x) => m.op("Conv", [m.pad(m.conv(x, 16), [0, 0, 1, 0, 0, 0, 1, 2]), m.weight([8, 16, 3, 3])], { kernel_shape: [3, 3] }),
  "Pad of channels": (m, x) => (m.opset >= 18 ? x : m.op("Add", [m.pad(m.conv(x, 8), [0, 4, 0, 0, 0, 4, 0, 0]), m.conv(x, 16)])),
  PRelu: (m, x) => m.op("PRelu", [m.conv(x, 16, { act: false }), m.weight([16, 1, 1], 0.3)]),
  "PRelu with one slope": (m, x) => m.op("PRelu", [m.conv(x, 16, { act: false }), m.weight([1], 0.3)]),
  "instance norm": (m, x) => m.op("InstanceNormalization", [m.conv(x, 16, { act: false }), m.weight([16], 0.3, 1), m.weight([16], 0.2)], { epsilon: 1e-3 }),
  "group norm by Reshape": (m, x) => {
    const y = m.conv(x, 16, { act: false });
    const flat = m.reshape(y, m.pick([[0, 4, -1], [1, 4, -1]]));
    const norm = m.op("InstanceNormalization", [flat, m.constant(Tensor.float32([4], [1, 1, 1, 1])), m.constant(Tensor.float32([4], [0, 0, 0, 0]))], { epsilon: 1e-3 });
    return m.op("Add", [m.op("Mul", [m.reshape(norm, [1, 16, sizeOf(y), widthOf(y)]), m.weight([16, 1, 1], 0.3, 1)]), m.weight([16, 1, 1], 0.2)]);
  },
  "batch norm after a sum": (m, x) => m.norm(m.op("Add", [m.conv(x, 16, { act: false }), m.conv(x, 16, { kernel: 3, act: false })])),
  "transposed convolution": (m, x) => {
    const y = m.conv(x, 16);
    return m.conv(m.act(m.op("ConvTranspose", [y, m.weight([16, 8, 2, 2]), m.weight([8])], { kernel_shape: [2, 2], strides: [2, 2] })), 8, { kernel: 3, stride: 2 });
  },
  "grouped transposed convolution": (m, x) => m.op("ConvTranspose", [m.conv(x, 16), m.weight([16, 4, 3, 3])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: m.pick([2, 4]) }),
  "depthwise transposed convolution": (m, x) => m.op("ConvTranspose", [m.conv(x, 16), m.weight([16, 1, 3, 3]), m.weight([16])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 16 }),
  SPPF: (m, x) => {
    const pool = (v: Value) => m.op("MaxPool", [v], { kernel_shape: [5, 5], pads: [2, 2, 2, 2] });
    const a = m.conv(x, 8);
    const [b, c] = [pool(a), pool(pool(a))];
    return m.op("Concat", [a, b, c], { axis: 1 });
  },
  "one weight for two layers": (m, x) => {
    const w = m.weight([8, 8, 3, 3]);
    const [a, b] = [m.conv(x, 8), m.op("AveragePool", [m.conv(x, 8)], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })];
    return m.op("Concat", [m.conv(a, 8, { kernel: 3, weight: w }), m.conv(b, 8, { kernel: 3, weight: w })], { axis: 1 });
  },
  "one weight twice in a row": (m, x) => { const w = m.weight([8, 8, 1, 1]); return m.conv(m.conv(m.conv(x, 8), 8, { weight: w }), 8, { weight: w }); },
  "a weight through Transpose and Reshape": (m, x) => {
    const w = m.reshape(m.op("Transpose", [m.weight([8 * 1, 16])], { perm: [1, 0] }), [16, 8, 1, 1]);
    return m.conv(m.conv(m.conv(x, 8), 16, { weight: w }), 8);
  },
  "depth to space": (m, x) => m.op("DepthToSpace", [m.conv(x, 32)], m.opset >= 11 ? { blocksize: 2, mode: m.pick(["DCR", "CRD"]) } : { blocksize: 2 }),
  "space to depth": (m, x) => isOdd(x) ? x : m.op("SpaceToDepth", [m.conv(x, 8)], { blocksize: 2 }),
  "channels in another order": (m, x) => m.op("Gather", [m.conv(x, 8), m.ints([3, 1, 0, 7, 5, 4, 2, 6])], { axis: 1 }),
  "a channel by Gather": (m, x) => m.op("Mul", [m.conv(x, 16), m.axesOp("Unsqueeze", m.op("Gather", [m.conv(x, 8), m.constant(Tensor.int64([], [3]))], { axis: 1 }), [1])]),
  "three layers summed": (m, x) => m.op("Sum", [m.conv(x, 16), m.conv(x, 16, { kernel: 3 }), m.conv(x, 16)]),
  "largest of two layers": (m, x) => m.op("Max", [m.conv(x, 16), m.conv(x, 16)]),
  "scale and shift by constants": (m, x) => m.op("Sub", [m.op("Mul", [m.weight([1, 16, 1, 1], 0.5, 1), m.conv(x, 16)]), m.weight([16, 1, 1])]),
  "concat with a constant": (m, x) => m.op("Concat", [m.conv(x, 8), m.weight([1, 4, sizeOf(x), widthOf(x)], 0.5), m.conv(x, 8)], { axis: 1 }),
  "concat of rows": (m, x) => { const y = m.conv(x, 16); return m.op("Concat", [y, m.conv(y, 16)], { axis: m.pick([2, -1]) }); },
  "uneven Split": (m, x) => {
    const [a, b, c] = m.split(m.conv(x, 16), [4, 8, 4], m.pick([1, -3])) as [Value, Value, Value];
    return m.op("Concat", [c, m.conv(b, 8), a], { axis: 1 });
  },
  "Split of rows": (m, x) => { if (isOdd(x)) return x; const y = m.conv(x, 16); const rows = sizeOf(y) / 2; const [a, b] = m.split(y, [rows, rows], 2) as [Value, Value]; return m.op("Add", [a, b]); },
  "softmax over channels": (m, x) => m.op("Transpose", [m.softmax(m.op("Transpose", [m.conv(x, 8)], { perm: [0, 2, 3, 1] }), -1)], { perm: [0, 3, 1, 2] }),
  "old softmax from axis 1": (m, x) => m.op("Softmax", [m.conv(x, 8)], { axis: 1 }),
  "channel mean as gate": (m, x) => { const y = m.conv(x, 16); return m.op("Mul", [y, m.reduce("ReduceMean", y, [1])]); },
  "tile of a pooled vector": (m, x) => { const y = m.conv(x, 16); return m.op("Add", [y, m.op("Tile", [m.op("GlobalMaxPool", [y]), m.ints([1, 1, sizeOf(y), widthOf(y)])])]); },
  "expand of a pooled vector": (m, x) => { const y = m.conv(x, 16); return m.op("Concat", [y, m.op("Expand", [m.op("GlobalAveragePool", [y]), m.ints([1, 16, sizeOf(y), widthOf(y)])])], { axis: 1 }); },
  "expand by ones": (m, x) => { const y = m.conv(x, 16); return m.op("Mul", [y, m.op("Expand", [m.op("GlobalAveragePool", [y]), m.ints([1, 1, sizeOf(y), widthOf(y)])])]); },
  "five dimensions and back": (m, x) => { const y = m.conv(x, 16); return m.axesOp("Squeeze", m.op("Relu", [m.axesOp("Unsqueeze", y, [2])]), [2]); },
  "channels last and back": (m, x) => m.op("Transpose", [m.op("Add", [m.op("Transpose", [m.conv(x, 16)], { perm: [0, 2, 3, 1] }), m.weight([16], 0.5)])], { perm: [0, 3, 1, 2] }),
  "Reshape with copied sizes": (m, x) => { const y = m.conv(x, 16); return m.reshape(m.op("Mul", [m.reshape(y, [0, 0, -1]), m.weight([16, 1], 0.5, 1)]), [0, 0, sizeOf(y), widthOf(y)]); },
  "Reshape at run time": (m, x) => { const y = m.conv(x, 16); return m.reshapeLikeTorch(m.reshapeLikeTorch(y, [16, sizeOf(y) * widthOf(y)]), [16, sizeOf(y), widthOf(y)]); },
  "Reshape that merges channels and rows": (m, x) => { const y = m.conv(x, 8); return m.reshape(m.reshape(y, [1, 8 * sizeOf(y), widthOf(y)]), [1, 8, sizeOf(y), widthOf(y)]); },
  "heads by Reshape": (m, x) => { const y = m.conv(x, 16); return m.reshape(m.op("Relu", [m.reshape(y, [1, 4, 4, sizeOf(y) * widthOf(y)])]), [1, 16, sizeOf(y), widthOf(y)]); },
  "mean over rows and columns": (m, x) => { const y = m.conv(x, 16); return m.op("Mul", [m.reduce("ReduceMean", y, [3]), m.reduce("ReduceMean", y, [-2])]); },
  "a mask by Where": (m, x) => (m.opset < 11 ? x : m.op("Where", [m.op("Greater", [m.conv(x, 16), m.constant(Tensor.float32([], [0.1]))]), m.conv(x, 16), m.conv(x, 16)])),
  "a cumulated sum over channels": (m, x) => (m.opset < 11 ? x : m.op("CumSum", [m.conv(x, 8), m.constant(Tensor.int64([], [1]))])),
  "an outer product of channels": (m, x) => {
    const flat = m.reshape(m.conv(x, 8), [1, 8, -1]);
    const gram = m.softmax(m.op("MatMul", [flat, m.op("Transpose", [flat], { perm: [0, 2, 1] })]), -1);
    return m.reshape(m.op("MatMul", [gram, flat]), [1, 8, sizeOf(x), widthOf(x)]);
  },
  "Einsum of tokens": (m, x) => (m.opset < 12 ? x : untokens(m, m.op("Einsum", [tokens(m, m.conv(x, 8)), m.weight([8, 16])], { equation: "bnc,cd->bnd" }), x)),
  "a weight with a scale per channel, int8": (m, x) => {
    if (m.opset < 13) return x;
    const y = m.conv(x, 8);
    const int8 = m.constant(Tensor.from("int8", [16, 8, 1, 1], Float32Array.from({ length: 128 }, () => Math.floor(m.random() * 255) - 127)));
    const w = m.op("DequantizeLinear", [int8, m.weight([16], 0.001, 0.005), m.constant(Tensor.from("int8", [16], new Float32Array(16)))], { axis: 0 });
    return m.conv(m.conv(y, 16, { weight: w }), 8);
  },
  "a matrix from the left": (m, x) => { const y = m.conv(x, 8); return m.reshape(m.op("MatMul", [m.weight([16, 8]), m.reshape(y, [1, 8, -1])]), [1, 16, sizeOf(y), widthOf(y)]); },
  "a weight scaled at run time": (m, x) => m.conv(m.conv(x, 8), 16, { weight: m.op("Mul", [m.weight([16, 8, 1, 1]), m.weight([16, 1, 1, 1], 0.5, 1)]) }),
  "one-dimensional convolution": (m, x) => {
    const flat = m.reshape(m.conv(x, 8), [1, 8, -1]);
    const y = m.op("Conv", [flat, m.weight([16, 8, 3]), m.weight([16])], { kernel_shape: [3], pads: [1, 1] });
    return m.reshape(m.op("Relu", [y]), [1, 16, sizeOf(x), widthOf(x)]);
  },
  "the same value twice in a Concat": (m, x) => { const y = m.conv(x, 8); return m.op("Concat", [y, m.conv(y, 8), y], { axis: 1 }); },
  "Split with a part that nobody reads": (m, x) => { const [a, , c] = m.split(m.conv(x, 24), [8, 8, 8], 1) as [Value, Value, Value]; return m.op("Add", [a, c]); },
  "Slices that overlap": (m, x) => { const y = m.conv(x, 16); return m.op("Mul", [m.slice(y, [0], [10], [1]), m.slice(y, [6], [end], [1])]); },
  "Slices of Slices": (m, x) => { const y = m.slice(m.conv(x, 24), [4], [-2], [1]); return m.op("Concat", [m.slice(y, [2], [end], [1]), m.slice(y, [0], [2], [1])], { axis: 1 }); },
  "depthwise transposed convolution with a multiplier": (m, x) => m.op("ConvTranspose", [m.conv(x, 8), m.weight([8, 2, 3, 3]), m.weight([16])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 8 }),
  "one filter for every channel, channels as batch": (m, x) => {
    const y = m.conv(x, 8);
    const [h, w] = [sizeOf(y), widthOf(y)];
    return m.reshape(m.op("Conv", [m.reshape(y, [8, 1, h, w]), m.weight([1, 1, 3, 3])], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }), [1, 8, h, w]);
  },
  "one slope for two layers": (m, x) => { const s = m.weight([16, 1, 1], 0.3); return m.op("Concat", [m.op("PRelu", [m.conv(x, 16), s]), m.op("PRelu", [m.conv(x, 16, { kernel: 3 }), s])], { axis: 1 }); },
  "a layer norm op": (m, x) => (m.opset < 17 ? x : untokens(m, m.op("LayerNormalization", [m.linear(tokens(m, x), 16), m.weight([16], 0.3, 1), m.weight([16], 0.2)], { axis: -1 }), x)),
  "softmax over rows": (m, x) => m.softmax(m.op("Transpose", [m.conv(x, 8)], { perm: [0, 1, 3, 2] }), -1),
  "zeros by ConstantOfShape": (m, x) => {
    if (m.opset < 9) return x;
    const y = m.conv(x, 8);
    return m.op("Concat", [y, m.op("ConstantOfShape", [m.op("Shape", [y])])], { axis: 1 });
  },
  "a size read from another layer": (m, x) => {
    if (m.opset < 11) return x;
    const [y, z] = [m.conv(x, 8), m.conv(x, 8)];
    return m.op("Add", [y, m.op("Expand", [m.op("GlobalAveragePool", [z]), m.op("Shape", [y])])]);
  },
  "quantized and back": (m, x) => {
    if (m.opset < 13) return x;
    const [scale, zero] = [m.constant(Tensor.float32([], [0.02])), m.constant(Tensor.from("uint8", [], [100]))];
    return m.op("DequantizeLinear", [m.op("QuantizeLinear", [m.conv(x, 16), scale, zero]), scale, zero]);
  },
};

/** What ends a model: its outputs. */
const heads: Readonly<Record<string, (m: Maker, x: Value) => readonly Value[]>> = {
  "a map": (m, x) => [m.conv(x, 6, { act: false })],
  "boxes and scores, flattened": (m, x) => {
    const y = m.conv(x, 16);
    const [boxes, scores] = [m.conv(m.conv(y, 8, { kernel: 3 }), 4, { act: false }), m.conv(m.conv(y, 8, { kernel: 3 }), 3, { act: false })];
    const flat = (v: Value) => m.reshape(v, [1, channels(v), -1]);
    return [m.op("Concat", [flat(boxes), m.op("Sigmoid", [flat(scores)])], { axis: 1 })];
  },
  "two levels in one list": (m, x) => {
    const small = m.conv(x, 16, { kernel: 3, stride: 2 });
    const rows = (v: Value) => m.op("Transpose", [m.reshape(m.conv(v, 6, { act: false }), [1, 6, -1])], { perm: [0, 2, 1] });
    return [m.op("Concat", [rows(x), rows(small)], { axis: 1 })];
  },
  "two outputs and anchors": (m, x) => [m.reshape(m.conv(x, 12, { act: false }), [1, 3, 4, sizeOf(x), widthOf(x)]), m.conv(m.conv(x, 8), 3, { act: false })],
  "classes by Gemm": (m, x) => [m.op("Gemm", [m.op("Flatten", [m.op("GlobalAveragePool", [m.conv(x, 16)])]), m.weight([5, 16]), m.weight([5])], { transB: 1 })],
  "classes by a flattened map": (m, x) => {
    const y = m.conv(x, 8);
    return [m.op("Gemm", [m.op("Flatten", [y], { axis: 1 }), m.weight([8 * sizeOf(y) * widthOf(y), 5], 0.1), m.weight([5])])];
  },
  "classes by MatMul": (m, x) => [m.linear(m.reduce("ReduceMean", m.conv(x, 16), [2, 3], 0), 5)],
  "a mask from prototypes": (m, x) => {
    const [prototypes, weights] = [m.conv(x, 8), m.op("GlobalAveragePool", [m.conv(x, 8)])];
    return [m.op("MatMul", [m.reshape(weights, [1, 1, 8]), m.reshape(prototypes, [1, 8, -1])])];
  },
};

export const blockNames: readonly string[] = [...Object.keys(blocks), ...Object.keys(heads)];
