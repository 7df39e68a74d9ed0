import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { adapterDetector, adapterObstacle, nodeContract, yoloxAdapter } from "../../bundle/autoware/adapter.ts";
import { calibrationTable } from "../../bundle/autoware/calibration-table.ts";
import { labelsOf } from "../../bundle/autoware/labels.ts";
import { addAutoware, packageOf } from "../../bundle/autoware/package.ts";
import type { BundleInput, Files } from "../../bundle/input.ts";
import { namesOf } from "../../bundle/names.ts";
import { describeDetector, loadDetector, runDetector, type DetectorModel } from "../../detection/detector.ts";
import { evaluateDetector } from "../../detection/evaluate.ts";
import { loadModel } from "../../onnx/load.ts";
import { serializeModel } from "../../onnx/save.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { cocoAccuracy, decodeImage, detect, evaluationOptions, fit, nonMaximumSuppression, openDataset, toImage, type Box, type Detection, type EvaluatedPicture } from "../../vision/index.ts";
import { stressPictures } from "../../vision/stress-pictures.ts";

const assets = join(import.meta.dirname, "..", "..", "..", "shared", "assets");
const hasAssets = existsSync(join(assets, "models", "yolov8n_320.onnx"));
if (!hasAssets) console.log("  skipped: autoware on real detectors (no ../shared/assets)");

const classes = ["car", "truck", "pedestrian", "cyclist", "traffic_light"];
const tiny = (): Promise<DetectorModel> => describeDetector(yoloStudent({ classes, size: [96, 64], width: 0.125, depth: 0.33, seed: 7 }), "tiny", { classes });

/**
 * As autoware_tensorrt_yolox decodes (tensorrt_yolox.cpp, generateYoloxProposals and decodeOutputs), written from its description:
 * rows in the order of strides 8, 16, 32; cx = (x + gx)·s, w = exp(w)·s; score = obj·cls for every class. The node samples
 * at exactly the scale that it divides boxes by; our resize rounds the picture's size first, so boxes go back by the scales that it really has.
 */
const nodeDecode = (rows: Float32Array, classCount: number, [width, height]: readonly [number, number], image: { readonly width: number; readonly height: number }, threshold: number): Detection[] => {
  const found: { box: Box; score: number; classIndex: number }[] = [];
  let row = 0;
  for (const stride of [8, 16, 32]) for (let gy = 0; gy < height / stride; gy++) for (let gx = 0; gx < width / stride; gx++, row++) {
    const [x, y, w, h, objectness, ...scores] = rows.subarray(row * (5 + classCount), (row + 1) * (5 + classCount)) as unknown as [number, number, number, number, number, ...number[]];
    const [bw, bh] = [Math.exp(w) * stride, Math.exp(h) * stride];
    const box: Box = [(x + gx) * stride - bw / 2, (y + gy) * stride - bh / 2, bw, bh];
    scores.forEach((score, classIndex) => { if (objectness * score > threshold) found.push({ box, score: objectness * score, classIndex }); });
  }
  const kept = nonMaximumSuppression({
    count: found.length, boxes: Float32Array.from(found.flatMap(({ box }) => box)), scores: Float32Array.from(found, ({ score }) => score), classes: Int32Array.from(found, ({ classIndex }) => classIndex),
    rows: new Int32Array(found.length), probabilities: null,
  }, evaluationOptions);
  const geometry = fit(nodeContract([width, height]), image.width, image.height);
  return kept.map((i) => ({ ...found[i]!, box: toImage(found[i]!.box, geometry) }));
};

test("the adapter's rows, decoded as the node does, give the detector's boxes under the node's letterbox", async () => {
  const model = await tiny();
  const adapter = yoloxAdapter(model);
  assert.equal(adapter.inputs[0]!.shape, [1, 3, 64, 96]);
  assert.equal(adapter.outputs[0]!.shape, [1, 126, 10]);
  const plain = await runDetector({ ...model, contract: { ...model.contract, align: "topleft" } });
  const node = await runDetector(adapterDetector(model, adapter));
  const options = { ...evaluationOptions, scoreThreshold: 0 };
  try {
    for (const { bytes, name } of await stressPictures([96, 64], 3)) {
      const image = await decodeImage(bytes);
      const [rows] = await node.run([image]);
      const [dense] = await plain.run([image]);
      for (let anchor = 0; anchor < 126; anchor++) {
        const stride = anchor < 96 ? 8 : anchor < 120 ? 16 : 32;
        const cell = anchor - (anchor < 96 ? 0 : anchor < 120 ? 96 : 120);
        const columns = 96 / stride;
        const value = (column: number): number => Number(rows!.data[anchor * 10 + column]);
        const box = [(value(0) + (cell % columns)) * stride, (value(1) + Math.floor(cell / columns)) * stride, Math.exp(value(2)) * stride, Math.exp(value(3)) * stride];
        box.forEach((side, c) => assert.ok(Math.abs(side - Number(dense!.data[c * 126 + anchor])) < 2e-3, `${name} anchor ${anchor}`));
        assert.is(value(4), 1);
        for (let c = 0; c < 5; c++) assert.ok(Math.abs(value(5 + c) - Number(dense!.data[(4 + c) * 126 + anchor])) < 1e-5);
      }
      const geometry = fit(nodeContract([96, 64]), image.width, image.height);
      assert.ok(detect(node.model.head, [rows!], 0, geometry, options).length > 0);
    }
  } finally {
    await plain.close();
    await node.close();
  }
});

test("a contract with mean and std keeps its pixels in nodes of their own", async () => {
  const model = await tiny();
  const contract = { ...model.contract, align: "topleft", mean: [0.4, 0.45, 0.5], std: [0.2, 0.22, 0.25] } as const;
  const adapter = yoloxAdapter({ ...model, contract });
  const image = await decodeImage((await stressPictures([96, 64], 3))[1]!.bytes);
  const [plain, node] = [await runDetector({ ...model, contract }), await runDetector(adapterDetector(model, adapter))];
  try {
    const [[dense], [rows]] = [await plain.run([image]), await node.run([image])];
    for (let anchor = 0; anchor < 126; anchor++) for (let c = 0; c < 5; c++) assert.ok(Math.abs(Number(rows!.data[anchor * 10 + 5 + c]) - Number(dense!.data[(4 + c) * 126 + anchor])) < 1e-5);
  } finally {
    await plain.close();
    await node.close();
  }
});

for (const [name, file, family] of hasAssets ? [["YOLOv8n", "yolov8n_320.onnx", "yolov8"], ["YOLOX-nano", "yolox_nano_416.onnx", "yolox"]] as const : []) {
  test(`${name}: mAP through the node's decoding is within 0.001 of our evaluation with that letterbox`, async () => {
    const loaded = await loadDetector(join(assets, "models", file), { family });
    const model = { ...loaded, contract: { ...loaded.contract, align: "topleft" as const } };
    const { items, classes: own } = await openDataset(join(assets, "data", "coco-val128"), { labelNames: loaded.classes });
    const some = items.slice(0, 48);
    const { accuracy } = await evaluateDetector(model, some, own, {});
    const node = await runDetector(adapterDetector(model, yoloxAdapter(model)));
    const pictures: EvaluatedPicture[] = [];
    for (const { path, boxes } of some) {
      const image = await decodeImage(path);
      const [rows] = await node.run([image]);
      const found = nodeDecode(rows!.data as Float32Array, loaded.classes.length, model.contract.size, image, 0.001);
      pictures.push({ groundTruth: boxes ?? [], detections: found.map((one) => ({ ...one, classIndex: own.indexOf(loaded.classes[one.classIndex]!) })).filter(({ classIndex }) => classIndex >= 0) });
    }
    await node.close();
    const through = cocoAccuracy(pictures, own).map;
    assert.ok(accuracy.map > 0.2 && Math.abs(through - accuracy.map) <= 0.001, `${through} against ${accuracy.map}`);
  });
}

test("the adapter is a file that loads again, float, batch 1", async () => {
  const model = await tiny();
  const path = join(import.meta.dirname, "..", "..", "examples", "roadscenes", "teacher.onnx");
  const { graph } = await loadModel(path);
  const teacher = await describeDetector(graph, path);
  for (const one of [model, teacher]) {
    const adapter = yoloxAdapter(one);
    assert.ok([...adapter.nodes].every(({ opType }) => !opType.includes("Quantize")));
    assert.is([...adapter.nodes].filter(({ name }) => /^(cls|reg)_preds\//.test(name)).length, 6);
    assert.ok(serializeModel(adapter).length > 1000);
  }
});

test("a head without grid cells and a stretched contract cannot be adapted", async () => {
  const model = await tiny();
  assert.is(adapterObstacle(model), undefined);
  assert.match(adapterObstacle({ ...model, contract: { ...model.contract, resize: "stretch" } })!, "letterboxes");
  assert.match(adapterObstacle({ ...model, head: { kind: "rows", family: "end2end", classCount: 5, outputNames: ["o"], size: [96, 64], needsNms: false } })!, "end2end");
});

/** Types of the node's parameters, from its documentation: the ml_package schema, then the declare_parameter calls of both older generations. */
const mlKeys = { precision: "string", calibration_algorithm: "string", quantize_first_layer: "bool", quantize_last_layer: "bool", profile_per_layer: "bool", clip_value: "double", score_threshold: "double", nms_threshold: "double" } as const;
const deploymentKeys = { dla_core_id: "int", gpu_id: "int", calibration_image_list_path: "string", is_roi_overlap_segmentation: "bool", overlap_roi_score_threshold: "double", is_publish_color_mask: "bool" } as const;
const fileKeys = { model_file: "string", label_file: "string", roi_remap_file: "string" } as const;
const overlays = Object.fromEntries(["UNKNOWN", "CAR", "TRUCK", "BUS", "MOTORCYCLE", "BICYCLE", "PEDESTRIAN", "ANIMAL"].map((label) => [label, "bool"]));
const classicKeys = { ...mlKeys, ...deploymentKeys, preprocess_on_gpu: "bool", is_roi_overlap_segment: "bool" } as const;

/** ROS 2 takes a number's type from how it is written: 0.0 is a double, 0 an int. */
const typesOf = (yaml: string, indent: string): Record<string, string> => Object.fromEntries([...yaml.matchAll(new RegExp(`^${indent}(\\w+): (.+)$`, "gm"))].map(([, key, value]) =>
  [key!, /^(true|false)$/.test(value!) ? "bool" : /^-?\d+$/.test(value!) ? "int" : /^-?\d+\.\d+$/.test(value!) ? "double" : "string"]));

const packed = async (ranges: ReadonlyMap<string, number> | null): Promise<{ readonly files: Files; readonly at: string; readonly stem: string }> => {
  const model = await tiny();
  const names = namesOf("Road Nano", "1a2b3c4d");
  const files: Files = new Map();
  const input = { models: [{ role: "float", variant: "pruned", path: "", model, session: {} }], thresholds: { score: 0.3, iou: 1, maxDetections: 300 }, autowareLabels: {}, ranges } as unknown as BundleInput;
  addAutoware(files, input, names, yoloxAdapter(model), "0.1.0");
  return { files, at: `autoware/${packageOf(names)}`, stem: "Road Nano-1a2b3c4d.yolox" };
};
const textOf = (files: Files, path: string): string => {
  const bytes = files.get(path);
  assert.ok(bytes, `${path} is there`);
  return Buffer.from(bytes).toString();
};

test("parameter files hold exactly the documented keys with their types, in classic and in manifest mode", async () => {
  const { files, at } = await packed(null);
  const name = "road_nano_1a2b3c4d_detector";
  assert.is(at, `autoware/${name}`);
  assert.equal(typesOf(textOf(files, `${at}/models/ml_package_${name}.param.yaml`), ""), { ...mlKeys });
  assert.equal(typesOf(textOf(files, `${at}/models/files_${name}.param.yaml`), ""), { ...fileKeys });
  assert.equal(typesOf(textOf(files, `${at}/config/deployment.param.yaml`), ""), { ...deploymentKeys });
  const classic = textOf(files, `${at}/config/${name}.param.yaml`);
  assert.equal(typesOf(classic, "    "), { ...classicKeys });
  const parameters = (parse(classic) as { readonly "/**": { readonly ros__parameters: Record<string, Record<string, unknown>> } })["/**"].ros__parameters;
  for (const group of ["roi_overlay_segment_label", "roi_overlay_segmentation_label"]) assert.equal(Object.fromEntries(Object.entries(parameters[group]!).map(([key, value]) => [key, typeof value === "boolean" ? "bool" : ""])), overlays);
  for (const folder of ["models", "config"]) {
    const { config_files: listed } = parse(textOf(files, `${at}/${folder}/parameters.manifest.yaml`)) as { readonly config_files: readonly string[] };
    for (const file of listed) assert.ok(files.has(`${at}/${folder}/${file}`), file);
  }
  const model = parse(textOf(files, `${at}/models/files_${name}.param.yaml`)) as Record<keyof typeof fileKeys, string>;
  for (const file of Object.values(model)) assert.ok(files.has(`${at}/models/${file}`), file);
});

test("labels: every class is remapped, no blank line counts as a class", async () => {
  const { files, at, stem } = await packed(null);
  assert.equal(textOf(files, `${at}/models/label.txt`).split("\n"), classes);
  assert.equal(textOf(files, `${at}/models/label.classic.txt`).split("\n"), ["CAR", "TRUCK", "PEDESTRIAN", "BICYCLE", "UNKNOWN"]);
  assert.equal(textOf(files, `${at}/models/${stem}.roi_remap.csv`).trim().split("\n"), ["label_name,label_id", "car,1", "truck,2", "pedestrian,7", "cyclist,6", "traffic_light,0"]);
  assert.equal(labelsOf(["person", "bus", "motorbike"], { bus: "TRUCK" }), ["PEDESTRIAN", "TRUCK", "MOTORCYCLE"]);
  assert.throws(() => labelsOf(["bus"], { bus: "PLANE" }), /no label "PLANE"/);
  assert.throws(() => labelsOf(["bus"], { van: "CAR" }), /no class of the model/);
});

test("calibration tables: header per release and algorithm, scales as big-endian float32 bits", async () => {
  const model = await tiny();
  const adapter = yoloxAdapter(model);
  const inner = adapter.sorted()[0]!.out().name;
  // data: 3c008912 = 0.00784518 in NVIDIA's own caches; bound = scale · 127.
  const table = calibrationTable(adapter, new Map([[inner, 0.00784518 * 127], ["images", 1], ["gone", 3]]), "100300", "MinMaxCalibration").trim().split("\n");
  assert.is(table[0], "TRT-100300-MinMaxCalibration");
  assert.equal(table.slice(1).sort(), [`${inner}: 3c008912`, `images: ${Buffer.from(new Uint8Array(Float32Array.of(255 / 127).buffer).reverse()).toString("hex")}`].sort());
  const silu = await describeDetector(yoloStudent({ classes, size: [96, 64], width: 0.125, depth: 0.33, activation: "silu", seed: 7 }), "silu", { classes });
  const graph = yoloxAdapter(silu);
  const sigmoid = [...graph.nodes].find(({ opType }) => opType === "Sigmoid")!;
  const lines = calibrationTable(graph, new Map([[sigmoid.in(0).name, 4]]), "8601", "MinMaxCalibration").trim().split("\n");
  assert.is(lines.length, 4, "header, pixels, the value and its sigmoid");
  assert.ok(lines.includes(`${sigmoid.out().name}: ${Buffer.from(new Uint8Array(Float32Array.of(1 / 127).buffer).reverse()).toString("hex")}`));
  const { files, at, stem } = await packed(new Map([[inner, 2]]));
  assert.match(textOf(files, `${at}/calibration/8.6.1/${stem}.EntropyV2-calibration.table`), /^TRT-8601-EntropyCalibration2\n/);
});

test.run();
