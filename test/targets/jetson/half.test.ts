import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../../graph/graph.ts";
import { inferShapes } from "../../../graph/shapes.ts";
import { parseGraph } from "../../../graph/text.ts";
import { upgradeOpset } from "../../../rewrite/opset.ts";
import { runOnce } from "../../../runtime/session.ts";
import { yoloStudent } from "../../../students/yolo.ts";
import { checkTensorrt } from "../../../targets/jetson/check/check.ts";
import { typeHalf } from "../../../targets/jetson/half.ts";
import { seededFeeds, testWithModel } from "../../helpers/models.ts";
import { quantizedStudent } from "./bench-with-stand-ins.ts";

const version = { major: 11, minor: 4 };

/** Largest differences of boxes (pixels) and of scores between the float32 and the float16 file, in ONNX Runtime. */
const difference = async (graph: Graph): Promise<{ readonly boxes: number; readonly scores: number }> => {
  const feeds = seededFeeds(graph, { N: 1 });
  const options = { threads: 1, optimization: "disabled" } as const;
  const [expected, actual] = [await runOnce(graph, feeds, options), await runOnce(typeHalf(graph)!, feeds, options)];
  const [name] = Object.keys(expected);
  const { floats, shape } = expected[name!]!;
  assert.is(actual[name!]!.dtype, "float32");
  assert.equal(actual[name!]!.shape, shape);
  const anchors = shape[2]!;
  const worst = (from: number, to: number): number => floats.slice(from, to).reduce((most, value, index) => Math.max(most, Math.abs(value - actual[name!]!.floats[from + index]!)), 0);
  return { boxes: worst(0, 4 * anchors), scores: worst(4 * anchors, floats.length) };
};

test("float16 for TensorRT 11: ONNX Runtime computes the same within half precision", async () => {
  const { boxes, scores } = await difference(yoloStudent({ classes: ["a", "b"], size: [64, 64], width: 0.25, depth: 0.33 }));
  assert.ok(boxes < 0.5 && scores < 0.01, `${boxes} pixels, ${scores}`);
  assert.ok(boxes > 0, "it is not the same file");
});

testWithModel("models/yolov8n_320.onnx", "float16 up to the last layers changes boxes by less than a pixel", async (graph) => {
  const { boxes, scores } = await difference(upgradeOpset(graph, 17).graph);
  assert.ok(boxes < 1.5 && scores < 0.02, `${boxes} pixels, ${scores}`);
});

test("the quantized student: every pair stays, and TensorRT 11 finds nothing in fp32 that costs time", async () => {
  const graph = quantizedStudent("tensorrt");
  inferShapes(graph);
  const typed = typeHalf(graph)!;
  const count = (some: Graph, opType: string): number => [...some.nodes].filter((node) => node.opType === opType).length;
  for (const opType of ["QuantizeLinear", "DequantizeLinear", "Conv"]) assert.is(count(typed, opType), count(graph, opType), opType);
  assert.equal(checkTensorrt(typed, { version }).filter(({ severity }) => severity !== "note").map(({ rule, node, finding }) => `${rule} ${node} ${finding}`), []);
  assert.ok([...typed.nodes].filter(({ opType }) => opType === "Conv").every((node) => node.out().dtype === "float16"));
  const outputs = await runOnce(typed, seededFeeds(typed, { N: 1 }), { threads: 1, optimization: "disabled" });
  assert.ok(outputs["output0"]!.floats.every(Number.isFinite));
});

test("a constant beyond float16 leaves the model as it is", () => {
  assert.is(typeHalf(parseGraph(`(x: f32[1,1,2,2]) { const w: f32[1,1,1,1] = [70000] y = Conv(x, w) } -> y`)), undefined);
});

test.run();
