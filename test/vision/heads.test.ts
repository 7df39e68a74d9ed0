import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { classNames, recogniseHead, type Head, type HeadQuestion, type TensorInfo } from "../../vision/heads.ts";

const size = [320, 192] as const;
// 40·24 + 20·12 + 10·6
const cells = 1260;
const out = (...shape: (number | null)[]): TensorInfo => ({ name: "output", shape });
const ops = (...names: string[]): Map<string, number> => new Map(names.map((name) => [name, 1]));
const names = (n: number): Map<string, string> => new Map([["names", JSON.stringify(Array.from({ length: n }, (_, i) => `class ${i}`))]]);

const cases: [string, Partial<HeadQuestion> & { outputs: TensorInfo[] }, Partial<Record<string, unknown>>][] = [
  ["YOLOv5", { outputs: [out(1, 3 * cells, 85)] }, { family: "yolov5", classCount: 80, objectness: true }],
  ["YOLOv5 with its raw maps beside", { outputs: [out(1, 3 * cells, 10), out(1, 3, 24, 40, 10)] }, { family: "yolov5", classCount: 5 }],
  ["YOLOv8", { outputs: [out(1, 84, cells)] }, { family: "yolov8", classCount: 80, channelsFirst: true, needsNms: true }],
  ["YOLOv8 with four strides", { outputs: [out(1, 9, cells + 15)] , metadata: names(5) }, { family: "yolov8", classCount: 5 }],
  ["YOLOv8 with a free anchor count", { outputs: [out(null, 84, null)], metadata: names(80) }, { family: "yolov8", classCount: 80 }],
  ["YOLOv8 transposed, classes known", { outputs: [out(1, cells, 84)], classCount: 80, ops: ops("Conv", "Softmax") }, { family: "yolov8", channelsFirst: false }],
  ["YOLOX raw", { outputs: [out(1, cells, 85)], ops: ops("Conv", "Sigmoid") }, { family: "yolox", classCount: 80, raw: true }],
  ["YOLOX decoded", { outputs: [out(1, cells, 85)], ops: ops("Conv", "Exp") }, { family: "yolox", classCount: 80, raw: false }],
  ["end-to-end YOLO", { outputs: [out(1, 300, 6)], metadata: names(80) }, { family: "end2end", classCount: 80, needsNms: false }],
  ["RT-DETR in one output", { outputs: [out(1, 300, 84)] }, { family: "detr", classCount: 80, form: "cxcywh", coordinates: "unit" }],
  ["RT-DETR of two classes", { outputs: [out(1, 300, 6)], metadata: names(2), ops: ops("GridSample") }, { family: "detr", classCount: 2 }],
  ["DETR with a no-object class", { outputs: [{ name: "pred_logits", shape: [1, 100, 92] }, { name: "pred_boxes", shape: [1, 100, 4] }], classCount: 91 }, { family: "detr", classCount: 91, "scores.activation": "softmax", "scores.background": 91, outputNames: ["pred_boxes", "pred_logits"] }],
  ["DETR with sigmoids", { outputs: [{ name: "logits", shape: [1, 300, 80] }, { name: "boxes", shape: [1, 300, 4] }], classCount: 80 }, { family: "detr", "scores.activation": "sigmoid" }],
  ["dense boxes and scores", { outputs: [{ name: "a", shape: [1, cells, 4] }, { name: "b", shape: [1, cells, 80] }] }, { family: "boxes", form: "xyxy", "scores.by": "class", needsNms: true }],
  ["Faster R-CNN", { outputs: [{ name: "1", shape: [null, 4], type: "float32" }, { name: "2", shape: [null], type: "int64" }, { name: "3", shape: [null], type: "float32" }], classCount: 91, labelOffset: 1 }, { family: "boxes", "scores.by": "label", "scores.labelOffset": 1, outputNames: ["1", "3", "2"] }],
];

for (const [name, question, expected] of cases) {
  test(`recognises ${name}`, () => {
    const head: Head = recogniseHead({ size, ...question });
    for (const [key, value] of Object.entries(expected)) assert.equal(key.split(".").reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], head), value, key);
  });
}

const refusals: [string, Partial<HeadQuestion> & { outputs: TensorInfo[] }, string][] = [
  ["a classifier", { outputs: [out(1, 1000)] }, "HEAD_UNKNOWN"],
  ["another input size", { outputs: [out(1, 84, 2100)], metadata: names(80) }, "HEAD_UNKNOWN"],
  ["a class list that does not fit", { outputs: [out(1, 84, cells)], classCount: 5 }, "HEAD_CLASS_COUNT"],
  ["YOLOX of an unknown graph", { outputs: [out(1, cells, 85)], classCount: 80 }, "HEAD_AMBIGUOUS"],
  ["six columns without class names", { outputs: [out(1, 300, 6)] }, "HEAD_CLASS_COUNT"],
  ["six columns and two classes of an unknown graph", { outputs: [out(1, 300, 6)], classCount: 2 }, "HEAD_AMBIGUOUS"],
  ["metadata that contradicts the class count", { outputs: [out(1, 84, cells)], metadata: names(80), classCount: 5 }, "HEAD_CLASS_COUNT"],
  ["a family that the outputs are not", { outputs: [out(1, 84, cells)], family: "yolox", ops: ops("Conv") }, "HEAD_UNKNOWN"],
];

for (const [name, question, code] of refusals) {
  test(`refuses ${name}`, () => {
    assert.throws(() => recogniseHead({ size, ...question }), (error: unknown) => error instanceof UserError && error.code === code);
  });
}

test("reads class names as Ultralytics and as JSON write them", () => {
  const read = (text: string): string[] | null => classNames(new Map([["names", text]]));
  assert.equal(read(`{0: 'person', 1: "dog's bed", 2: 'it\\'s'}`), ["person", "dog's bed", "it's"]);
  assert.equal(read(`{"1":"b","0":"a"}`), ["a", "b"]);
  assert.equal(read(`["a","b"]`), ["a", "b"]);
  assert.equal(read(`['person', "dog's bed", 'a, {b: 1}', 'caf\\xe9 \\u00fc']`), ["person", "dog's bed", "a, {b: 1}", "café ü"]);
  assert.equal(read(`{10: 'k', 0: 'a', 1: 'b', 2: 'c', 3: 'd', 4: 'e', 5: 'f', 6: 'g', 7: 'h', 8: 'i', 9: '9: \\'j\\''}`), ["a", "b", "c", "d", "e", "f", "g", "h", "i", "9: 'j'", "k"]);
  assert.equal(read(`[{"id": 1, "name": "person"}, {"id": 2, "name": "car"}]`), ["person", "car"]);
  for (const unreadable of [`{1: 'person', 2: 'car'}`, `{"0":"a","2":"b"}`, "person, car", "[]", `[{"id": 1}]`]) assert.is(read(unreadable), null, unreadable);
  assert.is(classNames(new Map()), null);
});

test.run();
