import { runInNewContext } from "node:vm";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Graph } from "../../graph/graph.ts";
import { inferShapes, microsoftRules, shapeRules } from "../../graph/shapes.ts";
import { parseGraph } from "../../graph/text.ts";
import { runtimeTypes, seededFeeds, seededNumbers, testWithModel } from "../helpers/models.ts";
import { shapeCases } from "./shape-cases.ts";

/** Evaluates an inferred dimension (`floor((N - 1)/2) + 1`) for given sizes; undefined for an unknown one. */
const sizeOf = (dim: number | string, dims: Readonly<Record<string, number>>): number | undefined => {
  if (typeof dim === "number") return dim;
  if (dim.startsWith("?")) return undefined;
  const source = dim.replaceAll("floor", "Math.floor").replace(/\b(?!Math|floor)[A-Za-z]\w*\b/g, (name) => String(dims[name] ?? name));
  return Number(runInNewContext(source));
};

const checkShapes = async (graph: Graph, dims: Readonly<Record<string, number>> = {}, mayBeUnknown = 0): Promise<void> => {
  inferShapes(graph, { overwrite: true });
  const truth = await runtimeTypes(graph, seededFeeds(graph, dims));
  let unknown = 0;
  for (const value of [...graph.nodes].flatMap((node) => node.outputs)) {
    const expected = truth.get(value.name);
    if (!expected) continue;
    assert.equal(value.dtype, expected.dtype, `dtype of ${value.name}`);
    const sizes = value.shape?.map((dim) => sizeOf(dim, dims));
    assert.is(sizes?.length, expected.shape.length, `rank of ${value.name}`);
    unknown += sizes!.filter((size) => size === undefined).length;
    assert.equal(sizes!.map((size, axis) => size ?? expected.shape[axis]), expected.shape, `shape of ${value.name}: [${value.shape?.join()}]`);
  }
  assert.ok(unknown <= mayBeUnknown, `${unknown} unknown dimensions`);
};

for (const text of shapeCases) test(text, () => checkShapes(parseGraph(text), {}, /NonZero|NonMaxSuppression/.test(text) ? 1 : 0));

for (const text of shapeCases) {
  // The first dimension of every input is symbolic: what is inferred must still hold.
  const symbolic = text.replace(/\((?=[a-z]: )[^{]*\) \{/, (inputs) => inputs.replace(/(: \w+)\[(\d+)(?=[,\]])/g, "$1[n$2"));
  if (symbolic !== text && !text.includes("Squeeze(x)")) test(`symbolic ${symbolic}`, () => checkShapes(parseGraph(symbolic), Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`n${n}`, n])), 8));
}

test("every shape rule has a case", () => {
  // Newer than the installed runtime's opsets, or com.microsoft ops that ONNX Runtime keeps for its GPU builds
  const untested = ["Swish", "RMSNormalization", "BiasGelu", "FastGelu"];
  const covered = new Set(shapeCases.flatMap((text) => [...parseGraph(text).nodes].map((node) => node.opType)));
  assert.equal(Object.keys(shapeRules).filter((op) => !covered.has(op) && !untested.includes(op)), []);
  const quantized = shapeCases.flatMap((text) => [...parseGraph(text).nodes]).filter(({ domain }) => domain === "com.microsoft").map(({ opType }) => opType);
  assert.equal(Object.keys(microsoftRules).filter((op) => op.startsWith("Q") && !op.startsWith("Quan") && !quantized.includes(op)), ["QLinearReduceMean"]); // a kernel of other builds
});

test("an op without a row leaves its outputs unknown", () => {
  const graph = parseGraph(`graph g <opset 17, my.ops 1> (x: f32[2]) { y = my.ops::Relu(x) z = Frobnicate(x) } -> y, z`);
  for (const output of graph.outputs) assert.is(output.shape, undefined);
});

test("without overwrite, stated shapes stay and are refined", () => {
  const graph = parseGraph(`(x: f32[N,3]) { y: f32[batch,k] = Relu(x) } -> y`);
  assert.equal(graph.outputs[0]!.shape, ["batch", 3]);
  inferShapes(graph, { overwrite: true });
  assert.equal(graph.outputs[0]!.shape, ["N", 3]);
});

test("symbolic sizes survive a strided detector stem", () => {
  const graph = parseGraph(`(x: f32[N,3,H,W]) {
    const w: f32[8,3,3,3] = fill 0
    c = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w)
    const s: i64[3] = [0, 8, -1]
    y = Reshape(c, s)
  } -> y`);
  assert.equal(graph.outputs[0]!.shape!.slice(0, 2), ["N", 8]);
  assert.is(sizeOf(graph.outputs[0]!.shape![2]!, { H: 65, W: 64 }), 33 * 32);
});

for (const model of ["yolox_nano_416", "yolov8n_320", "yolov8s"])
  testWithModel(`models/${model}.onnx`, "every shape equals ONNX Runtime's", (graph) => checkShapes(graph));
testWithModel("text/bert-mini-sst2/model.onnx", "every shape equals ONNX Runtime's, symbols filled in", (graph) => checkShapes(graph, { batch: 2, seq: 7 }));

for (const policy of ["not_larger", "not_smaller"]) {
  test(`Resize with ${policy}: the sizes that ONNX Runtime makes, for 60 pairs of sizes`, async () => {
    const numbers = [...seededNumbers(240, 7, 1, 60)].map(Math.floor);
    for (let at = 0; at < numbers.length; at += 4) {
      const [rows, columns, high, wide] = numbers.slice(at, at + 4) as [number, number, number, number];
      await checkShapes(parseGraph(`graph g <opset 18> (x: f32[1,1,${rows},${columns}]) { const s: i64[2] = [${high}, ${wide}]
        y = Resize<mode="nearest", axes=[2,3], keep_aspect_ratio_policy="${policy}">(x, _, _, s) } -> y`));
    }
  });
}

test.run();
