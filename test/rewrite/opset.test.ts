import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import { parseGraph } from "../../graph/text.ts";
import { upgradeOpset } from "../../rewrite/opset.ts";
import { sameOutputs, testWithModel } from "../helpers/models.ts";

for (const [opset, name, text] of [
  [7, "Slice, attributes", `(x: f32[4,6]) { y = Slice<starts=[1,2], ends=[3,-1], axes=[0,1]>(x) } -> y`],
  [7, "Upsample, attribute scales", `(x: f32[1,2,3,3]) { y = Upsample<scales=[1.0,1.0,2.0,3.0], mode="nearest">(x) } -> y`],
  [9, "Upsample, input scales, linear", `(x: f32[1,2,3,3]) { const s: f32[4] = [1, 1, 2, 2] y = Upsample<mode="linear">(x, s) } -> y`],
  [10, "Resize 10", `(x: f32[1,2,5,5]) { const s: f32[4] = [1, 1, 1.5, 2] y = Resize<mode="nearest">(x, s) } -> y`],
  [11, "Resize 11 with sizes and empty scales", `(x: f32[1,2,5,5]) { const r: f32[0] = [] const s: f32[0] = [] const z: i64[4] = [1, 2, 8, 7] y = Resize<mode="linear">(x, r, s, z) } -> y`],
  [7, "TopK", `(x: f32[4,6]) { y, i = TopK<k=2, axis=1>(x) } -> y, i`],
  [7, "Clip", `(x: f32[4,6]) { a = Clip<min=0.2, max=0.6>(x) y = Clip<min=0.3>(a) } -> y`],
  [10, "Pad", `(x: f32[4,6]) { y = Pad<pads=[1,0,0,2], value=0.5>(x) } -> y`],
  [7, "Dropout", `(x: f32[4,6]) { y = Dropout<ratio=0.3>(x) } -> y`],
  [11, "Squeeze, Unsqueeze, ReduceSum, Split", `(x: f32[1,6,2]) { a = Squeeze<axes=[0]>(x) b, c = Split<axis=0, split=[2,4]>(a) d = Unsqueeze<axes=[0,-1]>(c) e = ReduceSum<axes=[1], keepdims=0>(d) y = ReduceSum(b) } -> y, e`],
  [12, "Softmax on the last axis", `(x: f32[2,3,4]) { y = Softmax<axis=2>(x) } -> y`],
  [12, "Softmax over flattened axes (the default)", `(x: f32[2,3,4]) { y = Softmax(x) z = LogSoftmax<axis=-2>(y) w = Relu(z) v = Hardmax<axis=0>(z) } -> y, w, v`],
  [11, "Softmax with a symbolic batch", `(x: f32[N,3,4]) { y = Softmax<axis=1>(x) } -> y`],
  [11, "Softmax before dimensions of one", `(x: f32[2,3,1,1]) { y = Softmax<axis=1>(x) } -> y`],
  [7, "BatchNormalization with spatial", `(x: f32[2,3,4,4]) { const g: f32[3] = [1, 2, 3] y = BatchNormalization<spatial=1, momentum=0.9>(x, g, g, g, g) } -> y`],
  [10, "Scatter", `(x: f32[3,4]) { const i: i64[1,2] = [1, 0] const u: f32[1,2] = [7, 8] y = Scatter<axis=0>(x, i, u) } -> y`],
  [11, "RoiAlign's old default", `(x: f32[1,1,8,8]) { const r: f32[1,4] = [1, 1, 6, 5] const i: i64[1] = [0] y = RoiAlign<output_height=2, output_width=2>(x, r, i) } -> y`],
  [11, "bodies of If", `(c: bool[], x: f32[1,3]) { y = If<then_branch=graph t () { p = Squeeze<axes=[0]>(x) } -> p, else_branch=graph e () { q = ReduceSum<axes=[0], keepdims=0>(x) } -> q>(c) } -> y`],
] as const) test(`from ${opset}: ${name}`, async () => {
  const before = parseGraph(`graph g <opset ${opset}> ${text}`);
  for (const input of before.inputs) input.shape = input.shape!.map((dim) => (dim === "N" ? 2 : dim));
  const { graph } = upgradeOpset(before);
  assert.is(graph.opset, 17);
  await sameOutputs(before, graph, { atol: 1e-6 });
});

test("a symbolic batch stays symbolic", () => {
  const { graph } = upgradeOpset(parseGraph(`graph g <opset 11> (x: f32[N,3,4]) { y = Softmax<axis=1>(x) } -> y`));
  assert.equal(graph.outputs[0]!.shape, ["N", 3, 4]);
});

for (const [opset, code, mention, text] of [
  [11, "OPSET_UPGRADE", `Frobnicate "f"`, `(x: f32[2]) { y = Frobnicate(x) "f" } -> y`],
  [12, "OPSET_UPGRADE", `tf_half_pixel_for_nn`, `(x: f32[1,1,4,4]) { const r: f32[0] = [] const s: f32[4] = [1,1,2,2] y = Resize<coordinate_transformation_mode="tf_half_pixel_for_nn">(x, r, s) } -> y`],
  [7, "OPSET_UPGRADE", `spatial`, `(x: f32[2,3,4,4]) { const g: f32[3] = [1, 2, 3] y = BatchNormalization<spatial=0>(x, g, g, g, g) } -> y`],
  [6, "OPSET_TOO_OLD", `opset 6`, `(x: f32[2]) { y = Relu(x) } -> y`],
] as const) test(`${code}: ${mention}`, () => {
  const before = parseGraph(`graph g <opset ${opset}> ${text}`);
  assert.throws(() => upgradeOpset(before), (error: UserError) => error.code === code && error.message.includes(mention));
});

test("a model that is there already stays", () => {
  const { graph, report } = upgradeOpset(parseGraph(`graph g <opset 18> (x: f32[2]) { y = Relu(x) } -> y`));
  assert.equal([graph.opset, report.applied], [18, []]);
});

for (const model of ["yolox_nano_416", "yolov8n_320"])
  testWithModel(`models/${model}.onnx`, "opset 17 gives equal outputs", (graph) => sameOutputs(graph, upgradeOpset(graph).graph, { atol: 1e-4 }));

test.run();
