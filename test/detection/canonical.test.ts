import { test } from "uvu";
import * as assert from "uvu/assert";
import { canonicalDetector, type TrainableFamily } from "../../detection/canonical.ts";
import { prepareGraph } from "../../detection/prepare.ts";
import type { UserError } from "../../graph/error.ts";
import type { Graph } from "../../graph/graph.ts";
import { Tensor } from "../../graph/tensor.ts";
import { parseGraph } from "../../graph/text.ts";
import { runOnce } from "../../runtime/session.ts";
import { inputSize } from "../../detection/canonical.ts";
import { seededNumbers, testWithModel } from "../helpers/models.ts";

const picture = (graph: Graph, [width, height] = inputSize(graph), high = 1): Tensor => Tensor.float32([1, 3, height, width], seededNumbers(3 * width * height, 4, 0, high));
const run = async (graph: Graph, images: Tensor): Promise<Tensor> => Object.values(await runOnce(graph, { [graph.inputs[0]!.name]: images }, { threads: 2 }))[0]!;

for (const [path, family, columns, high] of [
  ["models/yolov8n_320.onnx", "yolov8", 84, 1], ["models/yolov8s.onnx", "yolov8", 84, 1], ["models/yolox_nano_416.onnx", "yolox", 85, 255],
] as const satisfies readonly (readonly [string, TrainableFamily, number, number])[]) {
  testWithModel(path, "canonical, it gives the original's outputs; class rows are the rows of the whole; another size runs", async (original) => {
    const images = picture(original, undefined, high);
    const expected = await run(original, images);
    const actual = await run(canonicalDetector(prepareGraph(original), family), images);
    assert.equal(actual.shape, expected.shape);
    const isFirst = family === "yolov8"; // channels before anchors
    const anchors = expected.shape[isFirst ? 2 : 1]!;
    const at = (tensor: Tensor, width: number, column: number, anchor: number): number => tensor.floats[isFirst ? column * anchors + anchor : anchor * width + column]!;
    for (let column = 0; column < columns; column++) {
      const allowed = column < 4 && isFirst ? 1e-3 : 1e-4; // pixels; probabilities and raw offsets
      for (let anchor = 0; anchor < anchors; anchor++) {
        const difference = Math.abs(at(actual, columns, column, anchor) - at(expected, columns, column, anchor));
        assert.ok(difference <= allowed, `column ${column}, anchor ${anchor} differs by ${difference}`);
      }
    }
    const rows = [7, 2];
    const first = columns - 80;
    const some = await run(canonicalDetector(prepareGraph(original), family, { classRows: rows }), images);
    assert.is(some.shape[isFirst ? 1 : 2], first + 2);
    for (let anchor = 0; anchor < anchors; anchor += 13) {
      for (const [index, row] of rows.entries()) assert.ok(Math.abs(at(some, first + 2, first + index, anchor) - at(expected, columns, first + row, anchor)) <= 1e-4);
    }
    const small = canonicalDetector(prepareGraph(original), family, { size: [160, 96] });
    const other = await run(small, picture(small, [160, 96], high));
    assert.is(other.shape[isFirst ? 2 : 1], 20 * 12 + 10 * 6 + 5 * 3);
  });
}

test("a graph without such a head is refused by name", () => {
  const graph = parseGraph(`(x: f32[1,3,64,64]) { const w: f32[4,3,1,1] = fill 0.5 c = Conv(x, w) y = Relu(c) } -> y`);
  assert.throws(() => canonicalDetector(graph, "yolov8"), (error: UserError) => error.code === "HEAD_NOT_FOUND" && error.message.includes(`"c"`));
});

test("a dynamic size needs one to be named", () => {
  const graph = parseGraph(`(x: f32[1,3,H,W]) { y = Relu(x) } -> y`);
  assert.throws(() => canonicalDetector(graph, "yolov8"), (error: UserError) => error.code === "INPUT_SIZE");
});

test.run();
