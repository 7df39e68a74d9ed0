import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import { countMacs } from "../../graph/macs.ts";
import { parseGraph } from "../../graph/text.ts";
import { testWithModel } from "../helpers/models.ts";

for (const [name, text, macs, parameters] of [
  ["Conv 3x3 stride 2 with bias", `(x: f32[N,3,8,8]) { const w: f32[16,3,3,3] = fill 0 const b: f32[16] = fill 0 y = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w, b) } -> y`, 16 * 4 * 4 * 27, 16 * 27 + 16],
  ["depthwise Conv", `(x: f32[1,8,6,6]) { const w: f32[8,1,3,3] = fill 0 y = Conv<group=8, pads=[1,1,1,1]>(x, w) } -> y`, 8 * 36 * 9, 72],
  ["ConvTranspose", `(x: f32[1,4,5,5]) { const w: f32[4,2,2,2] = fill 0 y = ConvTranspose<strides=[2,2]>(x, w) } -> y`, 4 * 25 * 8, 32],
  ["Gemm, transposed", `(x: f32[1,10]) { const w: f32[6,10] = fill 0 const b: f32[6] = fill 0 y = Gemm<transB=1>(x, w, b) } -> y`, 60, 66],
  ["MatMul and its bias", `(x: f32[1,7,10]) { const w: f32[10,6] = fill 0 const b: f32[6] = fill 0 m = MatMul(x, w) y = Add(m, b) } -> y`, 420, 66],
  ["attention product", `(q: f32[1,2,7,4], k: f32[1,2,4,7]) { y = MatMul(q, k) } -> y`, 2 * 7 * 7 * 4, 0],
  ["a shared weight counts once", `(x: f32[1,4,2,2]) { const w: f32[4,4,1,1] = fill 0 a = Conv(x, w) y = Conv(a, w) } -> y`, 128, 16],
  ["int8 weights behind DequantizeLinear", `(x: f32[1,4,2,2]) { const w: i8[4,4,1,1] = fill 1 const s: f32[] = [0.5] d = DequantizeLinear(w, s) y = Conv(x, d) } -> y`, 64, 16],
  ["constants that are not learned", `(x: f32[1,4]) { const k: f32[1,4] = fill 2 y = Mul(x, k) } -> y`, 0, 0],
] as const) test(name, () => {
  const cost = countMacs(parseGraph(text));
  assert.equal([cost.macs, cost.parameters], [macs, parameters]);
});

test("a symbolic size is named, and can be given", () => {
  const graph = parseGraph(`(x: f32[N,3,H,8]) { const w: f32[4,3,1,1] = fill 0 y = Conv(x, w) } -> y`);
  assert.throws(() => countMacs(graph), (error: UserError) => error.code === "SHAPE_NOT_STATIC" && error.message.includes(`"y"`));
  assert.is(countMacs(graph, { H: 5 }).macs, 4 * 5 * 8 * 3);
});

// Published figures (parameters) and 2 x MACs: YOLOv8n 3 151 904 / 8.7 GFLOPs at 640, YOLOv8s 11 156 544 / 28.6 GFLOPs, YOLOX-nano 0.91 M / 1.08 GFLOPs
for (const [model, parameters, gigaMacs] of [["yolov8n_320", 3151904, 8.7 / 2 / 4], ["yolov8s", 11156544, 28.6 / 2], ["yolox_nano_416", 904463, 1.08 / 2]] as const)
  testWithModel(`models/${model}.onnx`, "parameters and MACs as published", (graph) => {
    const cost = countMacs(graph);
    assert.is(cost.parameters, parameters);
    assert.ok(Math.abs(cost.macs / 1e9 / gigaMacs - 1) < 0.04, String(cost.macs));
    return Promise.resolve();
  });

test.run();
