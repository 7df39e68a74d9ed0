import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describeDetector, type DetectorModel } from "../../../detection/detector.ts";
import { proofLine, type Proof } from "../../../detection/proof.ts";
import type { Builder } from "../../../graph/builder.ts";
import type { Value } from "../../../graph/node.ts";
import { saveModel } from "../../../onnx/save.ts";
import type { CheckContext } from "../../../pipeline/checks/context.ts";
import { provenStudent } from "../../../pipeline/checks/student.ts";
import { checkTeacher, distributionNotes } from "../../../pipeline/checks/teacher.ts";
import { silentReporter } from "../../../pipeline/progress.ts";
import { compress } from "../../../pipeline/run.ts";
import { parseRunResult, stageReport } from "../../../pipeline/result.ts";
import { preprocessPreset } from "../../../vision/preprocess.ts";
import { inFolder } from "../../helpers/cli.ts";
import { areaAttention, bakedAttention, madeDetector, type MadeDetector } from "../../helpers/detectors.ts";
import { seededNumbers } from "../../helpers/models.ts";
import { refusal } from "../../helpers/refusal.ts";
import { makeScenes, sceneClasses, writeConfig } from "../../helpers/scenes.ts";

const modelClasses = ["lamp", "car", "truck", "tree", "pedestrian"];
const context: CheckContext = {
  classes: ["pedestrian", "car"],
  threads: 1,
  pictures: [1, 2].map((seed) => ({
    width: 80,
    height: 60,
    channels: 3,
    data: Uint8Array.from(seededNumbers(80 * 60 * 3, seed, 0, 256)),
  })),
};
const own = [128, 96] as const;
const other = [160, 128] as const;

/** Random weights give no sensible boxes: how the head is read is said, not tried. */
const described = (options: Partial<MadeDetector>): Promise<DetectorModel> => {
  const made = { classes: modelClasses, size: own, ...options };
  const preset = preprocessPreset("yolov8", made.size);
  const preprocess = made.inputType === "uint8" ? { ...preset, scale: 1 } : preset;
  return describeDetector(madeDetector(made), "made.onnx", { family: "yolov8", preprocess, probe: false });
};

const permuted = (b: Builder, logits: Value): Value =>
  b.op("Gather", [b.sigmoid(logits), b.int64s([4, 3, 2, 1, 0])], { axis: 1 });
const scaled = (b: Builder, logits: Value): Value => b.sigmoid(b.mul(logits, 1.1));
/** All scores around 1e-4, and in another order. */
const tinyPermuted = (b: Builder, logits: Value): Value => b.mul(permuted(b, logits), 1e-4);

const proven: Readonly<Record<string, Partial<MadeDetector>>> = {
  "a head with box distributions": {},
  "a head without (YOLO26)": { bins: 1 },
  "one class convolution for all levels": { sharedClasses: true },
  "attention with batch and size in its shapes": { neck: bakedAttention() },
  "float16 pictures": { inputType: "float16" },
  "pictures of bytes": { inputType: "uint8" },
  "always two pictures": { batch: 2 },
};

for (const [kind, options] of Object.entries(proven)) {
  test(`student, proven at its own and another size: ${kind}`, async () => {
    const model = await described(options);
    for (const [size, sizes] of [
      [own, [own]],
      [other, [own, other]],
    ] as const) {
      const { proofs, notes, graph } = await provenStudent("made.onnx", model, "yolov8", size, context);
      assert.equal(
        proofs.map((proof) => proof.size),
        sizes,
      );
      assert.ok(
        // The student takes float32 pictures, the file rounds them to float16.
        proofs.every(({ boxPixels, score }) => boxPixels < (options.inputType === "float16" ? 0.05 : 1e-3) && score < (options.inputType === "float16" ? 1e-3 : 1e-5)),
        proofs.map(proofLine).join(),
      );
      assert.equal(
        [[...notes], graph.inputs[0]!.shape, graph.outputs[0]!.shape!.slice(0, 2)],
        [[], ["N", 3, size[1], size[0]], ["N", 6]],
      );
    }
  });

  test(`teacher, proven anchor by anchor: ${kind}`, async () => {
    const { mode, proofs, regMax } = await checkTeacher(
      "made.onnx",
      await described(options),
      { size: other, regMax: 8, features: true },
      context,
    );
    assert.equal(
      [mode, proofs.map(({ size }) => size), regMax],
      ["aligned", [own, other], options.bins === 1 ? undefined : 8],
    );
  });
}

test("attention by areas (YOLO12): batches are free at the model's own size", async () => {
  const { proofs, graph } = await provenStudent(
    "made.onnx",
    await described({ neck: areaAttention }),
    "yolov8",
    own,
    context,
  );
  assert.is(proofs.length, 1);
  assert.equal(graph.outputs[0]!.shape!.slice(0, 2), ["N", 6]);
});

test("learned positions: proven at the model's own size, refused by the node that holds them at another", async () => {
  const model = await described({ neck: bakedAttention(true) });
  assert.is((await provenStudent("made.onnx", model, "yolov8", own, context)).proofs.length, 1);
  const error = await refusal(provenStudent("made.onnx", model, "yolov8", other, context));
  assert.is(error.code, "SIZE_IS_FIXED");
  assert.match(error.message, /made\.onnx: .*made\/Add/);
});

for (const [kind, options, code, message] of [
  ["class rows in another order", { scores: permuted }, "HEAD_DIFFERS", /scores of "pedestrian", "car"/],
  ["a scale inside the class branch", { scores: scaled }, "HEAD_DIFFERS", /scores of "pedestrian", "car"/],
  ["another order where all scores are tiny", { scores: tinyPermuted }, "HEAD_DIFFERS", /scores of/],
  ["four levels", { strides: [8, 16, 32, 64], size: [128, 128] }, "HEAD_NOT_FOUND", /16×16, 8×8, 4×4, 2×2 cells/],
] as const) {
  test(`student refused by name, teacher decoded instead: ${kind}`, async () => {
    const size = "size" in options ? options.size : own;
    const model = await described(options);
    const error = await refusal(provenStudent("made.onnx", model, "yolov8", size, context));
    assert.is(error.code, code);
    assert.match(error.message, message);
    assert.match(error.message, "made.onnx");
    assert.match(error.nextStep, "arch: yolo");
    const { mode, notes } = await checkTeacher(
      "made.onnx",
      model,
      { size: other, regMax: 8, features: false },
      context,
    );
    assert.is(mode, "decoded");
    assert.match(notes[0]!, /teaches by its decoded boxes/);
    assert.match(notes[1]!, new RegExp(`runs at its own ${size.join("x")}.*160x128`));
  });
}

for (const inputType of ["float16", "uint8"] as const) {
  test(`a decoded teacher of ${inputType} pictures, two at a time, runs`, async () => {
    const model = await described({ inputType, batch: 2, scores: scaled });
    const { mode } = await checkTeacher("made.onnx", model, { size: own, regMax: undefined, features: false }, context);
    assert.is(mode, "decoded");
  });
}

test("outputs that are no numbers are refused", async () => {
  const model = await described({ scores: (b, logits) => b.op("Sqrt", [b.sub(b.sigmoid(logits), 0.5)]) }); // NaN for some
  assert.is((await refusal(provenStudent("made.onnx", model, "yolov8", own, context))).code, "NOT_FINITE");
});

test("what is not distilled is said", () => {
  const aligned = { name: "teacher", mode: "aligned", regMax: 16 } as const;
  assert.equal(distributionNotes([aligned], 16), []);
  assert.equal(distributionNotes([], 8), []);
  assert.match(distributionNotes([aligned], 8)[0]!, "the teacher's have 16 bins and the student's 8");
  assert.match(distributionNotes([{ ...aligned, mode: "decoded", regMax: undefined }], 8)[0]!, "decoded boxes");
});

const compressed = async (folder: string, student: Partial<MadeDetector>, extra: readonly string[]) => {
  await makeScenes(folder, 3, 1);
  await saveModel(
    madeDetector({ classes: [...sceneClasses, "lamp"], size: [96, 64], ...student }),
    join(folder, "made.onnx"),
  );
  const config = await writeConfig(folder, ["distill: {epochs: 1, batch: 2}", ...extra]);
  return async (until: "plan" | "distill") =>
    compress(config, { runs: join(folder, "runs"), until, reporter: silentReporter });
};

test("compress refuses before anything is trained", () =>
  inFolder(async (folder) => {
    const run = await compressed(folder, { scores: scaled }, []);
    const config = join(folder, "config.yaml");
    await writeFile(
      config,
      (await readFile(config, "utf8")).replace(
        "student: {arch: yolo, width: 0.125, depth: 0.33}",
        "student: {model: made.onnx}",
      ),
    );
    assert.is((await refusal(run("distill"))).code, "HEAD_DIFFERS");
    assert.is(existsSync(join(folder, "runs", "cache")), false);
  }));

interface PlanFacts {
  readonly proofs: readonly Proof[];
  readonly notes: readonly string[];
}

test("what was proven is in run.json", () =>
  inFolder(async (folder) => {
    const run = await compressed(folder, { bins: 1 }, ["teacher: {model: made.onnx}"]);
    const { runFolder } = await run("plan");
    const { proofs, notes } = stageReport(
      parseRunResult(await readFile(join(runFolder, "run.json"), "utf8"), "run.json"),
      "plan",
    ) as unknown as PlanFacts;
    assert.equal(
      proofs.map(({ what, model, size }) => ({ what, model, size })),
      [{ what: "teacher", model: "made.onnx", size: [96, 64] }],
    );
    assert.ok(proofs[0]!.boxPixels < 1e-3);
    assert.ok(
      notes.some((note) => note.includes("the teacher's head has none")),
      notes.join(),
    );
  }));

test.run();
