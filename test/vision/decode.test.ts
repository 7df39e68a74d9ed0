import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";
import { decode, type Candidates } from "../../vision/decode.ts";
import { detect } from "../../vision/detect.ts";
import { recogniseHead, type Head, type HeadQuestion } from "../../vision/heads.ts";
import { nonMaximumSuppression } from "../../vision/nms.ts";
import { fit, preprocessPreset } from "../../vision/preprocess.ts";

const size = [64, 32] as const; // 8·4 + 4·2 + 2·1 = 42 cells
const cells = 42;

/** A [1, rows, columns] tensor (or its transpose) of zeros with some rows set. */
function tensor(rows: number, columns: number, set: Record<number, number[]>, channelsFirst = false): { name: string; dims: number[]; data: Float32Array } {
  const data = new Float32Array(rows * columns);
  for (const [row, values] of Object.entries(set)) values.forEach((v, c) => { data[channelsFirst ? c * rows + Number(row) : Number(row) * columns + c] = v; });
  return { name: "output", dims: channelsFirst ? [1, columns, rows] : [1, rows, columns], data };
}

const headOf = (output: { name: string; dims: number[] }, more: Partial<HeadQuestion> = {}): Head => recogniseHead({ size, outputs: [{ name: output.name, shape: output.dims }], ...more });
const rounded = (values: Float32Array | undefined): number[] => [...(values ?? [])].map((v) => Math.round(v * 1e4) / 1e4);
const threshold = { scoreThreshold: 0.1 };

for (const channelsFirst of [true, false]) {
  test(`YOLOv8 ${channelsFirst ? "channels first" : "transposed"}: boxes, best class, vectors`, () => {
    const output = tensor(cells, 7, { 3: [20, 10, 8, 4, 0.05, 0.7, 0.2], 9: [1, 1, 1, 1, 0, 0.05, 0] }, channelsFirst);
    const head = headOf(output, { classCount: 3 });
    const found = decode(head, [output], 0, { ...threshold, withProbabilities: true });
    assert.is(found.count, 1);
    assert.equal([...found.boxes], [16, 8, 8, 4]);
    assert.equal([[...found.classes], [...found.rows], rounded(found.scores)], [[1], [3], [0.7]]);
    assert.equal(rounded(found.probabilities ?? undefined), [0.05, 0.7, 0.2]);
    const all = decode(head, [output], 0, { ...threshold, multiLabel: true });
    assert.equal([...all.classes].sort(), [1, 2]);
  });
}

test("YOLOv5: objectness multiplies", () => {
  const output = tensor(3 * cells, 7, { 100: [20, 10, 8, 4, 0.5, 0.1, 0.8], 4: [1, 1, 1, 1, 0.15, 0.6, 0.6] });
  const found = decode(headOf(output), [output], 0, threshold);
  assert.equal([[...found.rows], [...found.classes], rounded(found.scores)], [[100], [1], [0.4]]);
});

test("YOLOX raw: offsets on the grid of each stride", () => {
  const output = tensor(cells, 7, { 10: [0.5, 0.25, 0, Math.log(2), 1, 0.9, 0], 37: [0, 0, 0, 0, 1, 0, 0.8], 41: [0, 0, 0, 0, 1, 0.7, 0] });
  const found = decode(headOf(output, { ops: new Map([["Conv", 9]]) }), [output], 0, threshold);
  // Row 10: stride 8, cell (2, 1); row 37: stride 16, cell (1, 1); row 41: stride 32, cell (1, 0).
  assert.equal(rounded(found.boxes), [20 - 4, 10 - 8, 8, 16, 16 - 8, 16 - 8, 16, 16, 32 - 16, 0 - 16, 32, 32]);
});

test("the second picture of a batch", () => {
  const one = tensor(cells, 7, { 3: [20, 10, 8, 4, 0.1, 0.7, 0.2] }, true);
  const output = { name: "output", dims: [2, 7, cells], data: Float32Array.from([...new Float32Array(7 * cells), ...one.data]) };
  const head = headOf(output, { classCount: 3 });
  assert.is(decode(head, [output], 0, threshold).count, 0);
  assert.equal([...decode(head, [output], 1, threshold).boxes], [16, 8, 8, 4]);
  assert.throws(() => decode(head, [output], 2, threshold), (e: unknown) => e instanceof UserError && e.code === "OUTPUT_MISMATCH");
});

test("end-to-end rows and DETR queries", () => {
  const rows = tensor(10, 6, { 2: [4, 6, 14, 26, 0.9, 3] });
  const found = decode(headOf(rows, { classCount: 80 }), [rows], 0, threshold);
  assert.equal([[...found.boxes], [...found.classes]], [[4, 6, 10, 20], [3]]);
  const boxes = { ...tensor(5, 4, { 1: [0.5, 0.5, 0.25, 0.5] }), name: "boxes" };
  const logits = { ...tensor(5, 3, { 1: [3, 0, 0], 0: [0, 0, 9], 2: [0, 0, 9], 3: [0, 0, 9], 4: [0, 0, 9] }), name: "logits" };
  const head = recogniseHead({ size, outputs: [boxes, logits].map(({ name, dims }) => ({ name, shape: dims })), classCount: 2 });
  const query = decode(head, [logits, boxes], 0, threshold);
  assert.equal([[...query.boxes], [...query.classes], rounded(query.scores)], [[24, 8, 16, 16], [0], [Math.round((Math.exp(3) / (Math.exp(3) + 2)) * 1e4) / 1e4]]);
});

test("boxes, scores and labels", () => {
  const outputs = [
    { name: "boxes", dims: [2, 4], data: Float32Array.of(1, 2, 11, 22, 0, 0, 5, 5) },
    { name: "labels", dims: [2], data: BigInt64Array.of(3n, 1n) },
    { name: "scores", dims: [2], data: Float32Array.of(0.75, 0.05) },
  ];
  const head = recogniseHead({ size, outputs: outputs.map(({ name, dims }) => ({ name, shape: dims })), classCount: 4, labelOffset: 1 });
  const found = decode(head, outputs, 0, { ...threshold, withProbabilities: true });
  assert.equal([[...found.boxes], [...found.classes], [...(found.probabilities ?? [])]], [[1, 2, 10, 20], [2], [0, 0, 0.75, 0]]);
});

const candidates = (list: [box: [number, number, number, number], score: number, classIndex: number][]): Candidates => ({
  count: list.length, boxes: Float32Array.from(list.flatMap(([box]) => box)), scores: Float32Array.from(list.map(([, s]) => s)),
  classes: Int32Array.from(list.map(([, , c]) => c)), rows: new Int32Array(list.length), probabilities: null,
});

test("NMS: by class, above the threshold only, ties by index, at most maxDetections", () => {
  const list = candidates([[[0, 0, 10, 10], 0.5, 0], [[0, 1, 10, 10], 0.9, 0], [[0, 0, 10, 10], 0.8, 1], [[0, 6, 10, 10], 0.5, 0], [[50, 50, 4, 4], 0.5, 0]]);
  assert.equal(nonMaximumSuppression(list, { iouThreshold: 0.5 }), [1, 2, 3, 4]);
  assert.equal(nonMaximumSuppression(list, { iouThreshold: 0.9 }), [1, 2, 0, 3, 4]);
  assert.equal(nonMaximumSuppression(list, { iouThreshold: 0.5, maxDetections: 2 }), [1, 2]);
});

test("detections come back in the picture's pixels, clipped", () => {
  const output = tensor(cells, 5, { 0: [32, 16, 16, 64, 0.9], 1: [32, 16, 16, 62, 0.8] }, true);
  const geometry = fit(preprocessPreset("yolov8", size), 128, 32); // scale 0.5, 8 rows of padding above
  const [only, ...more] = detect(headOf(output, { classCount: 1 }), [output], 0, geometry, { scoreThreshold: 0.1, iouThreshold: 0.5, multiLabel: true, maxDetections: 300 });
  assert.equal(more, []);
  assert.equal(only?.box, [48, 0, 32, 32]);
});

test.run();
