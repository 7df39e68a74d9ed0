import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Graph } from "../../../graph/graph.ts";
import { inferShapes } from "../../../graph/shapes.ts";
import { parseGraph } from "../../../graph/text.ts";
import { loadModel } from "../../../onnx/load.ts";
import { emitCpu } from "../../../pipeline/quantize/cpu.ts";
import { startingFloatSet } from "../../../pipeline/quantize/float-set.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import type { RangeTable, TensorRange } from "../../../pipeline/quantize/ranges.ts";
import { quantizeModel } from "../../../pipeline/quantize/quantize.ts";
import { emitTensorrt } from "../../../pipeline/quantize/tensorrt.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { checkTensorrt, rules } from "../../../targets/jetson/check/check.ts";
import type { CheckOptions, Severity } from "../../../targets/jetson/check/finding.ts";
import { assetPath, seededFeeds } from "../../helpers/models.ts";

const parameters = `const s: f32[] = [0.1] const z: i8[] = [0] const s2: f32[] = [0.2] const ws: f32[16] = fill 0.01 const wz: i8[16] = fill 0
  const w: f32[16,16,3,3] = fill 0.1 wq = QuantizeLinear<axis=0>(w, ws, wz) wd = DequantizeLinear<axis=0>(wq, ws, wz)`;
const pair = (value: string, name: string, scale = "s", zero = "z"): string => `${name}q = QuantizeLinear(${value}, ${scale}, ${zero}) ${name} = DequantizeLinear(${name}q, ${scale}, ${zero})`;
const conv = (x: string, y: string, weight = "wd"): string => `${y} = Conv<pads=[1,1,1,1]>(${x}, ${weight})`;
/** A model of 16 channels with the quantized weights `wd`. */
const net = (body: string, output: string, header = ""): string => `${header} (x: f32[1,16,8,8]) { ${parameters} ${body} } -> ${output}`;

interface Case {
  readonly rule: string;
  readonly severity: Severity;
  readonly what: string;
  readonly model: string;
  /** The same model without the fault. */
  readonly mended: string;
  readonly options?: CheckOptions;
}

const good = net(`${pair("x", "a")} ${conv("a", "c")} r = Relu(c) ${pair("r", "b")} ${conv("b", "y")}`, "y");
const weights = (text: string, use = "Conv<pads=[1,1,1,1]>"): string => `(x: f32[1,16,8,8]) { const s: f32[] = [0.1] const z: i8[] = [0] ${pair("x", "a")} ${text} y = ${use}(a, wd) } -> y`;
const typed = (shape: string, ops: string, output = "y"): string => `(x: ${shape}) { ${ops} } -> ${output}`;
const skip = (add: string): string => net(`${pair("x", "a")} ${conv("a", "c")} ${pair("c", "p")} ${add} ${pair("y", "b")} ${conv("b", "out")}`, "out");
const concat = (scale: string): string => net(`${pair("x", "a")} ${conv("a", "c")} ${conv("a", "d")} k = Concat<axis=1>(c, d)
  const w2: f32[16,32,1,1] = fill 0.1 w2q = QuantizeLinear<axis=0>(w2, ws, wz) w2d = DequantizeLinear<axis=0>(w2q, ws, wz) ${pair("k", "b")} e = Conv(b, w2d) ${pair("d", "g", scale)} ${conv("g", "f")} y = Add(e, f)`, "y");
const aligned = (channels: number): string => net(`const v: f32[${channels},16,3,3] = fill 0.1 const vs: f32[${channels}] = fill 0.1 const vz: i8[${channels}] = fill 0
  vq = QuantizeLinear<axis=0>(v, vs, vz) vd = DequantizeLinear<axis=0>(vq, vs, vz) ${pair("x", "a")} ${conv("a", "y", "vd")}`, "y");

const cases: readonly Case[] = [
  { rule: "opset", severity: "error", what: "opset 18 for TensorRT 8.5", options: { version: { major: 8, minor: 5 } }, model: `graph m <opset 18> (x: f32[1]) { y = Relu(x) } -> y`, mended: `graph m <opset 17> (x: f32[1]) { y = Relu(x) } -> y` },
  { rule: "opset", severity: "error", what: "opset 6", model: `graph m <opset 6> (x: f32[1]) { y = Relu(x) } -> y`, mended: `graph m <opset 9> (x: f32[1]) { y = Relu(x) } -> y` },
  { rule: "opset", severity: "slow", what: "opset 8", model: `graph m <opset 8> (x: f32[1]) { y = Relu(x) } -> y`, mended: `graph m <opset 9> (x: f32[1]) { y = Relu(x) } -> y` },
  { rule: "unsupported-op", severity: "error", what: "Bernoulli", model: typed("f32[1]", "y = Bernoulli(x)"), mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "op-restriction", severity: "error", what: "cubic Resize", model: typed("f32[1,1,2,2]", `const k: f32[4] = [1,1,2,2] y = Resize<mode="cubic">(x, _, k)`), mended: typed("f32[1,1,2,2]", `const k: f32[4] = [1,1,2,2] y = Resize<mode="linear">(x, _, k)`) },
  { rule: "op-restriction", severity: "error", what: "MaxPool with indices", model: typed("f32[1,1,4,4]", "y, i = MaxPool<kernel_shape=[2,2]>(x)"), mended: typed("f32[1,1,4,4]", "y = MaxPool<kernel_shape=[2,2]>(x)") },
  { rule: "plugin", severity: "error", what: "an op of another domain", model: `graph m <opset 17, com.microsoft 1> (x: f32[1]) { y = com.microsoft::QuickGelu(x) } -> y`, mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "plugin", severity: "note", what: "a TensorRT plug-in", model: `graph m <opset 17, TRT 1> (x: f32[1]) { y = TRT::EfficientNMS_TRT(x) } -> y`, mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "data-dependent", severity: "slow", what: "NMS in the model", model: typed("f32[1,10,4]", "const c: f32[1,1,10] = fill 0.5 y = NonMaxSuppression(x, c)"), mended: typed("f32[1,10,4]", "y = Relu(x)") },
  { rule: "control-flow", severity: "slow", what: "If", model: `(c: bool[], x: f32[2]) { y = If<then_branch=graph a () { p = Relu(x) } -> p, else_branch=graph b () { q = Neg(x) } -> q>(c) } -> y`, mended: typed("f32[2]", "y = Relu(x)") },
  { rule: "dynamic-shape", severity: "slow", what: "dynamic height", model: typed("f32[1,3,H,8]", "y = Relu(x)"), mended: typed("f32[1,3,8,8]", "y = Relu(x)") },
  { rule: "dynamic-shape", severity: "note", what: "dynamic batch", model: typed("f32[N,3,8,8]", "y = Relu(x)"), mended: typed("f32[1,3,8,8]", "y = Relu(x)") },
  { rule: "dynamic-shape", severity: "error", what: "unknown rank", model: typed("f32", "y = Relu(x)"), mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "int64", severity: "error", what: "an int64 beyond 32 bits on TensorRT 8", options: { version: { major: 8, minor: 6 } }, model: typed("i64[1]", "const k: i64[1] = [4294967296] y = Add(x, k)"), mended: typed("f32[4]", "const a: i64[1] = [0] const k: i64[1] = [9223372036854775807] y = Slice(x, a, k)") },
  { rule: "int64", severity: "note", what: "an int64 input", model: typed("i64[1]", "y = Abs(x)"), mended: typed("i32[1]", "y = Abs(x)") },
  { rule: "element-type", severity: "error", what: "uint8 arithmetic", model: typed("u8[1]", "y = Add(x, x)"), mended: typed("u8[1]", "y = Cast<to=1>(x)") },
  { rule: "element-type", severity: "note", what: "float64", model: typed("f64[1]", "y = Relu(x)"), mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "element-type", severity: "error", what: "uint16", model: typed("u16[1]", "y = Cast<to=1>(x)"), mended: typed("f32[1]", "y = Relu(x)") },
  { rule: "layer-name", severity: "note", what: "a quote in a name", model: `(x: f32[1]) { y = Relu(x) "a\\"b" } -> y`, mended: `(x: f32[1]) { y = Relu(x) "ab" } -> y` },

  { rule: "zero-point", severity: "error", what: "zero point -128", model: net(`const z2: i8[] = [-128] ${pair("x", "a", "s", "z2")} ${conv("a", "y")}`, "y"), mended: good },
  { rule: "zero-point-type", severity: "error", what: "uint8", model: net(`const z2: u8[] = [0] ${pair("x", "a", "s", "z2")} ${conv("a", "y")}`, "y"), mended: good },
  { rule: "zero-point-type", severity: "error", what: "no zero point", model: net(`aq = QuantizeLinear(x, s) a = DequantizeLinear(aq, s) ${conv("a", "y")}`, "y"), mended: good },
  { rule: "scale", severity: "error", what: "a scale of 0", model: net(`const bad: f32[] = [0] ${pair("x", "a", "bad")} ${conv("a", "y")}`, "y"), mended: good },
  { rule: "scale", severity: "error", what: "a computed scale", model: net(`m = ReduceMax<keepdims=0>(x) ${pair("x", "a", "m")} ${conv("a", "y")}`, "y"), mended: good },
  { rule: "scale", severity: "error", what: "one zero point for 16 scales", model: weights(`const w: f32[16,16,3,3] = fill 0.1 const ws: f32[16] = fill 1 wq = QuantizeLinear<axis=0>(w, ws, z) wd = DequantizeLinear<axis=0>(wq, ws, z)`), mended: good },
  { rule: "per-channel-activation", severity: "error", what: "16 scales on data", model: net(`aq = QuantizeLinear<axis=1>(x, ws, wz) a = DequantizeLinear<axis=1>(aq, ws, wz) ${conv("a", "y")}`, "y"), mended: good },
  { rule: "weight-axis", severity: "error", what: "Conv scales along axis 1", model: weights(`const w: f32[16,16,3,3] = fill 0.1 const ws: f32[16] = fill 1 const wz: i8[16] = fill 0 wq = QuantizeLinear<axis=1>(w, ws, wz) wd = DequantizeLinear<axis=1>(wq, ws, wz)`), mended: good },
  { rule: "weight-axis", severity: "error", what: "ConvTranspose scales along axis 0", model: weights(`const w: f32[16,16,3,3] = fill 0.1 const ws: f32[16] = fill 1 const wz: i8[16] = fill 0 wq = QuantizeLinear<axis=0>(w, ws, wz) wd = DequantizeLinear<axis=0>(wq, ws, wz)`, "ConvTranspose"),
    mended: weights(`const w: f32[16,16,3,3] = fill 0.1 const ws: f32[16] = fill 1 const wz: i8[16] = fill 0 wq = QuantizeLinear<axis=1>(w, ws, wz) wd = DequantizeLinear<axis=1>(wq, ws, wz)`, "ConvTranspose") },
  { rule: "per-tensor-weight", severity: "note", what: "one scale for all channels", model: weights(`const w: f32[16,16,3,3] = fill 0.1 wq = QuantizeLinear(w, s, z) wd = DequantizeLinear(wq, s, z)`), mended: good },
  { rule: "quantized-bias", severity: "error", what: "int32 bias behind DequantizeLinear", model: net(`const bi: i32[16] = fill 1 const bz: i32[16] = fill 0 bd = DequantizeLinear<axis=0>(bi, ws, bz) ${pair("x", "a")} y = Conv<pads=[1,1,1,1]>(a, wd, bd)`, "y"),
    mended: net(`const bf: f32[16] = fill 1 ${pair("x", "a")} y = Conv<pads=[1,1,1,1]>(a, wd, bf)`, "y") },
  { rule: "integer-op", severity: "error", what: "DynamicQuantizeLinear", model: typed("f32[4]", "q, s, z = DynamicQuantizeLinear(x)", "q"), mended: good },
  { rule: "integer-op", severity: "error", what: "QLinearConv", model: typed("i8[1,1,4,4]", "const s: f32[] = [1] const z: i8[] = [0] const w: i8[1,1,1,1] = [1] y = QLinearConv(x, s, z, w, s, z, s, z)"), mended: good },
  { rule: "quantization-opset", severity: "error", what: "per-channel scales before opset 13", model: net(`${pair("x", "a")} ${conv("a", "y")}`, "y", "graph m <opset 12>"), mended: net(`${pair("x", "a")} ${conv("a", "y")}`, "y", "graph m <opset 13>") },

  { rule: "half-quantized", severity: "slow", what: "float weights", model: net(`${pair("x", "a")} ${conv("a", "c", "w")} ${pair("c", "b")} ${conv("b", "y")}`, "y"), mended: good },
  { rule: "half-quantized", severity: "slow", what: "float data", model: net(`${conv("x", "c")} ${pair("c", "b")} ${conv("b", "y")}`, "y"), mended: good },
  { rule: "inside-activation", severity: "slow", what: "a pair between Conv and Relu", model: net(`${pair("x", "a")} ${conv("a", "c")} ${pair("c", "p")} r = Relu(p) ${pair("r", "b")} ${conv("b", "y")}`, "y"), mended: good },
  { rule: "inside-activation", severity: "slow", what: "a pair inside SiLU", model: net(`${pair("x", "a")} ${conv("a", "c")} g = Sigmoid(c) ${pair("g", "p")} r = Mul(c, p) ${pair("r", "b")} ${conv("b", "y")}`, "y"),
    mended: net(`${pair("x", "a")} ${conv("a", "c")} g = Sigmoid(c) r = Mul(c, g) ${pair("r", "b")} ${conv("b", "y")}`, "y") },
  { rule: "residual-add", severity: "slow", what: "pairs on both inputs", model: skip("y = Add(p, a)"), mended: net(`${pair("x", "a")} ${conv("a", "c")} y = Add(c, a) ${pair("y", "b")} ${conv("b", "out")}`, "out") },
  { rule: "residual-add", severity: "slow", what: "the pair on the layer's side", model: skip("y = Add(p, x)"), mended: net(`${pair("x", "a")} ${conv("a", "c")} y = Add(c, a) ${pair("y", "b")} ${conv("b", "out")}`, "out") },
  { rule: "residual-add", severity: "slow", what: "a float skip", model: net(`${pair("x", "a")} ${conv("a", "c")} y = Add(c, x) ${pair("y", "b")} ${conv("b", "out")}`, "out"), mended: net(`${pair("x", "a")} ${conv("a", "c")} y = Add(a, c) ${pair("y", "b")} ${conv("b", "out")}`, "out") },
  { rule: "concat-scales", severity: "slow", what: "a branch that is read with another scale", model: concat("s2"), mended: concat("s") },
  { rule: "concat-scales", severity: "slow", what: "pairs of different scales before it", model: net(`${pair("x", "a")} ${pair("x", "b", "s2")} y = Concat<axis=1>(a, b)`, "y"), mended: net(`${pair("x", "a")} y = Concat<axis=1>(a, a)`, "y") },
  { rule: "two-scales", severity: "slow", what: "two pairs on one value", model: net(`${pair("x", "a")} ${pair("x", "b", "s2")} ${conv("a", "c")} ${conv("b", "d")} y = Concat<axis=1>(c, d)`, "y"), mended: net(`${pair("x", "a")} ${conv("a", "c")} ${conv("a", "d")} y = Concat<axis=1>(c, d)`, "y") },
  { rule: "requantize", severity: "slow", what: "pair after pair, another scale", model: net(`${pair("x", "a")} m = MaxPool<kernel_shape=[1,1]>(a) ${pair("m", "b", "s2")} ${conv("b", "y")}`, "y"), mended: net(`${pair("x", "a")} m = MaxPool<kernel_shape=[1,1]>(a) ${conv("m", "y")}`, "y") },
  { rule: "idle-pair", severity: "slow", what: "a pair before Softmax", model: net(`${pair("x", "a")} ${conv("a", "c")} ${pair("c", "p")} y = Softmax(p)`, "y"), mended: net(`${pair("x", "a")} ${conv("a", "c")} y = Softmax(c)`, "y") },
  { rule: "idle-pair", severity: "slow", what: "a pair before the output", model: net(`${pair("x", "a")} ${conv("a", "c")} ${pair("c", "y")}`, "y"), mended: good },
  { rule: "float-output", severity: "slow", what: "AveragePool with int8 in, float out", model: net(`${pair("x", "a")} y = AveragePool<kernel_shape=[2,2]>(a)`, "y"), mended: net(`${pair("x", "a")} p = AveragePool<kernel_shape=[2,2]>(a) ${pair("p", "b")} ${conv("b", "y")}`, "y") },

  { rule: "no-quantization", severity: "note", what: "a float model", model: net(conv("x", "y", "w"), "y").replace(/wq = .*wz\)/, ""), mended: good },
  { rule: "float-layer", severity: "slow", what: "a float Conv between int8 ones", model: net(`${pair("x", "a")} ${conv("a", "c")} ${conv("c", "d", "w")} ${pair("d", "b")} ${conv("b", "y")}`, "y"), mended: net(`${pair("x", "a")} ${conv("a", "c")} ${conv("c", "y", "w")}`, "y") },
  { rule: "float-layer", severity: "note", what: "one left float on purpose", model: net(`meta "edgestill.float" = "first\\nmid" ${pair("x", "a")} ${conv("a", "c")} ${conv("c", "d", "w")} "mid" ${pair("d", "b")} ${conv("b", "y")}`, "y"), mended: good },
  { rule: "float-rest", severity: "note", what: "a float last layer", model: net(`${pair("x", "a")} ${conv("a", "c")} ${conv("c", "y", "w")}`, "y"), mended: good },
  { rule: "float-rest", severity: "slow", what: "a float32 last layer on TensorRT 11", options: { version: { major: 11, minor: 4 } }, model: net(`${pair("x", "a")} ${conv("a", "c")} ${conv("c", "y", "w")}`, "y"), mended: good },
  { rule: "small-layer", severity: "slow", what: "4 channels in int8", model: net(`const v: f32[4,4,3,3] = fill 0.1 vq = QuantizeLinear(v, s, z) vd = DequantizeLinear(vq, s, z) const i: i64[1] = [0] const e: i64[1] = [4] const ax: i64[1] = [1] h = Relu(x) t = Slice(h, i, e, ax) ${pair("t", "a")} ${conv("a", "y", "vd")}`, "y"), mended: good },
  { rule: "small-layer", severity: "slow", what: "a matrix times a vector", model: typed("f32[1,64]", `const s: f32[] = [0.1] const z: i8[] = [0] const m: f32[64,64] = fill 0.1 mq = QuantizeLinear(m, s, z) md = DequantizeLinear(mq, s, z) ${pair("x", "a")} y = MatMul(a, md)`), mended: good },
  { rule: "channel-alignment", severity: "slow", what: "23 channels", model: aligned(23), mended: aligned(32) },
  { rule: "channel-alignment", severity: "note", what: "24 channels", model: aligned(24), mended: aligned(32) },

  { rule: "dla-fallback", severity: "slow", what: "Exp on a DLA", options: { dla: true }, model: typed("f32[1,3,8,8]", "y = Exp(x)"), mended: typed("f32[1,3,8,8]", "y = Relu(x)") },
  { rule: "dla-fallback", severity: "slow", what: "linear Resize on a DLA", options: { dla: true }, model: typed("f32[1,1,2,2]", `const k: f32[4] = [1,1,2,2] y = Resize<mode="linear">(x, _, k)`), mended: typed("f32[1,1,2,2]", `const k: f32[4] = [1,1,2,2] y = Resize(x, _, k)`) },
  { rule: "dla-fallback", severity: "slow", what: "a dimension above 8192", options: { dla: true }, model: typed("f32[1,84,8400]", "const one: f32[] = [1] y = Add(x, one)").replace("8400", "9000"), mended: typed("f32[1,84,8000]", "const one: f32[] = [1] y = Add(x, one)") },
  { rule: "dla-fallback", severity: "note", what: "Exp, no DLA asked for", model: typed("f32[1,3,8,8]", "y = Exp(x)"), mended: typed("f32[1,3,8,8]", "y = Relu(x)") },
  { rule: "dla-quantization", severity: "error", what: "Q/DQ on a DLA of TensorRT 10", options: { dla: true, version: { major: 10, minor: 3 } }, model: good, mended: net(conv("x", "y", "w"), "y").replace(/wq = .*wz\)/, "") },
  { rule: "dla-shape", severity: "error", what: "a dynamic batch on a DLA", options: { dla: true }, model: typed("f32[N,3,8,8]", "y = Relu(x)"), mended: typed("f32[1,3,8,8]", "y = Relu(x)") },
];

const checked = (model: string, options?: CheckOptions) => {
  const graph = parseGraph(model);
  inferShapes(graph);
  return checkTensorrt(graph, options);
};

for (const { rule, severity, what, model, mended, options } of cases) {
  test(`${rule}, ${severity}: ${what}`, () => {
    const findings = checked(model, options);
    const found = findings.filter((finding) => finding.rule === rule && finding.severity === severity);
    assert.ok(found.length > 0, `found only ${JSON.stringify(findings.map((finding) => `${finding.severity} ${finding.rule}: ${finding.finding}`))}`);
    assert.ok(found.every(({ node, finding, change, source }) => node !== "" && finding !== "" && change !== "" && source !== ""));
    assert.equal(checked(mended, options).filter((finding) => finding.rule === rule && finding.severity === severity), [], "the mended model");
  });
}

test("every rule has a broken model", () => {
  assert.equal(Object.keys(rules).filter((rule) => !cases.some((one) => one.rule === rule)), []);
});

test("docs/tensorrt.md lists every rule with its severity and change", async () => {
  const text = await readFile(join(import.meta.dirname, "../../../docs/tensorrt.md"), "utf8");
  assert.equal(Object.entries(rules).filter(([name, { severity, change }]) => !text.includes(`| \`${name}\` | ${severity} | ${change} |`)).map(([name]) => name), []);
});

test("a model placed as TensorRT wants has neither errors nor slow findings", () => {
  assert.equal(checked(good).filter(({ severity }) => severity !== "note"), []);
});

test("a model of forty diamonds is judged at once", () => {
  const diamonds = Array.from({ length: 40 }, (_, i) => `a${i}, b${i} = Split<axis=1>(x${i}) x${i + 1} = Concat<axis=1>(a${i}, b${i})`).join(" ");
  assert.equal(checked(net(`${pair("x", "x0")} ${diamonds} ${conv("x40", "y")}`, "y")).filter(({ severity }) => severity !== "note"), []);
});

test("errors come first", () => {
  const severities = checked(net(`const z2: i8[] = [-128] ${pair("x", "a", "s", "z2")} ${conv("a", "c")} ${pair("c", "p")} y = Softmax(p)`, "y")).map(({ severity }) => severity);
  assert.is(severities[0], "error");
  assert.equal(severities, [...severities].sort((a, b) => "esn".indexOf(a[0]!) - "esn".indexOf(b[0]!)));
});

const rangeOf = (threshold: number): TensorRange => ({ min: -threshold, max: threshold, threshold, low: -threshold, high: threshold, histogram: { total: 1, clipped: 0, binWidth: 1 } });

/** The emitter's placement with ranges that differ from value to value, so that unequal scales show wherever it does not join them. */
const quantized = (graph: Graph, emit: typeof emitTensorrt): Graph => {
  const prepared = prepareForQuantization(graph);
  const floatNodes = new Set([...startingFloatSet(prepared).keys()].map(({ name }) => name));
  const ranges = new Map(prepared.values.map(({ name }, index): [string, TensorRange] => [name, rangeOf(1 + (index % 7))]));
  const table: RangeTable = { method: "minmax", pictures: 1, ranges };
  const emitted = emit(prepared, table, { floatNodes }).graph;
  inferShapes(emitted);
  return emitted;
};

const isClean = (graph: Graph): void => {
  const bad = checkTensorrt(quantized(graph, emitTensorrt)).filter(({ severity }) => severity !== "note");
  assert.equal(bad.map(({ severity, rule, node, finding }) => `${severity} ${rule} ${node} ${finding}`), []);
};

for (const activation of ["relu", "silu"] as const) {
  test(`the tensorrt scheme of the built student (${activation}) has no errors and no slow findings`, () => isClean(yoloStudent({ classes: ["car", "person"], size: [320, 192], width: 0.25, depth: 0.33, activation })));
}

test("what the quantize stage makes of the built student, a layer kept float in the middle, has no errors and no slow findings", async () => {
  const student = yoloStudent({ classes: ["car"], size: [64, 64], width: 0.25, depth: 0.33 });
  const feeds = seededFeeds(student, { N: 1 });
  const middle = prepareForQuantization(student).sorted().filter(({ opType }) => opType === "Conv")[4];
  const { files } = await quantizeModel(student, { calibration: [feeds], scheme: "tensorrt", keepFloat: [middle!.name], threads: 1 });
  inferShapes(files.tensorrt!);
  const findings = checkTensorrt(files.tensorrt!);
  assert.equal(findings.filter(({ severity }) => severity !== "note").map(({ rule, node }) => `${rule} ${node}`), []);
  assert.ok(findings.some(({ rule, node }) => rule === "float-layer" && node === middle!.name));
});

for (const path of ["models/yolox_nano_416.onnx", "models/yolov8n_320.onnx", "models/yolov8s.onnx"]) {
  const title = `${path}: the tensorrt scheme has no errors and no slow findings`;
  if (existsSync(assetPath(path))) test(title, async () => isClean((await loadModel(assetPath(path))).graph));
  else {
    console.warn(`skipped, no ${path}: ${title}`);
    test.skip(title);
  }
}

test("the cpu scheme of the built student is no file for TensorRT, and the check says so", () => {
  const found = checkTensorrt(quantized(yoloStudent({ classes: ["car"], size: [64, 64], width: 0.25, depth: 0.33 }), emitCpu));
  for (const rule of ["zero-point-type"]) assert.ok(found.some((finding) => finding.rule === rule && finding.severity === "error"), rule);
});

test.run();
