import { test } from "uvu";
import * as assert from "uvu/assert";
import type { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { parseGraph } from "../../graph/text.ts";
import { elementCount, Tensor } from "../../graph/tensor.ts";
import { freeBatch } from "../../rewrite/batch.ts";
import { resizeInput } from "../../rewrite/resize.ts";
import { runOnce } from "../../runtime/session.ts";
import { largestDifference, seededNumbers, testWithModel } from "../helpers/models.ts";

const options = { threads: 1, optimization: "disabled" } as const;
const part = (tensor: Tensor, index: number, count: number): Tensor => {
  const shape = [tensor.shape[0]! / count, ...tensor.shape.slice(1)];
  const size = elementCount(shape);
  return Tensor.float32(shape, tensor.floats.slice(index * size, (index + 1) * size));
};

/** A batch of two gives, picture by picture, what two runs of the original give. */
const checkBatch = async (before: Graph, atol = 1e-4): Promise<void> => {
  const { graph } = freeBatch(before);
  const feeds: Record<string, Tensor> = {};
  for (const [index, { name, shape }] of before.inputs.entries()) {
    const two = [2, ...(shape!.slice(1) as number[])];
    feeds[name] = Tensor.float32(two, seededNumbers(elementCount(two), 5 + index));
  }
  const together = await runOnce(graph, feeds, options);
  for (const picture of [0, 1]) {
    const alone = await runOnce(before, Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, part(tensor, picture, 2)])), options);
    for (const [name, expected] of Object.entries(alone)) {
      const worst = largestDifference(part(together[name]!, picture, 2), expected);
      assert.ok(worst <= atol, `${name} of picture ${picture} differs by ${worst}`);
    }
  }
  assert.is(graph.outputs[0]!.shape![0] === 1, false);
};

for (const [name, text] of [
  ["Reshape [1, …]", `(x: f32[1,8,2,3]) { const s: i64[3] = [1, 8, -1] r = Reshape(x, s) const t: i64[4] = [1, 2, 4, 6] q = Reshape(r, t) y = Softmax<axis=1>(q) } -> y`],
  ["batch merged into rows and restored", `(x: f32[1,6,4]) { const s: i64[2] = [-1, 4] r = Reshape(x, s) const w: f32[4,3] = fill 0.5 m = MatMul(r, w) const t: i64[3] = [1, 6, 3] y = Reshape(m, t) } -> y`],
  ["batch merged into a fixed number of rows", `(x: f32[1,6,4]) { const s: i64[2] = [6, 4] r = Reshape(x, s) a = Relu(r) const t: i64[3] = [1, 6, -1] y = Reshape(a, t) } -> y`],
  ["anchors that broadcast", `(x: f32[1,2,5]) { const a: f32[1,2,5] = fill 0.5 y = Add(x, a) } -> y`],
  ["a constant joined to every picture", `(x: f32[1,2,5]) { const a: f32[1,1,5] = fill 0.5 y = Concat<axis=1>(x, a) } -> y`],
  ["Resize to fixed sizes", `(x: f32[1,2,4,4]) { const z: i64[4] = [1, 2, 6, 7] y = Resize<mode="nearest">(x, _, _, z) } -> y`],
  ["Expand to a fixed shape", `(x: f32[1,2,1]) { const z: i64[3] = [1, 2, 4] y = Expand(x, z) } -> y`],
  ["shape arithmetic on the batch", `(x: f32[1,6,4]) { const i: i64[1] = [0] const r: i64[1] = [-1] s = Shape(x) b = Gather(s, i) t = Concat<axis=0>(b, r) f = Reshape(x, t) y = Relu(f) } -> y`],
  ["batch moved by Transpose and back", `(x: f32[1,6,4]) { t = Transpose<perm=[1,0,2]>(x) r = Relu(t) y = Transpose<perm=[1,0,2]>(r) } -> y`],
  ["two inputs", `(x: f32[1,3,4], s: f32[1,3,1]) { y = Mul(x, s) } -> y`],
] as const) test(`freed: ${name}`, () => checkBatch(parseGraph(text)));

for (const [name, node, text] of [
  ["a sum over the batch", `ReduceSum "sum"`, `(x: f32[1,6,4]) { a = Relu(x) y = ReduceSum(a) "sum" } -> y`],
  ["softmax over the batch", `Softmax "soft"`, `(x: f32[1,6,4]) { y = Softmax<axis=0>(x) "soft" } -> y`],
  ["the first picture taken out", `Gather "first"`, `(x: f32[1,6,4]) { const i: i64[] = [0] g = Gather(x, i) "first" y = Relu(g) } -> y`],
  ["Squeeze of the batch", `Squeeze "sq"`, `(x: f32[1,6,4]) { const a: i64[1] = [0] y = Squeeze(x, a) "sq" } -> y`],
  ["Reshape after the batch moved", `Reshape "mix"`, `(x: f32[1,6,4]) { const s: i64[2] = [6, 4] t = Transpose<perm=[1,0,2]>(x) y = Reshape(t, s) "mix" } -> y`],
  ["pictures joined side by side", `Concat "join"`, `(x: f32[1,6,4]) { y = Concat<axis=0>(x, x) "join" } -> y`],
  ["an op of unknown shape", `Frobnicate "f"`, `(x: f32[1,6,4]) { y = Frobnicate(x) "f" } -> y`],
] as const) test(`refused by name: ${name}`, () =>
  assert.throws(() => freeBatch(parseGraph(text)), (error: UserError) => error.code === "BATCH_IS_FIXED" && error.message.includes(node)));

test("a batch of eight is not a batch of one", () =>
  assert.throws(() => freeBatch(parseGraph(`(x: f32[8,6]) { y = Relu(x) } -> y`)), (error: UserError) => error.code === "BATCH_IS_FIXED"));

for (const model of ["yolox_nano_416", "yolov8n_320"])
  testWithModel(`models/${model}.onnx`, "a batch of two equals two runs", (graph) => checkBatch(graph));
testWithModel("models/yolov8s.onnx", "a batch of two at 160x160 equals two runs", (graph) => checkBatch(resizeInput(graph, { width: 160, height: 160 }).graph));

test.run();
