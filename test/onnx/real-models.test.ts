import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { runOnce } from "../../runtime/session.ts";
import { assetPath, largestDifference, seededFeeds, testWithModel } from "../helpers/models.ts";

/** Dimensions for the models with symbolic ones. */
const dims = { batch: 1, batch_size: 1, N: 1, sequence: 16, seq: 16, sequence_length: 16 };

for (const path of ["models/yolov8n_320.onnx", "models/yolox_nano_416.onnx", "models/yolov8s.onnx", "text/bert-mini-sst2/model.onnx"]) {
  testWithModel(path, "same outputs through load and save (1e-6), stable bytes", async (graph) => {
    const saved = serializeModel(graph);
    assert.equal(Buffer.compare(serializeModel(parseModel(saved).graph), saved), 0);
    const feeds = seededFeeds(graph, dims);
    const options = { threads: 2 } as const;
    const [expected, actual] = [await runOnce(assetPath(path), feeds, options), await runOnce(saved, feeds, options)];
    assert.equal(Object.keys(actual), Object.keys(expected));
    for (const [name, tensor] of Object.entries(expected)) assert.ok(largestDifference(tensor, actual[name]!) <= 1e-6, name);
  });

  testWithModel(path, "cut off at 40 places it is refused", () => {
    const bytes = readFileSync(assetPath(path));
    for (let cut = 0; cut < 40; cut++) assert.throws(() => parseModel(bytes.subarray(0, Math.floor((bytes.length * cut) / 40))), (error: { code?: string }) => error.code === "NOT_ONNX");
    return Promise.resolve();
  });
}

test.run();
