import * as assert from "uvu/assert";
import type { Graph } from "../../graph/graph.ts";
import type { Value } from "../../graph/node.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { quantizeModel } from "../../pipeline/quantize/quantize.ts";
import { sqnrDb } from "../../pipeline/quantize/sensitivity.ts";
import type { Feeds } from "../../runtime/session.ts";
import { outputsOf, type Outputs } from "../helpers/outputs.ts";
import { blocks, channelsOf, GeneratedNet, generatedNet, picturesFor, seedsForAllKinds } from "../pipeline/quantize/generated.ts";
import type { Case, Kind } from "./case.ts";

/** Both files run at every optimization level, and their kernels compute what is written, to a decibel. */
const quantizedRight = async (graph: Graph, pictures: readonly Feeds[]): Promise<string> => {
  const { files, report } = await quantizeModel(graph, { calibration: pictures, scheme: "both", threads: 1 });
  const float = await outputsOf(serializeModel(graph), pictures, { optimization: "disabled" });
  assert.ok(report.quantizedNodes! > 0, "nothing is int8");
  for (const file of Object.values(files)) {
    const bytes = serializeModel(file, { valueInfo: false });
    const written = await outputsOf(bytes, pictures, { extra: { "session.disable_quant_qdq": "1" } });
    for (const optimization of ["basic", "extended", "all"] as const) {
      const found = await outputsOf(bytes, pictures, { optimization });
      for (const name of Object.keys(float[0]!)) {
        const of = (results: Outputs): Tensor[] => results.map((result) => result[name]!);
        const [asWritten, kernels] = [sqnrDb(of(float), of(written)), sqnrDb(of(float), of(found))];
        assert.ok(kernels > Math.min(asWritten, 60) - 1, `${kernels.toFixed(1)} dB, ${asWritten.toFixed(1)} as written`);
      }
    }
  }
  return "both files run at every level, within 1 dB of as written";
};

const net = (input: string, build: (net: GeneratedNet, x: Value) => Value, { opset = 17, gives = "right" } = {}): Case => ({
  input: `${input}, opset ${opset}`,
  gives,
  run: () => {
    const made = new GeneratedNet(5, opset);
    const x = made.conv(made.graph.addInput("images", "float32", [1, 3, 12, 12]), 16);
    made.graph.outputs.push(made.conv(made.conv(build(made, made.b.silu(x)), 16), 6, { kernel: 1 }));
    return quantizedRight(made.graph, picturesFor(5));
  },
});

const slimmed = (factor: number): Case =>
  net(`channels ${factor} times the others`, (made, x) =>
    made.b.silu(made.conv(x, 16, { weight: made.unevenWeight([16, channelsOf(x), 3, 3], factor) })));

const notANumber = (made: GeneratedNet, x: Value): Value => {
  const shape = [16, channelsOf(x), 3, 3];
  const floats = made.weight(shape).tensor!.floats.map((w, i) => (i === 7 ? NaN : w));
  return made.conv(x, 16, { weight: made.graph.addInitializer("broken", Tensor.float32(shape, floats)) });
};

const generated: readonly Case[] = Array.from({ length: seedsForAllKinds }, (_, seed) => {
  const { kinds, graph } = generatedNet(seed);
  return {
    input: `generated ${seed}, opset ${graph.opset}: ${kinds.join(", ")}`,
    gives: "right",
    isSlow: true,
    run: () => quantizedRight(generatedNet(seed).graph, picturesFor(seed)),
  };
});

export const int8: Kind = {
  title: "int8 files: each is opened, run and compared",
  cases: [
    ...[1e-3, 1e-5, 1e-7, 1e-9, 1e-12, 1e-36, 0].map(slimmed),
    net("one weight read by two layers", blocks["sharedWeight"]!),
    net("Pad with axes", blocks["pad"]!, { opset: 18 }),
    net("Resize with axes and sizes", blocks["resizeSizes"]!, { opset: 18 }),
    net("Resize with axes and scales", blocks["resizeScales"]!, { opset: 19 }),
    net("Sigmoid straight into a convolution", blocks["conv-sigmoid"]!),
    net("Sigmoid into a residual sum", blocks["residualSigmoid"]!),
    net("Softmax into a residual sum", blocks["residualSoftmax"]!),
    net("a bias of 10 000 with weights of 0.0001", blocks["hugeBias"]!),
    net("a transposed convolution", blocks["convTranspose"]!),
    net("attention", blocks["attention"]!),
    net("a weight that is computed", blocks["computedWeight"]!),
    net("a weight that is no number", notANumber, { gives: "NON_FINITE_WEIGHT" }),
    net("ConvInteger inside (quantized already)", (made, x) => {
      made.graph.addNode({ opType: "ConvInteger", name: "given", inputs: [made.graph.inputs[0]!], outputs: ["q"] });
      return x;
    }, { gives: "ALREADY_QUANTIZED" }),
    ...generated,
  ],
};
