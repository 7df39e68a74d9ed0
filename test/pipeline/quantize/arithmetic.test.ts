import { test } from "uvu";
import * as assert from "uvu/assert";
import { Builder } from "../../../graph/builder.ts";
import { Graph } from "../../../graph/graph.ts";
import type { Node } from "../../../graph/node.ts";
import { Tensor } from "../../../graph/tensor.ts";
import { serializeModel } from "../../../onnx/save.ts";
import { checkArithmetic } from "../../../pipeline/quantize/arithmetic.ts";
import { ratios } from "../../../pipeline/quantize/fidelity.ts";
import { neighbours } from "../../../pipeline/quantize/layer-weights.ts";
import { quantizeModel, type QuantizeOptions } from "../../../pipeline/quantize/quantize.ts";
import { quantizeWeight } from "../../../pipeline/quantize/weights.ts";
import { openSession } from "../../../runtime/session.ts";
import { seededNumbers } from "../../helpers/models.ts";
import { refusal } from "../../helpers/refusal.ts";
import { GeneratedNet, picturesFor } from "./generated.ts";
import { nodesOf } from "./nets.ts";

const pictures = picturesFor(5);
const options = (more: Partial<QuantizeOptions> = {}): QuantizeOptions => ({ calibration: pictures, scheme: "cpu", threads: 1, method: "minmax", ...more });

/** Convolution, SiLU, convolution whose every fourth channel is `factor` times the others, SiLU, two convolutions. */
const slimmed = (factor: number): Graph => {
  const net = new GeneratedNet(5, 17);
  const x = net.b.silu(net.conv(net.graph.addInput("images", "float32", [1, 3, 12, 12]), 16));
  const y = net.b.silu(net.conv(x, 32, { weight: net.unevenWeight([32, 16, 3, 3], factor) }));
  net.graph.outputs.push(net.conv(net.conv(y, 16), 8, { kernel: 1 }));
  return net.graph;
};

/** Scale of what an int8 layer reads, and its weights' scales. */
const scalesOf = (layer: Node): { readonly input: number; readonly weights: Float32Array } =>
  ({ input: layer.in(0).producer!.in(1).constant!.floats[0]!, weights: layer.in(1).producer!.in(1).constant!.floats });

const int8Layers = (graph: Graph): Node[] => nodesOf(graph, "Conv").filter((node) => node.in(1).producer);

for (const factor of [1e-3, 1e-5, 1e-7, 1e-12, 1e-36, 1e-40, 0]) {
  test(`channels ${factor} times the others: the int32 bias fits, and the kernels compute what is written`, async () => {
    const { files, prepared, report } = await quantizeModel(slimmed(factor), options());
    for (const layer of int8Layers(files.cpu!)) {
      const { input, weights } = scalesOf(layer);
      layer.in(2).constant!.floats.forEach((bias, channel) => assert.ok(Math.abs(bias) / (input * weights[channel]!) <= 1.001 * 2 ** 30, `${layer.name}, channel ${channel}`));
    }
    assert.is(report.quantizedNodes, 3);
    assert.is(report.floatNodes!.filter(({ reason }) => reason.includes("kernel")).length, 0);
    const { heads, problem } = await checkArithmetic(serializeModel(files.cpu!), prepared, pictures, { threads: 1 });
    assert.is(problem, undefined);
    assert.ok(heads[0]!.kernels[0] > 25, `${heads[0]!.kernels[0]} dB`);
  });
}

test("a file whose kernels do not compute what is written is found out", async () => {
  const { files, prepared } = await quantizeModel(slimmed(1), options());
  const layer = int8Layers(files.cpu!)[1]!;
  const dequantize = layer.in(1).producer!;
  const { input, weights } = scalesOf(layer);
  const least = layer.in(2).constant!.floats.map((bias) => Math.abs(bias) / (input * 2 ** 33)); // the bias overflows int32
  for (const [index, tensor] of [[0, Tensor.of("int8", dequantize.in(0).constant!.shape, new Int8Array(dequantize.in(0).constant!.size))], [1, Tensor.float32([weights.length], least)]] as const) {
    dequantize.replaceInput(index, files.cpu!.addInitializer(`broken_${index}`, tensor));
  }
  assert.match((await checkArithmetic(serializeModel(files.cpu!), prepared, pictures, { threads: 1 })).problem ?? "", "as written");
});

test("channel by channel a broken score counts as much as a broken box in pixels", () => {
  const of = (scale: number): Tensor => Tensor.float32([1, 2, 50], [...seededNumbers(50, 1, 0, 640), ...seededNumbers(50, 2, 0, 1).map((x) => x * scale)]);
  const { written, kernels } = ratios([of(1)], [of(0.999)], [of(0)], 1);
  assert.ok(kernels[0] > 45 && kernels[1] < 4, kernels.join());
  assert.ok(written[1] > 45, written.join());
});

test("layers that ONNX Runtime cannot compute as written become float, and the reason is told", async () => {
  const net = new GeneratedNet(3, 18);
  const { b, graph } = net;
  const x = graph.addInput("images", "float32", [1, 3, 12, 12]);
  const computed = b.op("Cast", [b.op("Mul", [b.cast(b.op("Shape", [x]), "float32"), b.constant(Tensor.float32([4], [1, 0, 1 / 12, 1 / 12]))])], { to: 7 }); // 1 0 1 1
  const pads = b.op("Gather", [computed, b.int64s([2, 3, 2, 3])]);
  graph.outputs.push(net.conv(net.conv(b.op("Pad", [net.conv(x, 16), pads, null, b.int64s([2, 3])]), 16), 6, { kernel: 1 }));
  graph.outputs[0]!.name = "y";
  const { files, report } = await quantizeModel(graph, options({ scheme: "both" }));
  assert.ok(report.quantizedNodes! > 0);
  for (const file of Object.values(files)) {
    for (const optimization of ["disabled", "basic", "extended", "all"] as const) {
      const session = await openSession(serializeModel(file), { threads: 1, optimization });
      assert.equal((await session.run(pictures[0]!))["y"]!.shape, [1, 6, 14, 14]);
      await session.close();
    }
  }
});

test("pairs of neighbours stay within 16 bits at less error than 7-bit weights", () => {
  const graph = new Graph("g", 17);
  for (const shape of [[16, 8, 3, 3], [16, 7, 3, 3], [16, 32, 1, 1]] as const) {
    const count = shape.reduce((n: number, d) => n * d, 1);
    const weight = Tensor.float32(shape, seededNumbers(count, 3, -1, 1).map((w) => w ** 3)); // most are small, as trained ones are
    const conv = new Builder(graph).op("Conv", [graph.addInput("x", "float32", [1, shape[1], 8, 8]), graph.addInitializer("w", weight)]).producer!;
    const pairs = neighbours(conv);
    const limited = quantizeWeight(weight, 0, { pairs });
    const inner = weight.size / shape[0];
    for (let o = 0; o < shape[0]; o++) {
      for (const [i, j] of pairs) {
        const [a, c] = [Number(limited.values.data[o * inner + i]), Number(limited.values.data[o * inner + j])];
        assert.ok(Math.abs(a + c) <= 128, `${a} + ${c}`);
      }
    }
    const error = ({ values, scales }: typeof limited): number => weight.floats.reduce((sum, w, i) => sum + (w - Number(values.data[i]) * scales.floats[Math.floor(i / inner)]!) ** 2, 0);
    assert.ok(error(limited) < 0.8 * error(quantizeWeight(weight, 0, { levels: 63 })));
  }
});

test("layers that read one weight have values and zero points of their own: both files open with every setting", async () => {
  const net = new GeneratedNet(4, 17);
  const x = net.graph.addInput("images", "float32", [1, 3, 12, 12]);
  const [weight, bias] = [net.weight([16, 16, 3, 3]), net.bias(16)];
  const first = net.b.op("Relu", [net.conv(x, 16)]);
  const levels = [first, net.b.op("Relu", [net.conv(first, 16, { stride: 2 })])];
  net.graph.outputs.push(...levels.map((level) => net.conv(net.b.op("Relu", [net.conv(level, 16, { weight, bias })]), 6, { kernel: 1 })));
  const evaluate = async (graph: Graph): Promise<number> => { await (await openSession(graph, { threads: 1 })).close(); return 0.5; };
  const { files } = await quantizeModel(net.graph, options({ scheme: "both", evaluate }));
  const sources = int8Layers(files.cpu!).map((node) => node.in(1).producer!);
  assert.is(sources.length, 4);
  for (const slot of [0, 2]) assert.is(new Set(sources.map((node) => node.in(slot))).size, 4);
});

test("weights that are no numbers are refused by name", async () => {
  const graph = slimmed(1);
  const weight = nodesOf(graph, "Conv")[1]!.in(1);
  weight.tensor = Tensor.float32(weight.tensor!.shape, weight.tensor!.floats.map((w, i) => (i === 7 ? NaN : w)));
  const error = await refusal(quantizeModel(graph, options()));
  assert.is(error.code, "NON_FINITE_WEIGHT");
  assert.match(error.message, weight.name);
});

test("a file that finds nothing is refused", async () => {
  let calls = 0;
  const error = await refusal(quantizeModel(slimmed(1), options({ evaluate: () => Promise.resolve(calls++ === 0 ? 0.4 : 0) })));
  assert.is(error.code, "INT8_DEAD");
  assert.is((await refusal(quantizeModel(slimmed(1), options({ agreement: () => Promise.resolve(0) })))).code, "INT8_DEAD");
});

test("without labels layers become float until int8 agrees with the float model; where it does not, that is a warning", async () => {
  const agreement = (graph: Graph): Promise<number> => Promise.resolve(1 - 0.09 * int8Layers(graph).length);
  const { report } = await quantizeModel(slimmed(1), options({ agreement }));
  assert.is(report.quantizedNodes, 2);
  assert.is(report.agreement!.cpu!.toFixed(2), "0.82");
  assert.is(report.warnings, undefined);
  const low = await quantizeModel(slimmed(1), options({ agreement: () => Promise.resolve(0.3) }));
  assert.match(low.report.warnings!.join(), "mAP 30.0");
});

for (const opType of ["ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "QLinearConv"]) {
  test(`a model with ${opType} is quantized already`, async () => {
    const graph = slimmed(1);
    graph.addNode({ opType, name: "given", inputs: [graph.inputs[0]!], outputs: ["q"] });
    assert.is((await refusal(quantizeModel(graph, options()))).code, "ALREADY_QUANTIZED");
  });
}

test.run();
