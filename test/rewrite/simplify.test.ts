import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../graph/graph.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { parseGraph } from "../../graph/text.ts";
import { foldBatchNorm } from "../../rewrite/batchnorm.ts";
import { constantsToInitializers, foldConstants, foldShapeArithmetic } from "../../rewrite/constants.ts";
import { removeIdentities } from "../../rewrite/identity.ts";
import { runOnce } from "../../runtime/session.ts";
import { sameOutputs, seededFeeds, seededNumbers, testWithModel } from "../helpers/models.ts";
import { Tensor } from "../../graph/tensor.ts";

const opsOf = (graph: Graph): string => graph.sorted().map((node) => node.opType).join(" ");

for (const [name, body, left] of [
  ["Identity and inference Dropout", `a = Identity(r) d, _ = Dropout(a) y = Exp(d)`, "Relu Exp"],
  ["Cast to the same type", `c = Cast<to=1>(r) y = Exp(c)`, "Relu Exp"],
  ["Cast to another type stays", `c = Cast<to=6>(r) d = Cast<to=1>(c) y = Exp(d)`, "Relu Cast Cast Exp"],
  ["Reshape to the same shape", `const s: i64[2] = [4, -1] c = Reshape(r, s) y = Exp(c)`, "Relu Exp"],
  ["Transposes that cancel", `t = Transpose<perm=[1,0]>(r) u = Transpose<perm=[1,0]>(t) y = Exp(u)`, "Relu Exp"],
  ["a Transpose that moves", `t = Transpose<perm=[1,0]>(r) y = Exp(t)`, "Relu Transpose Exp"],
  ["x + 0 and 1 * x", `const z: f32[] = [0] const o: f32[1] = [1] a = Add(r, z) m = Mul(o, a) y = Exp(m)`, "Relu Exp"],
  ["x + 0 that broadcasts x stays", `const z: f32[1,1,1] = [0] a = Add(r, z) y = Exp(a)`, "Relu Add Exp"],
  ["a whole Slice and a Pad of nothing", `const s: i64[1] = [0] const e: i64[1] = [99] const p: i64[4] = [0,0,0,0] a = Slice(r, s, e) b = Pad(a, p) y = Exp(b)`, "Relu Exp"],
  ["a Slice that reverses stays", `const s: i64[1] = [-1] const e: i64[1] = [-99] const a: i64[1] = [0] const t: i64[1] = [-1] b = Slice(r, s, e, a, t) y = Exp(b)`, "Relu Slice Exp"],
  ["training Dropout stays", `const p: f32[] = [0.0] const on: bool[] = [1] d = Dropout(r, p, on) y = Exp(d)`, "Relu Dropout Exp"],
] as const) test(`removeIdentities: ${name}`, async () => {
  const before = parseGraph(`(x: f32[4,3]) { r = Relu(x) ${body} } -> y`);
  const { graph } = removeIdentities(before);
  assert.is(opsOf(graph), left);
  await sameOutputs(before, graph, { atol: 0 });
});

test("constantsToInitializers", async () => {
  const before = parseGraph(`(x: f32[2]) { c = Constant<value=f32[2] = [1, 2]>() d = Constant<value_float=0.5>() i = Constant<value_ints=[2]>() r = Reshape(x, i) e = Add(c, d) y = Mul(e, r) } -> y`);
  const { graph } = constantsToInitializers(before);
  assert.is(opsOf(graph), "Reshape Add Mul");
  await sameOutputs(before, graph, { atol: 0 });
});

test("the Identity of an initializer is a constant: PyTorch writes equal parameters so", async () => {
  const before = parseGraph(`(x: f32[2]) { const w: f32[2] = [1, 2] v = Identity(w) e = Mul(x, w) y = Add(e, v) } -> y`);
  const { graph } = constantsToInitializers(before);
  assert.is(opsOf(graph), "Mul Add");
  await sameOutputs(before, graph, { atol: 0 });
});

test("shape arithmetic folds where shapes are static, and only there", async () => {
  const text = (n: string) => `(x: f32[${n},3,4]) { const i: i64[] = [0] const u: i64[1] = [0] const rest: i64[1] = [-1] s = Shape(x) g = Gather(s, i) v = Unsqueeze(g, u) t = Concat<axis=0>(v, rest) y = Reshape(x, t) } -> y`;
  const before = parseGraph(text("2"));
  const { graph } = foldShapeArithmetic(before);
  assert.is(opsOf(graph), "Reshape");
  await sameOutputs(before, graph, { atol: 0 });
  assert.is(foldShapeArithmetic(parseGraph(text("N"))).graph.nodes.size, 5);
});

test("foldConstants evaluates the rest, but not Q/DQ and not random numbers", async () => {
  const before = parseGraph(`(x: f32[2]) {
    const a: f32[2] = [1, 4] const s: f32[] = [0.5] const q: i8[2] = [2, 3]
    r = Sqrt(a) e = Exp(r) y0 = Mul(e, x)
    d = DequantizeLinear(q, s) y1 = Add(y0, d)
    n = RandomNormal<shape=[2], seed=1.0>() z = Mul(n, s) w = Mul(z, s) y2 = Sub(w, w) y = Add(y1, y2)
  } -> y`);
  const { graph } = await foldConstants(before, (part) => runOnce(part, {}));
  assert.is(opsOf(graph), "Mul DequantizeLinear Add RandomNormal Mul Mul Sub Add");
  await sameOutputs(before, graph, { atol: 1e-6 });
});

testWithModel("text/bert-mini-sst2/model.onnx", "folding keeps the outputs", async (graph) => {
  const { graph: after } = await foldConstants(graph, (part) => runOnce(part, {}));
  assert.ok(after.nodes.size < graph.nodes.size);
  await sameOutputs(graph, after, { atol: 1e-5, feeds: seededFeeds(graph, { batch: 2, seq: 7 }) });
});

const random = (graph: Graph): Graph => {
  for (const [index, value] of graph.initializers.entries()) {
    if (value.tensor?.dtype === "float32") value.tensor = Tensor.float32(value.tensor.shape, seededNumbers(value.tensor.size, index + 3, 0.2, 1.5));
  }
  return graph;
};
const norm = (channels: number): string => ["g", "h", "m", "v"].map((name) => `const ${name}: f32[${channels}] = fill 1`).join(" ");

for (const [name, text] of [
  ["Conv", `(x: f32[1,3,6,6]) { const w: f32[4,3,3,3] = fill 1 ${norm(4)} c = Conv(x, w) y = BatchNormalization<epsilon=0.01>(c, g, h, m, v) } -> y`],
  ["Conv with bias and groups", `(x: f32[1,4,6,6]) { const w: f32[4,2,3,3] = fill 1 const b: f32[4] = fill 1 ${norm(4)} c = Conv<group=2, strides=[2,2]>(x, w, b) y = BatchNormalization(c, g, h, m, v) } -> y`],
  ["ConvTranspose", `(x: f32[1,3,4,4]) { const w: f32[3,4,2,2] = fill 1 ${norm(4)} c = ConvTranspose<strides=[2,2]>(x, w) y = BatchNormalization(c, g, h, m, v) } -> y`],
  ["ConvTranspose with groups", `(x: f32[1,4,4,4]) { const w: f32[4,3,2,2] = fill 1 ${norm(6)} c = ConvTranspose<group=2>(x, w) y = BatchNormalization(c, g, h, m, v) } -> y`],
  ["Gemm", `(x: f32[2,5]) { const w: f32[5,4] = fill 1 const b: f32[4] = fill 1 ${norm(4)} c = Gemm<beta=0.5>(x, w, b) y = BatchNormalization(c, g, h, m, v) } -> y`],
  ["Gemm, transposed", `(x: f32[2,5]) { const w: f32[4,5] = fill 1 const b: f32[1] = fill 1 ${norm(4)} c = Gemm<transB=1, alpha=2.0>(x, w, b) y = BatchNormalization(c, g, h, m, v) } -> y`],
] as const) test(`foldBatchNorm keeps the outputs: ${name}`, async () => {
  const before = random(parseGraph(text));
  const { graph } = foldBatchNorm(before);
  assert.is(graph.nodes.size, 1);
  await sameOutputs(before, graph, { atol: 2e-5 });
});

for (const [reason, body] of [
  [`weight "w" is shared`, `c = Conv(x, w) n = BatchNormalization(c, g, h, m, v) y = Conv(n, w)`],
  [`"c" is also read by`, `c = Conv(x, w) n = BatchNormalization(c, g, h, m, v) y = Add(n, c)`],
  [`it normalizes by the statistics of the batch`, `c = Conv(x, w) y, _, _ = BatchNormalization<training_mode=1>(c, g, h, m, v)`],
  [`"t" is not a float32 constant`, `t = Relu(w) c = Conv(x, t) y = BatchNormalization(c, g, h, m, v)`],
] as const) test(`foldBatchNorm refuses: ${reason}`, () => {
  const before = parseGraph(`(x: f32[1,4,6,6]) { const w: f32[4,4,1,1] = fill 1 ${norm(4)} ${body} } -> y`);
  inferShapes(before);
  const { graph, report } = foldBatchNorm(before);
  assert.is(graph.nodes.size, before.nodes.size);
  assert.match(report.refused[0]!.detail, reason);
});

test.run();
