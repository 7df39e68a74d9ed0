import { test } from "uvu";
import * as assert from "uvu/assert";
import { checkGraph } from "../../graph/check.ts";
import type { UserError } from "../../graph/error.ts";
import { Tensor } from "../../graph/tensor.ts";
import { serializeModel } from "../../onnx/save.ts";
import { openSession } from "../../runtime/session.ts";
import { yoloStudent, type YoloSpec } from "../../students/yolo.ts";
import { recogniseHead, classNames } from "../../vision/heads.ts";
import { seededNumbers } from "../helpers/models.ts";

const spec: YoloSpec = { classes: ["car", "driver's \\ seat"], size: [96, 64], width: 0.125, depth: 0.33, seed: 3 };

for (const activation of ["relu", "silu"] as const) test(`a ${activation} student runs in batches and has YOLOv8's layout`, async () => {
  const graph = yoloStudent({ ...spec, activation });
  checkGraph(graph);
  const session = await openSession(graph, { threads: 1, optimization: "disabled" });
  const { output0 } = await session.run({ images: Tensor.float32([2, 3, 64, 96], seededNumbers(2 * 3 * 64 * 96)) });
  await session.close();
  const anchors = 96 + 24 + 6;
  assert.equal(output0!.shape, [2, 6, anchors]);
  const values = output0!.floats;
  for (let anchor = 0; anchor < anchors; anchor++) {
    assert.ok(values[4 * anchors + anchor]! > 0 && values[4 * anchors + anchor]! < 1, "a class probability");
    assert.ok(values[2 * anchors + anchor]! > 0 && values[3 * anchors + anchor]! > 0, "width and height");
  }
});

test("the reader recognises it and its class names, quotes and backslashes included", () => {
  const graph = yoloStudent(spec);
  assert.equal(classNames(graph.metadata), spec.classes);
  const head = recogniseHead({ outputs: [{ name: "output0", type: "float32", shape: [null, 6, 126] }], metadata: graph.metadata, ops: new Map(), size: spec.size, family: "auto", classCount: 2 });
  assert.is(head.family, "yolov8");
});

test("one seed gives one model, another seed another", () => {
  const bytes = serializeModel(yoloStudent(spec));
  assert.is(Buffer.compare(bytes, serializeModel(yoloStudent(spec))), 0);
  assert.is.not(Buffer.compare(bytes, serializeModel(yoloStudent({ ...spec, seed: 4 }))), 0);
});

test("width and depth of YOLOv8n give its parameters", () => {
  const graph = yoloStudent({ ...spec, classes: Array.from({ length: 80 }, (_, i) => `c${i}`), width: 0.25, depth: 0.33 });
  const trained = graph.initializers.filter(({ name }) => /weight$|bias$/.test(name)).reduce((sum, { tensor }) => sum + tensor!.size, 0);
  assert.is(trained, 3_157_184); // Ultralytics' yolov8n has 3,157,200: 16 are the fixed DFL kernel
});

for (const [name, change, code] of [
  ["a size that is no multiple of 32", { size: [100, 64] }, "STUDENT_SIZE"], ["a size below 64", { size: [32, 64] }, "STUDENT_SIZE"], ["a size that is no number", { size: [NaN, 64] }, "STUDENT_SIZE"],
  ["no width", { width: 0 }, "STUDENT_SPEC"], ["a huge width", { width: 3 }, "STUDENT_SPEC"], ["a depth that is no number", { depth: NaN }, "STUDENT_SPEC"],
  ["no classes", { classes: [] }, "STUDENT_CLASSES"], ["one bin", { regMax: 1 }, "STUDENT_SPEC"], ["half a bin", { regMax: 7.5 }, "STUDENT_SPEC"],
] as const) test(`refused: ${name}`, () => assert.throws(() => yoloStudent({ ...spec, ...change }), (error: UserError) => error.code === code));

test.run();
