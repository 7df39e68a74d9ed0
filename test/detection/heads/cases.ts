import type { DetectorOptions } from "../../../detection/detector.ts";
import { cocoClasses } from "../../../vision/index.ts";
import { objectRow, side, type ModelSpec, type Output } from "./constant-model.ts";

/** One layout: exactly the object, or a refusal by this code. */
export interface LayoutCase {
  readonly name: string;
  readonly model: ModelSpec;
  readonly options?: DetectorOptions;
  readonly gives:
    "object" | `HEAD_${"UNKNOWN" | "AMBIGUOUS" | "CONTRADICTED" | "CLASS_COUNT"}` | "NOT_A_DETECTOR" | "INPUT_TYPE";
}

const corners = [64, 96, 160, 256];
const centre = [112, 176, 96, 160];
const unit = (box: readonly number[]): number[] => box.map((value) => value / side);
const yFirst = ([x1, y1, x2, y2]: readonly number[]): number[] => [y1!, x1!, y2!, x2!];

interface TableOptions {
  readonly row?: number;
  /** The other rows; zeros where absent. */
  readonly rest?: readonly number[];
  readonly first?: boolean;
  readonly shape?: (rows: number, columns: number) => readonly number[];
  readonly dtype?: Output["dtype"];
}

/** [1, rows, columns] with the object's numbers in one row ([1, columns, rows] with `first`). */
const table = (
  name: string,
  rows: number,
  columns: number,
  object: readonly number[],
  { row = objectRow, rest = [], first = false, shape, dtype }: TableOptions = {},
): Output => {
  const values = new Float32Array(rows * columns);
  const put = (r: number, numbers: readonly number[]): void =>
    numbers.forEach((value, c) => {
      values[first ? c * rows + r : r * columns + c] = value;
    });
  if (rest.length > 0) for (let r = 0; r < rows; r++) put(r, rest);
  put(row, [...object, ...new Array<number>(columns - object.length).fill(0)]);
  return {
    name,
    shape: shape?.(rows, columns) ?? (first ? [1, columns, rows] : [1, rows, columns]),
    values,
    ...(dtype && { dtype }),
  };
};

const zeros = (name: string, ...shape: number[]): Output => ({
  name,
  shape,
  values: new Float32Array(shape.reduce((n, d) => n * d, 1)),
});
const fives = [5, 5, 5, 5];
const flat = { shape: (rows: number, columns: number) => (columns === 1 ? [rows] : [rows, columns]), row: 0 };
const batched = { shape: (rows: number, columns: number) => (columns === 1 ? [1, rows] : [1, rows, columns]), row: 0 };

const names = (count: number): string =>
  `{${Array.from({ length: count }, (_, i) => `${i}: '${i === 0 ? "person" : `c${i}`}'`).join(", ")}}`;
const people = (count: number): string[] => Array.from({ length: count }, (_, i) => (i === 0 ? "person" : `c${i}`));
const ultralytics = (count: number, more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  names: names(count),
  stride: "32",
  task: "detect",
  author: "Ultralytics",
  ...more,
});
const coco = { classes: cocoClasses };

/** YOLOv8's layout with the box as given. */
const v8 = (box: readonly number[], classes = 80, extra: readonly number[] = []): Output =>
  table(
    "output0",
    2100,
    4 + classes + extra.length,
    [...box, 0.9, ...new Array<number>(classes - 1).fill(0), ...extra],
    { rest: [...fives, ...new Array<number>(classes).fill(0), ...extra], first: true },
  );
const labelled = (offset: number, shape: TableOptions = flat, box: readonly number[] = corners): Output[] => [
  table("boxes", 100, 4, box, shape),
  table("labels", 100, 1, [offset], { ...shape, rest: [offset], dtype: "int64" }),
  table("scores", 100, 1, [0.9], shape),
];
const queries = (label: string, scores: Output): Output[] => [
  table(label, 300, 4, unit(centre), { row: 3, rest: [0.5, 0.5, 0.2, 0.2] }),
  scores,
];
const softmaxRows = (rows: number, row: number, columns: number, background: number, object: number): Output => {
  const values = new Float32Array(rows * columns).fill(0.01 / (columns - 1));
  for (let r = 0; r < rows; r++) values[r * columns + background] = 0.99;
  values.fill(0.1 / (columns - 1), row * columns, (row + 1) * columns);
  values[row * columns + object] = 0.9;
  return { name: "scores", shape: [1, rows, columns], values };
};
const nanodet = (): Output => {
  // Distances from the cell at 136, 152 (level 8, column 17, row 19): 9, 7, 3, 13 strides are out of 8 bins, so the object lies on level 32.
  const row = 1600 + 400 + 5 * 10 + 3; // cell 96, 160 of stride 32: distances 1, 2, 2, 3
  const bins = [1, 2, 2, 3].flatMap((distance) => Array.from({ length: 8 }, (_, bin) => (bin === distance ? 20 : -20)));
  return table("output", 2125, 112, [0.9, ...new Array<number>(79).fill(0), ...bins], { row });
};
const v5 = (rows: number, ...numbers: number[]): Output =>
  table("output", rows, 85, [...centre, ...numbers], { rest: [...fives, 0] });
const raw = [112 / 8 - 17, 176 / 8 - 19, Math.log(12), Math.log(20)];

/** The object, and a second row with a low score and class 1. */
const twoRows = (): Output => {
  const output = table("output0", 300, 6, [...unit(centre), 0.9, 0], { row: 0 });
  output.values.set([0.7, 0.7, 0.1, 0.1, 0.02, 1], 6);
  return output;
};

/** YOLOv8's layout as a model fills it: every cell has a box around it, here as corners. */
const everyCell = (): Output => {
  const values = new Float32Array(7 * 2100);
  let row = 0;
  for (const stride of [8, 16, 32])
    for (let y = 0; y < side; y += stride)
      for (let x = 0; x < side; x += stride, row += 1) {
        const reach = stride * (0.6 + (row % 7) / 5);
        const box = row === objectRow ? corners : [x - reach, y - reach, x + reach, y + reach];
        [...box, row === objectRow ? 0.9 : 1e-4 * (row % 50), 0, 0].forEach((value, c) => {
          values[c * 2100 + row] = value;
        });
      }
  return { name: "output0", shape: [1, 7, 2100], values };
};
/** x1, y1, x2, y2, class, score. */
const labelScore = (): Output => {
  const output = table("output0", 300, 6, [...corners, 0, 0.9], { row: 0 });
  output.values.set([10, 20, 60, 90, 2, 0.04], 6);
  return output;
};

export const layoutCases: readonly LayoutCase[] = [
  // Ultralytics
  { name: "YOLOv8", model: { outputs: [v8(centre)] }, gives: "object" },
  {
    name: "YOLOv8, 5 classes as a Python list",
    model: {
      outputs: [v8(centre, 5)],
      metadata: { names: "['person', 'bicycle', 'car', 'motorcycle', 'bus']", stride: "32" },
    },
    gives: "object",
  },
  {
    name: "YOLOv8 float16",
    model: { outputs: [{ ...v8(centre), dtype: "float16" }], inputDtype: "float16" },
    gives: "object",
  },
  {
    name: "YOLOv8 transposed",
    model: { outputs: [table("output0", 2100, 84, [...centre, 0.9], { rest: fives })] },
    gives: "object",
  },
  {
    name: "YOLOv8 transposed, the third of 5 classes, no names",
    model: { outputs: [table("output0", 2100, 9, [...centre, 0, 0, 0.9], { rest: fives })] },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "YOLOv8 with names numbered from 1",
    model: { outputs: [v8(centre, 2)], metadata: { names: "{1: 'person', 2: 'car'}" } },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "YOLOv8 with names that are too few",
    model: { outputs: [v8(centre)], metadata: ultralytics(5) },
    gives: "HEAD_CLASS_COUNT",
  },
  { name: "YOLOv8 with corners", model: { outputs: [v8(corners)] }, gives: "HEAD_CONTRADICTED" },
  { name: "YOLOv8 with top-left corners", model: { outputs: [v8([64, 96, 96, 160])] }, gives: "HEAD_CONTRADICTED" },
  { name: "YOLOv8 in 0..1", model: { outputs: [v8(unit(centre))] }, gives: "HEAD_CONTRADICTED" },
  {
    name: "YOLOv8 with corners, --boxes xyxy",
    model: { outputs: [v8(corners)] },
    options: { boxes: "xyxy" },
    gives: "object",
  },
  {
    name: "YOLOv8 in 0..1, --coordinates unit",
    model: { outputs: [v8(unit(centre))] },
    options: { coordinates: "unit" },
    gives: "object",
  },
  {
    name: "YOLOv8 with corners in every cell",
    model: { outputs: [everyCell()], metadata: { names: names(3) } },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "YOLOv8 with corners in every cell, --boxes xyxy",
    model: { outputs: [everyCell()], metadata: { names: names(3) } },
    options: { boxes: "xyxy" },
    gives: "object",
  },
  {
    name: "YOLOv8, --background 3 where there is none",
    model: { outputs: [v8(centre)] },
    options: { background: 3 },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv8, --label-offset 1 where there are no labels",
    model: { outputs: [v8(centre)] },
    options: { labelOffset: 1 },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv8 segment, --boxes xyxy",
    model: { outputs: [v8(centre, 3, new Array<number>(32).fill(0.3)), zeros("output1", 1, 32, 80, 80)] },
    options: { boxes: "xyxy" },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv8 with two levels, 8 and 16",
    model: {
      outputs: [table("output0", 2000, 7, [...centre, 0.9], { first: true, rest: fives })],
      metadata: ultralytics(3),
    },
    gives: "object",
  },
  {
    name: "objectness in front of the classes, channels first, no names",
    model: { outputs: [table("output", 2100, 8, [...centre, 0.9, 1], { first: true, rest: fives })] },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "rows with the class before the score",
    model: { outputs: [labelScore()], metadata: { names: names(3) } },
    options: { family: "end2end" },
    gives: "object",
  },
  {
    name: "TensorFlow's exporter, outputs renamed: y first or not",
    model: {
      outputs: labelled(0, flat, yFirst(corners)),
      producer: "tf2onnx",
      metadata: { names: names(3) },
    },
    options: { labelOffset: 0 },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "TensorFlow's exporter, outputs renamed, --boxes yxyx",
    model: {
      outputs: labelled(0, flat, yFirst(corners)),
      producer: "tf2onnx",
      metadata: { names: names(3) },
    },
    options: { labelOffset: 0, boxes: "yxyx" },
    gives: "object",
  },
  {
    name: "YOLOv8 with scores in percent",
    model: { outputs: [table("output0", 2100, 84, [...centre, 90], { first: true, rest: fives })] },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "YOLOv8 with logits",
    model: {
      outputs: [
        table("output0", 2100, 84, [...centre, 2.2, ...new Array<number>(79).fill(-9)], {
          first: true,
          rest: [...fives, ...new Array<number>(80).fill(-9)],
        }),
      ],
    },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "YOLOv8 with an embedding beside",
    model: { outputs: [v8(centre), zeros("embedding", 1, 128, 2100)] },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv8 with an embedding beside, --output output0",
    model: { outputs: [v8(centre), zeros("embedding", 1, 128, 2100)] },
    options: { outputs: ["output0"] },
    gives: "object",
  },
  {
    name: "YOLOv8 with its raw maps beside",
    model: {
      outputs: [v8(centre), zeros("m8", 1, 144, 40, 40), zeros("m16", 1, 144, 20, 20), zeros("m32", 1, 144, 10, 10)],
    },
    gives: "object",
  },
  {
    name: "YOLOv8 raw maps alone",
    model: { outputs: [zeros("m8", 1, 144, 40, 40), zeros("m16", 1, 144, 20, 20), zeros("m32", 1, 144, 10, 10)] },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv3-tinyu: two levels",
    model: { outputs: [table("output0", 500, 84, [...centre, 0.9], { row: 180, first: true, rest: fives })] },
    gives: "object",
  },
  {
    name: "YOLOv8 segment",
    model: { outputs: [v8(centre, 80, new Array<number>(32).fill(0.3)), zeros("output1", 1, 32, 80, 80)] },
    gives: "object",
  },
  {
    name: "YOLOv8 segment without its prototypes",
    model: { outputs: [v8(centre, 80, new Array<number>(32).fill(0.3))] },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "YOLOv8 segment without its prototypes, task in the metadata",
    model: {
      outputs: [v8(centre, 80, new Array<number>(32).fill(0.3))],
      metadata: ultralytics(80, { task: "segment" }),
    },
    gives: "object",
  },
  {
    name: "YOLOv5 segment",
    model: {
      outputs: [
        table(
          "output0",
          6300,
          117,
          [...centre, 0.9, 1, ...new Array<number>(79).fill(0), ...new Array<number>(32).fill(-1)],
          { rest: fives },
        ),
        zeros("output1", 1, 32, 80, 80),
      ],
    },
    gives: "object",
  },
  {
    name: "YOLOv8 pose",
    model: {
      outputs: [v8(centre, 1, new Array<number>(51).fill(100))],
      metadata: { names: "{0: 'person'}", task: "pose", kpt_shape: "[17, 3]", stride: "32" },
    },
    gives: "object",
  },
  {
    name: "YOLOv8 pose without metadata",
    model: { outputs: [v8(centre, 1, new Array<number>(51).fill(100))] },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "YOLOv8 OBB",
    model: { outputs: [v8(centre, 80, [0.7])], metadata: ultralytics(80, { task: "obb" }) },
    gives: "NOT_A_DETECTOR",
  },
  { name: "YOLOv8 OBB without metadata", model: { outputs: [v8(centre, 15, [0.7])] }, gives: "HEAD_CONTRADICTED" },
  {
    name: "YOLOv8 classify",
    model: { outputs: [zeros("output0", 1, 1000)], metadata: ultralytics(1000, { task: "classify" }) },
    gives: "NOT_A_DETECTOR",
  },
  { name: "a classifier without metadata", model: { outputs: [zeros("output0", 1, 1000)] }, gives: "HEAD_UNKNOWN" },
  {
    name: "YOLOv9 with its auxiliary head",
    model: { outputs: [v8(centre), { ...v8([40, 40, 20, 20]), name: "output1" }] },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "YOLOv9 with its auxiliary head, --output output0",
    model: { outputs: [v8(centre), { ...v8([40, 40, 20, 20]), name: "output1" }] },
    options: { outputs: ["output0"] },
    gives: "object",
  },
  {
    name: "YOLOv10 end to end",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 0], { row: 0 })], metadata: ultralytics(80) },
    gives: "object",
  },
  {
    name: "YOLOv10 end to end, names given",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 0], { row: 0 })] },
    options: coco,
    gives: "object",
  },
  {
    name: "YOLOv10 end to end without names",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 0], { row: 0 })] },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "end to end with labels from 1",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 1], { row: 0 })] },
    options: coco,
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "end to end with labels from 1, --label-offset 1",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 1], { row: 0 })] },
    options: { classes: people(80), labelOffset: 1 },
    gives: "object",
  },
  {
    name: "end to end with labels that are no numbers of classes",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 0.5], { row: 0 })], metadata: ultralytics(80) },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "end to end with a label too high",
    model: { outputs: [table("output0", 300, 6, [...corners, 0.9, 80], { row: 0 })], metadata: ultralytics(80) },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "end to end with x, y, w, h",
    model: { outputs: [table("output0", 300, 6, [64, 96, 96, 160, 0.9, 0], { row: 0 })] },
    options: coco,
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "YOLO26 segment end to end",
    model: {
      outputs: [
        table("output0", 300, 38, [...corners, 0.9, 0, ...new Array<number>(32).fill(0.4)], { row: 0 }),
        zeros("output1", 1, 32, 80, 80),
      ],
      metadata: ultralytics(80, { task: "segment" }),
    },
    gives: "object",
  },
  {
    name: "YOLO26 pose end to end",
    model: {
      outputs: [table("output0", 300, 57, [...corners, 0.9, 0, ...new Array<number>(51).fill(80)], { row: 0 })],
      metadata: { ...ultralytics(1, { task: "pose" }), kpt_shape: "[17, 3]" },
    },
    gives: "object",
  },
  {
    name: "RT-DETR [300, 4 + 80]",
    model: { outputs: [table("output0", 300, 84, [...unit(centre), 0.9], { row: 0 })], op: "GridSample" },
    gives: "object",
  },
  {
    name: "RT-DETR of 2026 [300, 6]",
    model: {
      outputs: [table("output0", 300, 6, [...unit(centre), 0.9, 0], { row: 0 })],
      metadata: ultralytics(80, { head: "RTDETRDecoder" }),
    },
    gives: "object",
  },
  {
    name: "RT-DETR of 2026 with two classes",
    model: {
      outputs: [table("output0", 300, 6, [...unit(centre), 0.9, 0], { row: 0 })],
      metadata: ultralytics(2, { head: "RTDETRDecoder" }),
      op: "GridSample",
    },
    gives: "object",
  },
  {
    name: "RT-DETR of 2026 with two classes, nothing but names in the metadata",
    model: { outputs: [twoRows()], metadata: { names: names(2) }, op: "GridSample" },
    gives: "object",
  },
  {
    name: "RT-DETR [300, 4 + 2]",
    model: {
      outputs: [
        table("output0", 300, 6, [...unit(centre), 0.9, 0.003], { row: 0, rest: [0.5, 0.5, 0.1, 0.1, 0.001, 0.002] }),
      ],
      metadata: { names: names(2) },
      op: "GridSample",
    },
    gives: "object",
  },
  { name: "YOLOv5", model: { outputs: [v5(6300, 0.9, 1)] }, gives: "object" },
  {
    name: "YOLOv5 raw maps alone",
    model: { outputs: [zeros("a", 1, 3, 40, 40, 85), zeros("b", 1, 3, 20, 20, 85), zeros("c", 1, 3, 10, 10, 85)] },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "YOLOv5 in 0..1",
    model: { outputs: [table("output", 6300, 85, [...unit(centre), 0.9, 1])] },
    gives: "HEAD_CONTRADICTED",
  },
  // Other YOLOs
  {
    name: "YOLOv4",
    model: {
      outputs: [
        table("boxes", 6300, 4, unit(corners), { shape: (rows) => [1, rows, 1, 4] }),
        table("confs", 6300, 80, [0.9]),
      ],
    },
    gives: "object",
  },
  {
    name: "YOLOv4-tiny",
    model: {
      outputs: [
        table("boxes", 1500, 4, unit(corners), { shape: (rows) => [1, rows, 1, 4] }),
        table("confs", 1500, 80, [0.9]),
      ],
    },
    gives: "object",
  },
  {
    name: "YOLOv6",
    model: { outputs: [table("outputs", 2100, 85, [...centre, 1, 0.9], { rest: [...fives, 1] })], op: "Softmax" },
    gives: "object",
  },
  {
    name: "YOLOv7 end to end [N, 7]",
    model: { outputs: [table("output", 20, 7, [0, ...corners, 0, 0.9], flat)] },
    options: coco,
    gives: "object",
  },
  { name: "YOLOX decoded", model: { outputs: [v5(2100, 0.9, 1)], op: "Exp" }, gives: "object" },
  { name: "YOLOX decoded, nothing in the graph tells", model: { outputs: [v5(2100, 0.9, 1)] }, gives: "object" },
  { name: "YOLOX raw", model: { outputs: [table("output", 2100, 85, [...raw, 0.9, 1])] }, gives: "object" },
  {
    name: "YOLO-NAS",
    model: { outputs: [table("boxes", 2100, 4, corners, { rest: fives }), table("scores", 2100, 80, [0.9])] },
    gives: "object",
  },
  {
    name: "YOLO-NAS flat [N, 7]",
    model: { outputs: [table("graph2_flat_predictions", 12, 7, [0, ...corners, 0.9, 0], flat)] },
    options: coco,
    gives: "object",
  },
  {
    name: "YOLO-NAS batch",
    model: {
      outputs: [
        { name: "num_predictions", shape: [1, 1], values: Float32Array.of(1), dtype: "int64" },
        table("pred_boxes", 100, 4, corners, { ...batched, rest: [1, 2, 3, 4] }),
        table("pred_scores", 100, 1, [0.9], { ...batched, rest: [0.8] }),
        table("pred_classes", 100, 1, [0], { ...batched, rest: [9], dtype: "int64" }),
      ],
    },
    options: coco,
    gives: "object",
  },
  { name: "NanoDet-Plus", model: { outputs: [nanodet()] }, gives: "object" },
  {
    name: "PP-YOLOE without NMS",
    model: {
      outputs: [table("boxes", 2100, 4, corners), table("scores", 2100, 80, [0.9], { first: true })],
      otherInputs: [{ name: "scale_factor", dtype: "float32", shape: [1, 2] }],
    },
    gives: "object",
  },
  {
    name: "PP-YOLOE with NMS",
    model: {
      outputs: [
        table("multiclass_nms3_0.tmp_0", 30, 6, [0, 0.9, ...corners], flat),
        { name: "multiclass_nms3_0.tmp_2", shape: [1], values: Float32Array.of(1), dtype: "int32" },
      ],
      otherInputs: [
        { name: "im_shape", dtype: "float32", shape: [1, 2] },
        { name: "scale_factor", dtype: "float32", shape: [1, 2] },
      ],
    },
    options: coco,
    gives: "object",
  },
  {
    name: "an unknown second input",
    model: { outputs: [v8(centre)], otherInputs: [{ name: "threshold", dtype: "float32", shape: [1] }] },
    gives: "NOT_A_DETECTOR",
  },
  // Boxes and scores
  {
    name: "SSD: softmax, background first",
    model: {
      outputs: [
        softmaxRows(3000, 700, 21, 0, 15),
        table("boxes", 3000, 4, unit(corners), { row: 700, rest: [0.5, 0.5, 0.52, 0.52] }),
      ],
    },
    options: { classes: Array.from({ length: 20 }, (_, i) => (i === 14 ? "person" : `c${i}`)) },
    gives: "object",
  },
  {
    name: "SSD: softmax, background last, no names",
    model: {
      outputs: [
        softmaxRows(3000, 700, 6, 5, 0),
        table("boxes", 3000, 4, unit(corners), { row: 700, rest: [0.5, 0.5, 0.52, 0.52] }),
      ],
    },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "SSD: softmax, background last, named last",
    model: {
      outputs: [
        softmaxRows(3000, 700, 6, 5, 0),
        table("boxes", 3000, 4, unit(corners), { row: 700, rest: [0.5, 0.5, 0.52, 0.52] }),
      ],
    },
    options: { classes: [...people(5), "background"] },
    gives: "object",
  },
  {
    name: "SSD with centres",
    model: {
      outputs: [
        softmaxRows(3000, 700, 21, 0, 15),
        table("boxes", 3000, 4, unit(centre), { row: 700, rest: [0.5, 0.5, 0.02, 0.02] }),
      ],
    },
    options: { classes: ["background", ...Array.from({ length: 20 }, (_, i) => (i === 14 ? "person" : `c${i}`))] },
    gives: "object",
  },
  {
    name: "COCO's ids in 91 columns without names",
    model: {
      outputs: [
        softmaxRows(3000, 700, 91, 0, 1),
        table("boxes", 3000, 4, unit(corners), { row: 700, rest: [0.5, 0.5, 0.52, 0.52] }),
      ],
    },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "COCO's ids in 91 sigmoid columns, 90 names",
    model: {
      outputs: queries(
        "pred_boxes",
        table("pred_logits", 300, 91, [-9, 2.2, ...new Array<number>(89).fill(-9)], {
          row: 3,
          rest: new Array<number>(91).fill(-9),
        }),
      ),
    },
    options: { classes: people(90) },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "COCO's ids in 91 sigmoid columns, --names coco91",
    model: {
      outputs: queries(
        "pred_boxes",
        table("pred_logits", 300, 91, [-9, 2.19722, ...new Array<number>(89).fill(-9)], {
          row: 3,
          rest: new Array<number>(91).fill(-9),
        }),
      ),
    },
    options: { classes: ["coco91"] },
    gives: "object",
  },
  {
    name: "DETR: softmax with no-object",
    model: {
      outputs: queries(
        "pred_boxes",
        table("pred_logits", 100, 81, [9 + Math.log(0.9), ...new Array<number>(79).fill(-30), 9 + Math.log(0.1)], {
          row: 3,
          rest: [...new Array<number>(80).fill(-9), 9],
        }),
      ).map((output) =>
        output.name === "pred_boxes"
          ? table("pred_boxes", 100, 4, unit(centre), { row: 3, rest: [0.5, 0.5, 0.2, 0.2] })
          : output,
      ),
    },
    options: coco,
    gives: "object",
  },
  {
    name: "DETR without names",
    model: {
      outputs: queries(
        "pred_boxes",
        table("pred_logits", 300, 92, [9], { row: 3, rest: [...new Array<number>(91).fill(-9), 9] }),
      ),
    },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "sigmoid queries",
    model: {
      outputs: queries(
        "pred_boxes",
        table("logits", 300, 80, [2.19722, ...new Array<number>(79).fill(-9)], {
          row: 3,
          rest: new Array<number>(80).fill(-9),
        }),
      ),
    },
    gives: "object",
  },
  // Boxes, scores and labels
  { name: "torchvision without names", model: { outputs: labelled(1) }, gives: "HEAD_CLASS_COUNT" },
  {
    name: "torchvision, names given",
    model: { outputs: labelled(1) },
    options: { classes: people(90) },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "torchvision, COCO's 80 names and --label-offset 1",
    model: { outputs: labelled(1) },
    options: { ...coco, labelOffset: 1 },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "RF-DETR: dets and label logits of COCO's ids, no names",
    model: {
      outputs: queries(
        "dets",
        table("labels", 300, 91, [-9, 2.2, ...new Array<number>(89).fill(-9)], {
          row: 3,
          rest: new Array<number>(91).fill(-9),
        }),
      ),
    },
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "RF-DETR, --names coco91",
    model: {
      outputs: queries(
        "dets",
        table("labels", 300, 91, [-9, 2.19722, ...new Array<number>(89).fill(-9)], {
          row: 3,
          rest: new Array<number>(91).fill(-9),
        }),
      ),
    },
    options: { classes: ["coco91"] },
    gives: "object",
  },
  {
    name: "RetinaFace: boxes, scores and landmarks",
    model: {
      outputs: [table("loc", 4200, 4, unit(corners)), table("conf", 4200, 2, [0.1, 0.9]), zeros("landms", 1, 4200, 10)],
    },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "torchvision, --label-offset 1",
    model: { outputs: labelled(1) },
    options: { classes: people(90), labelOffset: 1 },
    gives: "object",
  },
  {
    name: "torchvision, --names coco91 --label-offset 0",
    model: { outputs: labelled(1) },
    options: { classes: ["coco91"], labelOffset: 0 },
    gives: "object",
  },
  {
    name: "labels whose highest is the class count",
    model: {
      outputs: [
        labelled(1)[0]!,
        { ...labelled(1)[1]!, values: Float32Array.from({ length: 100 }, (_, i) => (i === 0 ? 1 : 2)) },
        {
          ...labelled(1)[2]!,
          values: Float32Array.from({ length: 100 }, (_, i) => (i === 0 ? 0.9 : i === 1 ? 0.2 : 0)),
        },
      ],
    },
    options: { classes: people(2) },
    gives: "object",
  },
  {
    name: "boxes, scores, labels that are not whole",
    model: {
      outputs: labelled(1).map((output) =>
        output.name === "labels" ? { name: "labels", shape: [100], values: new Float32Array(100).fill(1.5) } : output,
      ),
    },
    options: { classes: people(90), labelOffset: 1 },
    gives: "HEAD_CONTRADICTED",
  },
  {
    name: "D-FINE with orig_target_sizes",
    model: {
      outputs: labelled(0, batched),
      otherInputs: [{ name: "orig_target_sizes", dtype: "int64", shape: [1, 2] }],
    },
    options: coco,
    gives: "object",
  },
  {
    name: "mmdeploy",
    model: {
      outputs: [
        table("dets", 100, 5, [...corners, 0.9], batched),
        table("labels", 100, 1, [0], { ...batched, dtype: "int64" }),
      ],
    },
    options: coco,
    gives: "object",
  },
  {
    name: "mmdeploy with masks",
    model: {
      outputs: [
        table("dets", 100, 5, [...corners, 0.9], batched),
        table("labels", 100, 1, [0], { ...batched, dtype: "int64" }),
        zeros("masks", 1, 100, 28, 28),
      ],
    },
    options: coco,
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "TensorFlow SSD: y first, labels from 1",
    model: {
      outputs: [
        table("detection_boxes", 100, 4, unit(yFirst(corners)), batched),
        table("detection_classes", 100, 1, [1], batched),
        table("detection_scores", 100, 1, [0.9], batched),
        { name: "num_detections", shape: [1], values: Float32Array.of(1) },
      ],
    },
    options: { classes: people(90) },
    gives: "object",
  },
  {
    name: "TensorFlow SSD with COCO's 80 names",
    model: {
      outputs: [
        table("detection_boxes", 100, 4, unit(yFirst(corners)), batched),
        table("detection_classes", 100, 1, [1], batched),
        table("detection_scores", 100, 1, [0.9], batched),
        { name: "num_detections", shape: [1], values: Float32Array.of(1) },
      ],
    },
    options: coco,
    gives: "HEAD_CLASS_COUNT",
  },
  {
    name: "TensorFlow's unnamed outputs",
    model: {
      outputs: [
        table("Identity", 100, 4, unit(yFirst(corners)), batched),
        table("Identity_1:classes", 100, 1, [1], batched),
        table("Identity_2:scores", 100, 1, [0.9], batched),
      ],
    },
    options: { classes: people(90), labelOffset: 1 },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "TensorFlow SSD with COCO's ids",
    model: {
      outputs: [
        table("detection_boxes", 100, 4, unit(yFirst(corners)), batched),
        table("detection_classes", 100, 1, [1], batched),
        table("detection_scores", 100, 1, [0.9], batched),
        { name: "num_detections", shape: [1], values: Float32Array.of(1) },
      ],
    },
    options: { classes: ["coco91"] },
    gives: "object",
  },
  {
    name: "EfficientDet [100, 7]",
    model: { outputs: [table("detections", 100, 7, [0, ...yFirst(corners), 0.9, 1], { row: 0 })] },
    options: { classes: people(90) },
    gives: "object",
  },
  {
    name: "rows of seven that nothing names",
    model: { outputs: [table("output", 100, 7, [0, ...yFirst(corners), 0.9, 1], { row: 0 })] },
    options: { classes: people(90) },
    gives: "HEAD_AMBIGUOUS",
  },
  {
    name: "DetectionOutput [1, 1, N, 7]",
    model: {
      outputs: [
        table("detection_out", 100, 7, [0, 1, 0.9, ...unit(corners)], {
          row: 0,
          shape: (rows, columns) => [1, 1, rows, columns],
        }),
      ],
    },
    options: { classes: people(20), labelOffset: 1, boxes: "xyxy" },
    gives: "object",
  },
  {
    name: "EfficientNMS",
    model: {
      outputs: [
        { name: "num_dets", shape: [1, 1], values: Float32Array.of(1), dtype: "int32" },
        table("det_boxes", 100, 4, corners, batched),
        table("det_scores", 100, 1, [0.9], batched),
        table("det_classes", 100, 1, [0], { ...batched, dtype: "int32" }),
      ],
    },
    options: coco,
    gives: "object",
  },
  // Maps and inputs
  {
    name: "FCOS maps",
    model: { outputs: [zeros("cls", 1, 80, 40, 40), zeros("reg", 1, 4, 40, 40), zeros("ctr", 1, 1, 40, 40)] },
    gives: "HEAD_UNKNOWN",
  },
  {
    name: "CenterNet heat maps",
    model: { outputs: [zeros("hm", 1, 80, 80, 80), zeros("wh", 1, 2, 80, 80), zeros("reg", 1, 2, 80, 80)] },
    options: coco,
    gives: "HEAD_UNKNOWN",
  },
  { name: "bytes as input", model: { outputs: [v8(centre)], inputDtype: "uint8" }, gives: "object" },
  { name: "channels last", model: { outputs: [v8(centre)], inputShape: [1, side, side, 3] }, gives: "NOT_A_DETECTOR" },
  { name: "a gray picture", model: { outputs: [v8(centre)], inputShape: [1, 1, side, side] }, gives: "NOT_A_DETECTOR" },
  { name: "a double input", model: { outputs: [v8(centre)], inputDtype: "float64" }, gives: "INPUT_TYPE" },
];
