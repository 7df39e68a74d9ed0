import { test } from "uvu";
import * as assert from "uvu/assert";
import { execa } from "execa";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { addDeepstream, deepstreamObstacle } from "../../bundle/deepstream/package.ts";
import { bytesOf } from "../../bundle/golden/fnv.ts";
import type { BundleInput, Files } from "../../bundle/input.ts";
import { namesOf } from "../../bundle/names.ts";
import { describeDetector, runDetector, type DetectorModel } from "../../detection/detector.ts";
import { yoloStudent } from "../../students/yolo.ts";
import { decode, decodeImage } from "../../vision/index.ts";
import { stressPictures } from "../../vision/stress-pictures.ts";
import { inFolder } from "../helpers/cli.ts";

const compiler = await execa("g++", ["--version"]).then(() => "g++", () => undefined);
if (compiler === undefined) console.log("  skipped: the DeepStream parser compiled and run (no g++)");

const tiny = (): Promise<DetectorModel> => describeDetector(yoloStudent({ classes: ["car", "truck"], size: [96, 64], width: 0.125, depth: 0.33, seed: 7 }), "tiny", { classes: ["car", "truck"] });

const packed = (model: DetectorModel, roles: readonly string[] = ["float", "int8-tensorrt"]): Files => {
  const files: Files = new Map();
  addDeepstream(files, { models: roles.map((role) => ({ role, model })), thresholds: { score: 0.3, iou: 0.45, maxDetections: 300 } } as unknown as BundleInput, namesOf("tiny", "1a2b3c4d"));
  return files;
};
const textOf = (files: Files, name: string): string => Buffer.from(files.get(`deepstream/${name}`)!).toString();
const keysOf = (ini: string): Record<string, string> => Object.fromEntries([...ini.matchAll(/^([\w-]+)=(.*)$/gm)].map(([, key, value]) => [key!, value!]));

/** Keys that gstnvinfer's property parser reads (gstnvinfer_property_parser.h). */
const known = new Set(["gpu-id", "net-scale-factor", "offsets", "model-color-format", "infer-dims", "maintain-aspect-ratio", "symmetric-padding", "onnx-file", "model-engine-file", "labelfile-path", "batch-size", "network-mode",
  "num-detected-classes", "interval", "gie-unique-id", "process-mode", "network-type", "cluster-mode", "parse-bbox-func-name", "custom-lib-path", "workspace-size", "pre-cluster-threshold", "nms-iou-threshold", "topk"]);

test("nvinfer's configuration: the contract's pixels, the engine's name as nvinfer builds it, only known keys", async () => {
  const config = keysOf(textOf(packed(await tiny()), "config_infer_primary.txt"));
  assert.equal(Object.keys(config).filter((key) => !known.has(key)), []);
  assert.equal([config["net-scale-factor"], config["offsets"], config["model-color-format"], config["infer-dims"], config["symmetric-padding"]], [String(1 / 255), "0;0;0", "0", "3;64;96", "1"]);
  assert.is(config["network-mode"], "1");
  assert.is(config["model-engine-file"], `${config["onnx-file"]}_b1_gpu0_int8.engine`);
  assert.match(config["onnx-file"]!, "tiny-1a2b3c4d.int8.tensorrt.onnx");
  const float = keysOf(textOf(packed(await tiny(), ["float"]), "config_infer_primary.txt"));
  assert.equal([float["network-mode"], float["model-engine-file"]!.slice(-12)], ["2", "_fp16.engine"]);
});

test("offsets are mean/scale; a std per channel cannot be said", async () => {
  const model = await tiny();
  const contract = { ...model.contract, scale: 1 / 128, mean: [0.5, 0.75, 1], std: [2, 2, 2], order: "bgr" } as const;
  const config = keysOf(textOf(packed({ ...model, contract }), "config_infer_primary.txt"));
  assert.equal([config["net-scale-factor"], config["offsets"], config["model-color-format"]], [String(1 / 256), "64;96;128", "1"]);
  assert.match(deepstreamObstacle({ ...model, contract: { ...contract, std: [1, 2, 3] } })!, "net-scale-factor");
});

/** The declarations that the parser uses, as NVIDIA's headers state them: what proves its syntax and its boxes without a DeepStream. */
const standIn = `#pragma once
#include <string>
#include <vector>
enum NvDsInferDataType { FLOAT = 0, HALF = 1, INT8 = 2, INT32 = 3 };
struct NvDsInferDims { unsigned numDims; unsigned d[8]; unsigned numElements; };
struct NvDsInferLayerInfo { NvDsInferDataType dataType; NvDsInferDims inferDims; int bindingIndex; const char* layerName; void* buffer; int isInput; };
struct NvDsInferNetworkInfo { unsigned width; unsigned height; unsigned channels; };
struct NvDsInferParseDetectionParams { unsigned numClassesConfigured; std::vector<float> perClassPreclusterThreshold; std::vector<float> perClassPostclusterThreshold; };
struct NvDsInferObjectDetectionInfo { unsigned classId; float left; float top; float width; float height; float detectionConfidence; };
#define CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(name) static void check##name(bool (*)(std::vector<NvDsInferLayerInfo> const&, NvDsInferNetworkInfo const&, NvDsInferParseDetectionParams const&, std::vector<NvDsInferObjectDetectionInfo>&)) {} static void checked##name() __attribute__((unused)); static void checked##name() { check##name(name); }
`;
const program = `#include <cstdio>
#include "nvdsinfer_custom_impl.h"
extern "C" bool ParseEdgestill_tiny_1a2b3c4d(std::vector<NvDsInferLayerInfo> const&, NvDsInferNetworkInfo const&, NvDsInferParseDetectionParams const&, std::vector<NvDsInferObjectDetectionInfo>&);
int main(int, char** argv) {
  std::vector<float> values(6 * 126);
  std::FILE* file = std::fopen(argv[1], "rb");
  if (!file || std::fread(values.data(), 4, values.size(), file) != values.size()) return 2;
  NvDsInferLayerInfo layer{FLOAT, {2, {6, 126}, 6 * 126}, 0, "output0", values.data(), 0};
  std::vector<NvDsInferObjectDetectionInfo> objects;
  if (!ParseEdgestill_tiny_1a2b3c4d({layer}, {96, 64, 3}, {2, {0.001f, 0.001f}, {}}, objects)) return 3;
  for (auto& o : objects) std::printf("%u %.6g %.6g %.6g %.6g %.6g\\n", o.classId, o.left, o.top, o.width, o.height, o.detectionConfidence);
}
`;

if (compiler !== undefined) test("the parser compiles without warnings against the documented declarations and gives our candidates", () => inFolder(async (folder) => {
  const model = await tiny();
  const running = await runDetector(model);
  const image = await decodeImage((await stressPictures([96, 64], 2))[0]!.bytes);
  const [output] = await running.run([image]);
  await running.close();
  await mkdir(join(folder, "include"));
  for (const [name, content] of [["include/nvdsinfer_custom_impl.h", standIn], ["parser.cpp", textOf(packed(model), "parser.cpp")], ["main.cpp", program], ["output.f32", bytesOf(output!.data)]] as const) await writeFile(join(folder, name), content);
  await execa(compiler, ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-O1", "-Iinclude", "parser.cpp", "main.cpp", "-o", "parse"], { cwd: folder });
  const lines = (await execa(join(folder, "parse"), ["output.f32"], { cwd: folder })).stdout.split("\n").map((line) => line.split(" ").map(Number));
  const expected = decode(model.head, [output!], 0, { scoreThreshold: Math.fround(0.001) });
  assert.ok(lines.length > 50 && lines.length === expected.count, `${lines.length} of ${expected.count}`);
  for (const [i, [classId, left, top, width, height, score]] of (lines as [number, number, number, number, number, number][]).entries()) {
    const [x, y, w, h] = expected.boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    const clip = (value: number, last: number): number => Math.min(Math.max(value, 0), last);
    const wanted = [clip(x, 96), clip(y, 64), clip(x + w, 96) - clip(x, 96), clip(y + h, 64) - clip(y, 64), expected.scores[i]!];
    [left, top, width, height, score].forEach((value, at) => assert.ok(Math.abs(value - wanted[at]!) < 1e-3, `box ${i}`));
    assert.is(classId, expected.classes[i]);
  }
}));

test.run();
