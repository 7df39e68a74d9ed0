import * as assert from "uvu/assert";
import { describeDetector, type DetectorModel } from "../../detection/detector.ts";
import type { Builder } from "../../graph/builder.ts";
import type { Value } from "../../graph/node.ts";
import type { CheckContext } from "../../pipeline/checks/context.ts";
import { provenStudent } from "../../pipeline/checks/student.ts";
import { checkTeacher } from "../../pipeline/checks/teacher.ts";
import { preprocessPreset } from "../../vision/preprocess.ts";
import { areaAttention, bakedAttention, madeDetector, type MadeDetector } from "../helpers/detectors.ts";
import { seededNumbers } from "../helpers/models.ts";
import type { Case, Kind } from "./case.ts";

const context: CheckContext = {
  classes: ["pedestrian", "car"],
  threads: 1,
  pictures: [1, 2].map((seed) => ({
    width: 80, height: 60, channels: 3, data: Uint8Array.from(seededNumbers(80 * 60 * 3, seed, 0, 256)),
  })),
};
const own = [128, 96] as const;
const other = [160, 128] as const;

const described = (options: Partial<MadeDetector>): Promise<DetectorModel> => {
  const made = { classes: ["lamp", "car", "truck", "tree", "pedestrian"], size: own, ...options };
  const preset = preprocessPreset("yolov8", made.size);
  const preprocess = made.inputType === "uint8" ? { ...preset, scale: 1 } : preset;
  return describeDetector(madeDetector(made), "made.onnx", { family: "yolov8", preprocess, probe: false });
};

const reordered = (b: Builder, logits: Value): Value =>
  b.op("Gather", [b.sigmoid(logits), b.int64s([4, 3, 2, 1, 0])], { axis: 1 });
const scaled = (b: Builder, logits: Value): Value => b.sigmoid(b.mul(logits, 1.1));
const notFinite = (b: Builder, logits: Value): Value => b.op("Sqrt", [b.sub(b.sigmoid(logits), 0.5)]);

const student = (
  input: string, options: Partial<MadeDetector>, gives: Case["gives"] = "right", size: readonly [number, number] = other,
): Case => ({
  input: `student: ${input}`,
  gives,
  run: async () => {
    const { proofs } = await provenStudent("made.onnx", await described(options), "yolov8", size, context);
    assert.ok(proofs.length > 0);
    const [pixels, most] = options.inputType === "float16" ? [0.05, 1e-3] : [1e-3, 1e-5]; // float16 rounds
    for (const { boxPixels, score } of proofs) assert.ok(boxPixels < pixels && score < most, `${boxPixels} px`);
    return `rebuilt head equal to the file's${proofs.length > 1 ? ", at its own and at another size" : ""}`;
  },
});

const teacher = (input: string, options: Partial<MadeDetector>, expected: "aligned" | "decoded"): Case => ({
  input: `teacher: ${input}`,
  gives: "right",
  run: async () => {
    const model = await described(options);
    const { mode } = await checkTeacher("made.onnx", model, { size: other, regMax: 8, features: false }, context);
    assert.is(mode, expected);
    return mode === "aligned" ? "proven, teaches anchor by anchor" : "teaches by its decoded boxes, which is said";
  },
});

const fourLevels: Partial<MadeDetector> = { strides: [8, 16, 32, 64], size: [128, 128] };

export const rewrites: Kind = {
  title: "Rewrites that prove themselves: what is rebuilt is compared in the plan",
  cases: [
    student("box distributions", {}),
    student("no box distribution (YOLO26)", { bins: 1 }),
    student("one class convolution for all levels", { sharedClasses: true }),
    student("attention with batch and size in its shapes", { neck: bakedAttention() }),
    student("attention by areas (YOLO12), at its own size", { neck: areaAttention }, "right", own),
    student("learned positions, at its own size", { neck: bakedAttention(true) }, "right", own),
    student("learned positions, at another size", { neck: bakedAttention(true) }, "SIZE_IS_FIXED"),
    student("pictures in float16", { inputType: "float16" }),
    student("pictures as bytes", { inputType: "uint8" }),
    student("always two pictures", { batch: 2 }),
    student("class rows in another order (YOLO-World)", { scores: reordered }, "HEAD_DIFFERS", own),
    student("a factor inside the class branch", { scores: scaled }, "HEAD_DIFFERS", own),
    student("four levels", fourLevels, "HEAD_NOT_FOUND", [128, 128]),
    student("scores that are no numbers", { scores: notFinite }, "NOT_FINITE", own),
    teacher("box distributions", {}, "aligned"),
    teacher("pictures in float16", { inputType: "float16" }, "aligned"),
    teacher("pictures as bytes, two at a time", { inputType: "uint8", batch: 2 }, "aligned"),
    teacher("class rows in another order", { scores: reordered }, "decoded"),
    teacher("four levels", fourLevels, "decoded"),
    teacher("bytes, two at a time, a factor in the class branch", { inputType: "uint8", batch: 2, scores: scaled }, "decoded"),
  ],
};
