import { test } from "uvu";
import * as assert from "uvu/assert";
import { canonicalDetector, cutHead, neckFeatures } from "../../detection/canonical.ts";
import { prepareGraph } from "../../detection/prepare.ts";
import { Builder } from "../../graph/builder.ts";
import { UserError } from "../../graph/error.ts";
import { parseGraph } from "../../graph/text.ts";
import { inferShapes } from "../../graph/shapes.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { madeDetector } from "../helpers/detectors.ts";
import { testWithModel } from "../helpers/models.ts";

const picture = (n: number, [w, h]: readonly [number, number], scale: number): Tensor =>
  Tensor.float32([n, 3, h, w], Float32Array.from({ length: n * 3 * h * w }, (_, i) => (((i * 7919 + (i >> 7) * 31) % 256) * scale) / 255));

const largest = (a: Float32Array, b: Float32Array): number => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

for (const [file, family, size, scale] of [["yolov8n_320", "yolov8", [320, 320], 1], ["yolov8s", "yolov8", [640, 640], 1], ["yolox_nano_416", "yolox", [416, 416], 255]] as const) {
  testWithModel(`models/${file}.onnx`, "the rebuilt head gives the exported outputs", async (graph) => {
    const canonical = canonicalDetector(prepareGraph(graph), family);
    const feed = { [graph.inputs[0]!.name]: picture(1, size, scale) };
    const [name] = graph.outputs.map((output) => output.name);
    const [before, after] = [(await runOnce(graph, feed))[name!]!, (await runOnce(canonical, feed))[name!]!];
    assert.equal(after.shape, before.shape);
    assert.ok(largest(before.floats, after.floats) < 1e-3);
  });
}

testWithModel("models/yolov8n_320.onnx", "class rows are the rows of the full output, batches are free", async (graph) => {
  const rows = [5, 2, 0];
  const feed = { images: picture(2, [320, 320], 1) };
  const whole = (await runOnce(canonicalDetector(prepareGraph(graph), "yolov8"), feed))["output0"]!;
  const part = (await runOnce(canonicalDetector(prepareGraph(graph), "yolov8", { classRows: rows }), feed))["output0"]!;
  assert.equal(part.shape, [2, 7, 2100]);
  for (let n = 0; n < 2; n++) {
    for (const [to, from] of [0, 1, 2, 3, ...rows.map((row) => 4 + row)].entries()) {
      const take = (tensor: Tensor, row: number) => tensor.floats.subarray((n * tensor.shape[1]! + row) * 2100, (n * tensor.shape[1]! + row + 1) * 2100);
      assert.ok(largest(take(whole, from), take(part, to)) < 1e-4);
    }
  }
});

test("a student of this project is canonical already: nothing changes but the nodes of its tail", async () => {
  const student = yoloStudent({ classes: ["a", "b"], size: [96, 64], width: 0.125, depth: 0.2, regMax: 8, seed: 3 });
  const feed = { images: picture(1, [96, 64], 1) };
  const before = (await runOnce(student, feed))["output0"]!;
  const after = (await runOnce(canonicalDetector(student.clone(), "yolov8"), feed))["output0"]!;
  assert.ok(largest(before.floats, after.floats) < 1e-4);
});

test("the neck's features are what both branches share", () => {
  const student = yoloStudent({ classes: ["a"], size: [96, 64], width: 0.125, depth: 0.2, regMax: 8 });
  inferShapes(student);
  assert.equal(neckFeatures(cutHead(student, "yolov8")).map((value) => value.shape), [["N", 32, 8, 12], ["N", 64, 4, 6], ["N", 128, 2, 3]]);
});

test("a network without such a head is refused by name", () => {
  const graph = parseGraph("(x: f32[1,3,8,8]) { y = Relu(x) } -> y");
  assert.throws(() => cutHead(graph, "yolov8"), (error: unknown) => error instanceof UserError && error.code === "HEAD_NOT_FOUND");
});

for (const [what, strides] of [["four levels", [8, 16, 32, 64]], ["three levels of other strides", [16, 32, 64]]] as const) {
  test(`${what} are refused with their sizes`, () => {
    const graph = madeDetector({ classes: ["a", "b"], size: [128, 128], strides });
    assert.throws(() => canonicalDetector(graph, "yolov8"), (error: unknown) => error instanceof UserError && error.code === "HEAD_NOT_FOUND" && error.message.includes("8×8, 4×4, 2×2 cells"));
  });
}

test("class convolutions with other channels than classes are refused by name", () => {
  const graph = madeDetector({ classes: ["a", "b"], size: [64, 64] });
  assert.throws(() => canonicalDetector(graph, "yolov8", { classCount: 3 }), (error: unknown) => error instanceof UserError && error.code === "HEAD_NOT_FOUND" && error.message.includes("2 channels, not those of 3 classes"));
});

test("class rows of a convolution whose weights are computed are refused, not kept whole", () => {
  const graph = madeDetector({ classes: ["a", "b"], size: [64, 64] });
  const last = [...graph.nodes].findLast((node) => node.opType === "Conv" && node.in(1).name === "class2.1.weight")!;
  last.replaceInput(1, new Builder(graph, "t").mul(last.in(1), 2));
  assert.throws(() => canonicalDetector(graph, "yolov8", { classRows: [1] }), (error: unknown) => error instanceof UserError && error.code === "HEAD_NOT_FOUND" && error.message.includes("computes its weights"));
});

test("the given graph stays as it is", () => {
  const graph = madeDetector({ classes: ["a", "b"], size: [64, 64] });
  const before = serializeModel(graph);
  canonicalDetector(graph, "yolov8", { classRows: [1], size: [96, 64] });
  assert.is(Buffer.compare(before, serializeModel(graph)), 0);
});

test.run();
