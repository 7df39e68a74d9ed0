import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeDetector, metadataKeys, writeContract, type DetectorOptions } from "../../../detection/detector.ts";
import { probePicture } from "../../../vision/probe-picture.ts";
import { refusal } from "../../helpers/refusal.ts";
import { layoutCases } from "./cases.ts";
import { constantModel, seenBy } from "./constant-model.ts";

const caseOf = (name: string) => layoutCases.find((found) => found.name === name)!;

for (const name of [
  "YOLOv8",
  "YOLOv8 segment",
  "SSD: softmax, background first",
  "torchvision, --label-offset 1",
  "YOLO-NAS batch",
  "NanoDet-Plus",
  "YOLOX raw",
  "EfficientDet [100, 7]",
]) {
  test(`${name}: read back from its own metadata as it was, without a run`, async () => {
    const { model, options } = caseOf(name);
    const graph = constantModel(model);
    const first = await describeDetector(graph, "model", options);
    writeContract(graph, first.contract, first.head);
    const again = await describeDetector(graph, "model", { classes: first.classes });
    assert.equal(again.head, first.head);
    assert.equal(again.contract, first.contract);
    assert.equal(again.notes, []);
  });
}

test("a file that carries only a family, as written before, is read by its shapes", async () => {
  const graph = constantModel(caseOf("YOLOv8").model);
  const { contract } = await describeDetector(graph, "model");
  writeContract(graph, contract, "yolov8");
  assert.is(graph.metadata.has(metadataKeys.head), false);
  assert.is((await describeDetector(graph, "model")).head.family, "yolov8");
});

const inCorners: DetectorOptions = { boxes: "xyxy" };

test("what the user says is read so, and impossible wishes are refused all the same", async () => {
  const { model } = caseOf("end to end with x, y, w, h");
  const { options } = caseOf("end to end with x, y, w, h");
  const { seen } = await seenBy(constantModel(model), { ...options, boxes: "xywh" });
  assert.equal(seen[0]?.box, [64, 96, 96, 160]);
  const impossible = await refusal(
    describeDetector(constantModel(caseOf("RT-DETR [300, 4 + 80]").model), "model", inCorners),
  );
  assert.is(impossible.code, "HEAD_CONTRADICTED");
  assert.match(impossible.message, "negative width or height");
});

test("a graph that was made from a checked one is not run again", async () => {
  const { model } = caseOf("YOLOv8 in 0..1");
  assert.is((await refusal(describeDetector(constantModel(model), "model"))).code, "HEAD_CONTRADICTED");
  assert.is((await describeDetector(constantModel(model), "model", { probe: false })).head.family, "yolov8");
});

test("the drawn picture has the size that is asked for, the same pixels each time, and all kinds of brightness", () => {
  const { data } = probePicture(96, 64);
  assert.is(data.length, 96 * 64 * 3);
  assert.equal(probePicture(96, 64).data, data);
  assert.ok(new Set(data).size > 150);
});

test.run();
