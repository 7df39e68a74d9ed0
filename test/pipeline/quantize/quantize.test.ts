import { test } from "uvu";
import * as assert from "uvu/assert";
import { refusal } from "../../helpers/refusal.ts";
import { Builder } from "../../../graph/builder.ts";
import type { Graph } from "../../../graph/graph.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { correctedBiases } from "../../../pipeline/quantize/bias.ts";
import { calibrationFeeds, calibrationPaths, spread } from "../../../pipeline/quantize/calibration-data.ts";
import { lastLayers, startingFloatSet } from "../../../pipeline/quantize/float-set.ts";
import { prepareForQuantization } from "../../../pipeline/quantize/prepare.ts";
import { fakeQuantized, removeFakeQuantization } from "../../../pipeline/quantize/qat.ts";
import { quantizeModel, type QuantizeOptions } from "../../../pipeline/quantize/quantize.ts";
import { dequantizedWeight, quantizeWeight } from "../../../pipeline/quantize/weights.ts";
import { graphProblems } from "../../../graph/check.ts";
import { runOnce } from "../../../runtime/session.ts";
import { preprocessPreset } from "../../../vision/preprocess.ts";
import { assetPath, testWithModel } from "../../helpers/models.ts";
import { examples, Net, nodesOf, rangesFor, shape } from "./nets.ts";

/** Backbone of three layers, two heads with a last layer each, and a decode tail with an expectation (DFL). */
const detector = (): Graph => {
  const net = new Net();
  const { b, graph } = net;
  const h = b.silu(net.conv(b.silu(net.conv(graph.addInput("x", "float32", shape)))));
  const boxes = net.conv(b.silu(net.conv(h)), 16, 1);
  const scores = net.conv(b.silu(net.conv(h)), 3, 1);
  const bins = b.transpose(b.reshape(boxes, [1, 4, 4, 64]), [0, 2, 1, 3]);
  const expectation = b.constant(Tensor.float32([1, 4, 1, 1], [0, 1, 2, 3]));
  const distances = b.reshape(b.op("Conv", [b.op("Softmax", [bins], { axis: 1 }), expectation]), [1, 4, 64]);
  graph.outputs.push(b.concat([b.mul(distances, 8), b.sigmoid(b.reshape(scores, [1, 3, 64]))], 1));
  graph.outputs[0]!.name = "output0";
  return graph;
};

const options = (more: Partial<QuantizeOptions> = {}): QuantizeOptions => ({ calibration: examples, scheme: "both", threads: 1, ...more });

test("the float set starts with the last layer of each head and the decode tail, not with the layers before", () => {
  const graph = prepareForQuantization(detector());
  const convs = nodesOf(graph, "Conv");
  assert.equal(new Set(lastLayers(graph)), new Set(convs.filter((node) => [16, 3].includes(node.in(1).staticShape![0]!) && node.in(1).staticShape![3] === 1 && node.in(1).staticShape![0] !== 1)));
  const reasons = startingFloatSet(graph);
  assert.is([...reasons.values()].filter((reason) => reason === "last layer of a head").length, 2);
  assert.ok(reasons.has(nodesOf(graph, "Softmax")[0]!));
  assert.is(convs.filter((node) => !reasons.has(node)).length, 4);
});

test("both files come from one range table; the report says what was done", async () => {
  const { files, ranges, report } = await quantizeModel(detector(), options({ sensitivity: true }));
  assert.is(graphProblems(files.cpu!).length + graphProblems(files.tensorrt!).length, 0);
  assert.is(ranges.pictures, 3);
  assert.is(report.images, 3);
  assert.is(report.quantizedNodes, 4);
  assert.is(report.sensitivity!.length, 4);
  assert.equal(report.sessionSettings, { cpu: { "session.x64quantprecision": "1" }, tensorrt: { "session.disable_quant_qdq": "1" } });
  assert.ok(report.floatNodes!.every(({ reason }) => reason.length > 0));
  for (const graph of Object.values(files)) assert.is(graph.outputs[0]!.name, "output0");
});

test("the float set grows by the most sensitive layers until the drop is small enough", async () => {
  const layersOf = (graph: Graph): number => nodesOf(graph, "Conv").filter((node) => node.in(1).producer).length;
  const sessions: unknown[] = [];
  const evaluate: QuantizeOptions["evaluate"] = (graph, session) => {
    sessions.push(session.extra);
    return Promise.resolve(0.5 - 0.004 * layersOf(graph)); // stands for a metric that every int8 layer costs 0.4 points
  };
  const { report } = await quantizeModel(detector(), options({ evaluate, maxDrop: 0.005, scheme: "cpu" }));
  assert.is(report.quantizedNodes, 1);
  assert.is(report.drop!.toFixed(3), "0.004");
  assert.equal(sessions[1], { "session.x64quantprecision": "1" });
  assert.is(report.notes!.length, 3);
  assert.ok(report.floatNodes!.some(({ reason }) => reason.startsWith("sensitive")));
});

test("where no file is good enough the best one is kept, and the report says so", async () => {
  let calls = 0;
  const evaluate = (): Promise<number> => Promise.resolve([0.5, 0.1, 0.2, 0.15, 0.1, 0.1][calls++] ?? 0.1);
  const { report } = await quantizeModel(detector(), options({ evaluate, scheme: "tensorrt" }));
  assert.is(report.mapInt8!.tensorrt, 0.2);
  assert.match(report.notes!.at(-1)!, "stays above");
});

test("mistakes are named", async () => {
  const missing = await refusal(quantizeModel(detector(), options({ keepFloat: ["/nowhere/*"] })));
  assert.is(missing.code, "KEEP_FLOAT_PATTERN");
  assert.match(missing.message, "/nowhere/*");
  assert.is((await refusal(quantizeModel(detector(), options({ keepFloat: ["*Conv*"] })))).code, "NOTHING_TO_QUANTIZE");
  assert.is((await refusal(quantizeModel(detector(), options({ calibration: [] })))).code, "NO_CALIBRATION_DATA");
  const { files } = await quantizeModel(detector(), options({ scheme: "cpu" }));
  assert.is((await refusal(quantizeModel(files.cpu!, options()))).code, "ALREADY_QUANTIZED");
});

test("batch-norm is folded under the convolution's own name", () => {
  const net = new Net();
  const conv = net.conv(net.graph.addInput("x", "float32", shape));
  const ones = (): ReturnType<Net["weight"]> => net.graph.addInitializer("one", Tensor.float32([16], new Float32Array(16).fill(1)));
  net.graph.outputs.push(new Builder(net.graph, "bn").op("BatchNormalization", [conv, net.weight(16), net.weight(16), net.weight(16), ones()]));
  const graph = prepareForQuantization(net.graph);
  assert.equal([...graph.nodes].map(({ opType, name }) => [opType, name]), [["Conv", conv.producer!.name]]);
});

test("weights round half to even within [-127, 127]; a channel of zeros keeps a positive scale", () => {
  const { values, scales } = quantizeWeight(Tensor.float32([3, 2], [127, 0.5, -254, 3, 0, 0]), 0);
  assert.equal([...values.toNumbers()], [127, 0, -127, 2, 0, 0]);
  assert.equal([...scales.floats], [1, 2, 1]);
  assert.equal([...dequantizedWeight({ values, scales, axis: 0 })], [127, 0, -254, 4, 0, 0]);
});

test("bias correction undoes the mean shift of rounded weights", () => {
  const net = new Net();
  net.graph.outputs.push(net.conv(net.graph.addInput("x", "float32", shape), 16, 1));
  const [conv] = nodesOf(net.graph, "Conv");
  const means = Float64Array.from({ length: 16 }, (_, i) => i / 4);
  const weight = conv!.in(1).constant!;
  const rounded = dequantizedWeight(quantizeWeight(weight, 0));
  const bias = correctedBiases([conv!], new Map([["x", means]])).get(conv!.name)!;
  for (let o = 0; o < 16; o++) {
    const output = (w: Float32Array, b: number): number => means.reduce((sum, mean, i) => sum + w[o * 16 + i]! * mean, b);
    assert.ok(Math.abs(output(rounded, bias[o]!) - output(weight.floats, conv!.in(2).constant!.floats[o]!)) < 1e-5);
  }
});

for (const scheme of ["cpu", "tensorrt"] as const) {
  test(`fake quantization for training (${scheme}) is the file with float weights, and comes off again`, async () => {
    const prepared = prepareForQuantization(detector());
    const ranges = await rangesFor(prepared);
    const floatNodes = new Set([...startingFloatSet(prepared).keys()].map(({ name }) => name));
    const training = fakeQuantized(prepared, ranges, scheme, { floatNodes });
    const weights = nodesOf(training, "Conv").filter((node) => !floatNodes.has(node.name)).map((node) => node.in(1).producer!.in(0).producer!.in(0));
    assert.equal(weights.map(({ name }) => name), nodesOf(prepared, "Conv").filter((node) => !floatNodes.has(node.name)).map((node) => node.in(1).name));
    const back = removeFakeQuantization(training);
    assert.equal([...back.nodes].map(({ name }) => name).sort(), [...prepared.nodes].map(({ name }) => name).sort());
    const [a, b] = await Promise.all([runOnce(prepared, examples[0]!), runOnce(back, examples[0]!)]);
    assert.equal(a, b);
  });
}

test("calibration pictures are spread over the dataset", () => {
  assert.equal(spread([0, 1, 2, 3, 4, 5, 6, 7], 4), [0, 2, 4, 6]);
  assert.equal(spread([1, 2], 4), [1, 2]);
});

test("a corrupt calibration picture is named", async () => {
  const path = new URL(import.meta.url).pathname; // no picture
  const feeds = calibrationFeeds([path], preprocessPreset("yolov8", [32, 32]), "images");
  const error = await refusal(feeds.next());
  assert.match(error.message, path);
});

testWithModel("models/yolov8n_320.onnx", "every Conv outside the float set is in the cpu file's int8 path", async (graph) => {
  const paths = await calibrationPaths(assetPath("data/highway"), 2);
  const { files, report } = await quantizeModel(graph, {
    calibration: calibrationFeeds(paths, preprocessPreset("yolov8", [320, 320]), "images"), scheme: "both", threads: 2, method: "minmax",
  });
  assert.is(report.quantizedNodes, 57);
  assert.is(report.floatNodes!.filter(({ reason }) => reason === "last layer of a head").length, 6);
  const { optimizedOps } = await import("./nets.ts");
  const counts = await optimizedOps(files.cpu!, {});
  assert.is(counts.get("QLinearConv"), 57);
});

test.run();
