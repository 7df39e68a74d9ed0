import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseGraph } from "../../graph/text.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { singlePrecision, usesHalf } from "../../rewrite/single-precision.ts";
import { compareModels, differing, sampleFeeds } from "../../runtime/compare.ts";
import { runOnce } from "../../runtime/session.ts";
import { seededNumbers } from "../helpers/models.ts";

/** Random float16 contents in the place of every constant of the given size. */
const withHalfWeights = (text: string) => {
  const graph = parseGraph(text);
  for (const [index, value] of graph.initializers.entries()) {
    if (value.tensor?.dtype === "float16" && value.tensor.size > 4) value.tensor = Tensor.from("float16", value.tensor.shape, seededNumbers(value.tensor.size, index + 1, -0.5, 0.5));
  }
  return parseModel(serializeModel(graph)).graph;
};

for (const [name, text, left] of [
  ["Casts around a half model go", `(x: f32[1,3,8,8]) { const w: f16[4,3,3,3] = fill 0 const b: f16[4] = [1, 2, 3, 4] h = Cast<to=10>(x) c = Conv(h, w, b) r = Relu(c) y = Cast<to=1>(r) } -> y`, "Conv Relu"],
  ["a block that stays in float32 has no Casts left", `(x: f32[1,3,8,8]) { const w: f16[4,3,3,3] = fill 0 h = Cast<to=10>(x) c = Conv(h, w) f = Cast<to=1>(c) s = Softmax<axis=1>(f) g = Cast<to=10>(s) m = Mul(g, c) y = Cast<to=1>(m) } -> y`, "Conv Softmax Mul"],
  ["Constant nodes, ConstantOfShape and attributes", `(x: f32[1,4]) { h = Cast<to=10>(x) k = Constant<value=f16[4] = [1, 0.5, 2, 3]>() const n: i64[1] = [4] z = ConstantOfShape<value=f16[1] = [0.25]>(n) a = Mul(h, k) b = Add(a, z) y = Cast<to=1>(b) } -> y`, "Constant ConstantOfShape Mul Add"],
  ["integers stay what they are", `(x: f32[1,6]) { h = Cast<to=10>(x) const two: f16[] = [2.5] m = Mul(h, two) i = Cast<to=7>(m) const one: i64[] = [1] j = Add(i, one) y = Cast<to=1>(j) } -> y`, "Mul Cast Add Cast"],
  ["bodies of If", `(x: f32[1,4], c: bool[]) { const k: f16[4] = [1, 2, 3, 4] h = Cast<to=10>(x) d = If<then_branch=graph t () { p = Mul(h, k) } -> p, else_branch=graph e () { q = Cast<to=10>(x) } -> q>(c) y = Cast<to=1>(d) } -> y`, "If"],
] as const) test(`singlePrecision: ${name}`, async () => {
  const half = withHalfWeights(text);
  const { graph } = singlePrecision(half);
  assert.ok(usesHalf(half) && !usesHalf(graph));
  assert.is(graph.sorted().map(({ opType }) => opType).join(" "), left);
  const feeds = sampleFeeds(half);
  assert.equal(differing(await compareModels(half, graph, feeds), 5e-3), []);
});

test("float16 inputs and outputs become float32, and the input graph stays as it is", async () => {
  const half = withHalfWeights(`(x: f16[1,3,8,8]) { const w: f16[4,3,3,3] = fill 0 y = Conv(x, w) } -> y`);
  const { graph } = singlePrecision(half);
  assert.equal([half.inputs[0]!.dtype, half.outputs[0]!.dtype, graph.inputs[0]!.dtype, graph.outputs[0]!.dtype], ["float16", "float16", "float32", "float32"]);
  const feeds = sampleFeeds(half);
  const expected = (await runOnce(half, feeds))["y"]!.toNumbers();
  const actual = (await runOnce(graph, { x: Tensor.float32([1, 3, 8, 8], feeds["x"]!.toNumbers()) }))["y"]!.toNumbers();
  for (const [index, value] of expected.entries()) assert.ok(Math.abs(value - actual[index]!) < 5e-3);
});

test("a model without 16-bit floats is left alone", () => {
  const graph = parseGraph(`(x: f32[2]) { h = Cast<to=7>(x) y = Cast<to=1>(h) } -> y`);
  assert.not(usesHalf(graph));
  assert.is(singlePrecision(graph).graph.nodes.size, 2);
});

test.run();
