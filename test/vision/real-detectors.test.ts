import { existsSync } from "node:fs";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { cocoAccuracy, type EvaluatedPicture } from "../../vision/coco-map.ts";
import { cocoClasses } from "../../vision/datasets/coco-names.ts";
import { openDataset } from "../../vision/datasets/open.ts";
import { decode, type OutputTensor } from "../../vision/decode.ts";
import { detect, evaluationOptions } from "../../vision/detect.ts";
import { recogniseHead, type Head } from "../../vision/heads.ts";
import { decodeImage } from "../../vision/image.ts";
import { fit, letterbox8, preprocessPreset, toTensor } from "../../vision/preprocess.ts";

const assets = new URL("../../../shared/assets/", import.meta.url).pathname;
const ops = {
  yolov8n_320: new Map([["Conv", 64], ["Softmax", 1], ["Sub", 2]]),
  yolox_nano_416: new Map([["Conv", 113], ["Sigmoid", 110]]),
};

async function accuracyOf(model: keyof typeof ops, family: "yolov8" | "yolox", side: number): Promise<{ map: number; map50: number }> {
  const session = await InferenceSession.create(`${assets}models/${model}.onnx`, { intraOpNumThreads: 2, logSeverityLevel: 3 });
  const contract = preprocessPreset(family, [side, side]);
  const outputs = session.outputMetadata.map((o) => ({ name: o.name, shape: o.isTensor ? o.shape.map((d) => (typeof d === "number" ? d : null)) : [] }));
  const head: Head = recogniseHead({ outputs, ops: ops[model], size: [side, side] });
  assert.is(head.family, family);
  assert.is(head.classCount, 80);
  const dataset = await openDataset({ path: `${assets}data/coco-val128` }, { labelNames: cocoClasses, classes: cocoClasses });
  const input = new Float32Array(3 * side * side);
  const pictures: EvaluatedPicture[] = [];
  for (const item of dataset.items) {
    const image = await decodeImage(item.path);
    toTensor(letterbox8(image, contract).data, contract, input);
    const result = await session.run({ [session.inputNames[0]!]: new Tensor("float32", input, [1, 3, side, side]) });
    const tensors: OutputTensor[] = Object.entries(result).map(([name, value]) => ({ name, dims: value.dims, data: value.data as Float32Array }));
    assert.ok(decode(head, tensors, 0, { scoreThreshold: 0.25 }).count < 300);
    pictures.push({ groundTruth: item.boxes ?? [], detections: detect(head, tensors, 0, fit(contract, image.width, image.height), evaluationOptions) });
  }
  return cocoAccuracy(pictures, dataset.classes);
}

const within = (value: number, expected: number, tolerance: number): void => assert.ok(Math.abs(value - expected) <= tolerance, `${value} instead of ${expected}`);

// Expected: the same steps in Python with onnxruntime, OpenCV and pycocotools on the same pictures; sharp and OpenCV decode JPEG a little differently.
for (const [model, family, side, map, map50] of [["yolov8n_320", "yolov8", 320, 0.357, 0.502], ["yolox_nano_416", "yolox", 416, 0.3426, 0.5041]] as const) {
  if (existsSync(`${assets}models/${model}.onnx`)) {
    test(`${model} reaches its known accuracy on 128 COCO pictures`, async () => {
      const accuracy = await accuracyOf(model, family, side);
      within(accuracy.map, map, 0.002);
      within(accuracy.map50, map50, 0.002);
    });
  } else test.skip(`${model} reaches its known accuracy on 128 COCO pictures (no assets here)`, () => undefined);
}

test.run();
