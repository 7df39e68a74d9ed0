import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import { parseGraph } from "../../graph/text.ts";
import { Tensor } from "../../graph/tensor.ts";
import { levelsOf, moveAxis } from "../../rewrite/anchors.ts";
import { freeBatch } from "../../rewrite/batch.ts";
import { alignAxes, resizeInput } from "../../rewrite/resize.ts";
import { runOnce } from "../../runtime/session.ts";
import { sameOutputs, seededFeeds, testWithModel } from "../helpers/models.ts";

test("axes of a Reshape are aligned in the smallest groups", () => {
  const groups = (before: number[], after: number[]) => alignAxes(before, after).map(({ from, to }) => `${from.join()}|${to.join()}`);
  assert.equal(groups([1, 144, 40, 40], [1, 144, 1600]), ["0|0", "1|1", "2,3|2"]);
  assert.equal(groups([1, 64, 2100], [1, 4, 16, 2100]), ["0|0", "1|1,2", "2|3"]);
  assert.equal(groups([1, 3, 20, 20, 85], [1, 1200, 85]), ["0|0", "1,2,3|1", "4|2"]);
  assert.equal(groups([1, 6], [6]), ["0,1|0"]);
  assert.equal(groups([2, 3], [3, 2, 1]), ["0,1|0,1,2"].map((g) => g.replace(",2", "")).concat("|2"));
});

test("positions are read as levels", () => {
  assert.equal(levelsOf(2100, { width: 320, height: 320 }), [{ strides: [8, 16, 32], anchorsPerCell: 1 }, { strides: [32, 16, 8], anchorsPerCell: 1 }]);
  assert.equal(levelsOf(2101, { width: 320, height: 320 }), []);
});

test("moveAxis is a transpose", () => {
  const tensor = Tensor.float32([2, 3], [1, 2, 3, 4, 5, 6]);
  assert.equal([...moveAxis(tensor, 0, 1).floats], [1, 4, 2, 5, 3, 6]);
  assert.equal(moveAxis(moveAxis(tensor, 0, 1), 1, 0).floats, tensor.floats);
});

/** A one-level head at stride 32 with everything that bakes the size in. */
const head = (grid: string, strides = "fill 32"): string => `(images: f32[1,3,64,96]) {
  const w: f32[6,3,32,32] = fill 0.001 const flat: i64[3] = [1, 6, 6] const split: i64[4] = [1, 2, 3, 6] const back: i64[4] = [1, 6, 2, 3]
  const sizes: i64[4] = [1, 6, 4, 6] const g: f32[1,1,6] = ${grid} const s: f32[1,6] = ${strides}
  c = Conv<strides=[32,32]>(images, w) r = Reshape(c, flat) "flatten" a = Add(r, g) "grid" m = Mul(a, s) d = Reshape(m, split) p = Relu(d)
  b = Reshape(p, back) y = Resize<mode="nearest">(b, _, _, sizes) } -> y`;

test("Reshape and Resize sizes, an x-grid and strides follow the size", async () => {
  const before = parseGraph(head("[0.5, 1.5, 2.5, 0.5, 1.5, 2.5]"));
  const { graph } = resizeInput(before, { width: 128, height: 32 });
  assert.equal(graph.outputs[0]!.shape, [1, 6, 2, 8]);
  const grid = graph.initializers.find(({ name }) => name.startsWith("g/resized"))!;
  assert.equal([...grid.tensor!.floats], [0.5, 1.5, 2.5, 3.5]);
  await runOnce(graph, seededFeeds(graph));
  await sameOutputs(before, resizeInput(graph, { width: 96, height: 64 }).graph, { atol: 0 });
});

for (const [code, node, text] of [
  ["SIZE_IS_FIXED", `Add "grid"`, head("[0.1, 0.7, 0.2, 0.9, 0.4, 0.3]")],
  ["SIZE_IS_FIXED", `Gemm "classify"`, `(x: f32[1,3,4,4]) { const w: f32[48,2] = fill 1 f = Flatten(x) y = Gemm(f, w) "classify" } -> y`],
  ["SIZE_IS_FIXED", `Slice "cut"`, `(x: f32[1,3,64,64]) { const s: i64[1] = [0] const e: i64[1] = [40] const a: i64[1] = [2] y = Slice(x, s, e, a) "cut" } -> y`],
  ["SIZE_DOES_NOT_FIT", `Concat "join"`, `(x: f32[1,3,64,64]) { p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) const s: f32[4] = [1,1,2,2] u = Resize(p, _, s) y = Concat<axis=1>(x, u) "join" } -> y`],
  ["NO_IMAGE_INPUT", `"x" [N,5]`, `(x: f32[N,5]) { y = Relu(x) } -> y`],
] as const) test(`refused by name: ${node}`, () =>
  assert.throws(() => resizeInput(parseGraph(text), { width: 33, height: 65 }), (error: UserError) => error.code === code && error.message.includes(node)));

testWithModel("models/yolov8n_320.onnx", "to 640x384 and back is the model itself", async (graph) => {
  const there = resizeInput(graph, { width: 640, height: 384 }).graph;
  assert.equal(there.outputs[0]!.shape, [1, 84, (80 * 48) + (40 * 24) + (20 * 12)]);
  assert.is(there.metadata.get("imgsz"), "[384, 640]");
  await sameOutputs(graph, resizeInput(there, { width: 320, height: 320 }).graph, { atol: 0 });
});
testWithModel("models/yolov8n_320.onnx", "boxes of the top-left quarter do not depend on what the picture grew by", async (graph) => {
  // Zero padding of the border apart, cell (0, 0) sees the same pixels at either size.
  const { graph: bigger } = resizeInput(graph, { width: 640, height: 640 });
  const [small, big] = [Tensor.from("float32", [1, 3, 320, 320], new Array<number>(3 * 320 * 320).fill(0.5)), Tensor.from("float32", [1, 3, 640, 640], new Array<number>(3 * 640 * 640).fill(0.5))];
  const [a, b] = [(await runOnce(graph, { images: small }))["output0"]!, (await runOnce(bigger, { images: big }))["output0"]!];
  for (const row of [0, 1]) assert.ok(Math.abs(a.floats[row * 2100]! - b.floats[row * 8400]!) < 8, `row ${row}: ${a.floats[row * 2100]} and ${b.floats[row * 8400]}`);
});
testWithModel("models/yolox_nano_416.onnx", "free batch and size, in either order, agree", async (graph) => {
  const size = { width: 320, height: 192 };
  const [first, second] = [resizeInput(freeBatch(graph).graph, size).graph, freeBatch(resizeInput(graph, size).graph).graph];
  assert.equal([first.outputs[0]!.shape, second.outputs[0]!.shape], [["N", 1260, 85], ["N", 1260, 85]]);
  await sameOutputs(first, second, { atol: 0, feeds: seededFeeds(first, { N: 2 }) });
});
testWithModel("models/yolov8n_320.onnx", "a size that is no multiple of the stride is refused", (graph) => {
  assert.throws(() => resizeInput(graph, { width: 336, height: 320 }), (error: UserError) => error.code === "SIZE_DOES_NOT_FIT" && error.message.includes("/model.11/Concat"));
  return Promise.resolve();
});

test.run();
