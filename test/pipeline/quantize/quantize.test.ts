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
  assert.equal(report.sessionSettings, { cpu: {}, tensorrt: { "session.disable_quant_qdq": "1" } });
  assert.ok(report.floatNodes!.every(({ reason }) => reason.length > 0));
  for (const graph of Object.values(files)) assert.is(graph.outputs[0]!.name, "output0");
});

/** Stands for a metric that every int8 layer costs `perLayer`. */
const costing = (perLayer: number, seen: (layers: number, session: unknown) => void = () => undefined): NonNullable<QuantizeOptions["evaluate"]> => (graph, session) => {
  const layers = nodesOf(graph, "Conv").filter((node) => node.in(1).producer).length;
  seen(layers, session.extra);
  return Promise.resolve(0.5 - perLayer * layers);
};

test("the most sensitive layers become float, no more of them than the drop asks for", async () => {
  const seen: number[] = [];
  const sessions: unknown[] = [];
  const evaluate = costing(0.004, (layers, session) => { seen.push(layers); sessions.push(session); });
  const { report } = await quantizeModel(detector(), options({ evaluate, maxDrop: 0.009, scheme: "cpu" }));
  assert.equal(seen, [0, 4, 3, 2]);
  assert.is(report.quantizedNodes, 2);
  assert.is(report.drop!.toFixed(3), "0.008");
  assert.is(sessions[1], undefined); // a default session, on every x64
  assert.is(report.notes!.length, 3);
  const float = report.floatNodes!.filter(({ reason }) => reason.startsWith("sensitive")).map(({ node }) => node);
  const { report: measured } = await quantizeModel(detector(), options({ scheme: "cpu", sensitivity: true }));
  assert.equal(float, measured.sensitivity!.slice(0, 2).map(({ node }) => node));
});

test("where no file is good enough the best one is kept, and the report says so", async () => {
  let calls = 0;
  const evaluate = (): Promise<number> => Promise.resolve([0.5, 0.1, 0.2, 0.15, 0.1, 0.1][calls++] ?? 0.1);
  const { report } = await quantizeModel(detector(), options({ evaluate, scheme: "tensorrt" }));
  assert.is(report.mapInt8!.tensorrt, 0.2);
  assert.match(report.notes!.at(-1)!, "stays above");
});

test("trained weights are taken for a file where they make it better, the given ones elsewhere", async () => {
  const shifted = (graph: Graph): Promise<Graph> => {
    for (const value of graph.initializers) if (value.name === "w2") value.tensor = Tensor.float32(value.tensor!.shape, value.tensor!.floats.map((x) => x + 1));
    return Promise.resolve(graph);
  };
  for (const [maps, bias] of [[[0.5, 0.498, 0.497], 1], [[0.5, 0.497, 0.498], 0]] as const) {
    let calls = 0;
    const { files, report } = await quantizeModel(detector(), options({ evaluate: () => Promise.resolve(maps[calls++]!), train: shifted, scheme: "cpu" }));
    const given = nodesOf(prepareForQuantization(detector()), "Conv")[0]!.in(2).tensor!;
    assert.equal(nodesOf(files.cpu!, "Conv")[0]!.in(2).tensor!.floats, given.floats.map((x) => x + bias));
    assert.is(report.mapInt8!.cpu, 0.498);
    assert.match(report.notes!.join(), "trained weights");
  }
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
