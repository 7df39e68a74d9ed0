import { test } from "uvu";
import * as assert from "uvu/assert";
import { serializeModel } from "../../../onnx/save.ts";
import { quantizeModel } from "../../../pipeline/quantize/quantize.ts";
import { sqnrDb } from "../../../pipeline/quantize/sensitivity.ts";
import { outputsOf } from "../../helpers/outputs.ts";
import { generatedNet, picturesFor, seedsForAllKinds } from "./generated.ts";

for (let seed = 0; seed < seedsForAllKinds; seed++) {
  const { kinds, graph } = generatedNet(seed);
  test(`generated ${seed} (opset ${graph.opset}: ${kinds.join(", ")}): both files run at every level and compute what they say`, async () => {
    const pictures = picturesFor(seed);
    const float = await outputsOf(serializeModel(graph), pictures, { optimization: "disabled" });
    const { files } = await quantizeModel(graph, { calibration: pictures, scheme: "both", threads: 1 });
    for (const [scheme, file] of Object.entries(files)) {
      const bytes = serializeModel(file, { valueInfo: false });
      const written = await outputsOf(bytes, pictures, { extra: { "session.disable_quant_qdq": "1" } });
      for (const optimization of ["basic", "extended", "all"] as const) {
        const found = await outputsOf(bytes, pictures, { optimization });
        for (const name of Object.keys(float[0]!)) {
          const [a, b, c] = [float, written, found].map((results) => results.map((result) => result[name]!)) as [never[], never[], never[]];
          const [asWritten, kernels] = [sqnrDb(a, b), sqnrDb(a, c)];
          assert.ok(kernels > Math.min(asWritten, 60) - 1, `${scheme}, ${optimization}, ${name}: ${kernels.toFixed(1)} dB, ${asWritten.toFixed(1)} dB as written`);
        }
      }
    }
  });
}

test.run();
