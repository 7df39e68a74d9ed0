import { addText, type BundleInput, type Files } from "../input.ts";
import { floatModel, modelFile, type Names } from "../names.ts";
import { anchorsOf } from "../cpp.ts";
import type { DetectorModel } from "../../detection/detector.ts";
import type { DenseHead, Preprocess } from "../../vision/index.ts";
import { cmakeArgument } from "../../escape/cmake.ts";
import { iniValue } from "../../escape/ini.ts";
import { labelLines, unwritable } from "../../escape/lines.ts";
import { parserSource } from "./parser.ts";

/** nvinfer takes a line of the label file for several labels of one class, apart by these. */
const separators = /;/;

/** Why nvinfer cannot be configured for a detector; undefined where it can. */
export const deepstreamObstacle = ({ head, classes, contract: { std } }: DetectorModel): string | undefined => {
  if (head.kind !== "dense") return `The DeepStream parser reads dense heads only, not a ${head.family} head.`;
  const name = unwritable(classes, separators);
  if (name !== undefined) return `The class "${name}" cannot be written for nvinfer: it cuts a line of labels at ";".`;
  if (std.some((value) => value !== std[0])) return "nvinfer has one net-scale-factor for all channels; this model's std differs by channel.";
  return undefined;
};

/** nvinfer's configuration, labels, and the source of its custom parser. */
export const addDeepstream = (files: Files, input: BundleInput, names: Names): void => {
  const { model } = floatModel(input.models);
  const role = input.models.some((one) => one.role === "int8-tensorrt") ? "int8-tensorrt" as const : "float" as const;
  const library = `lib${names.identifier}_${names.hash}_parser.so`;
  const parse = `ParseEdgestill_${names.identifier}_${names.hash}`;
  const head = model.head as DenseHead;
  addText(files, "deepstream/labels.txt", `${labelLines(model.classes)}\n`);
  addText(files, "deepstream/config_infer_primary.txt", inferConfig(model, input, `../${modelFile(names, role)}`, role === "float" ? "fp16" : "int8", library, parse));
  addText(files, "deepstream/parser.cpp", parserSource({
    function: parse, output: head.outputNames[0]!, classes: head.classCount, anchors: anchorsOf(head), width: head.size[0], height: head.size[1],
    channelsFirst: head.channelsFirst, objectness: head.objectness, raw: head.raw, strides: head.strides,
  }));
  addText(files, "deepstream/CMakeLists.txt", cmakeFile(library));
};

/** y = net-scale-factor·(pixel - offset) with factor = scale/std and offset = mean/scale. */
const pixels = ({ scale, mean, std, order, size: [width, height], resize, align }: Preprocess): readonly string[] => [
  `net-scale-factor=${scale / std[0]}`, `offsets=${mean.map((m) => m / scale).join(";")}`, `model-color-format=${order === "rgb" ? 0 : 1}`, `infer-dims=3;${height};${width}`,
  `maintain-aspect-ratio=${Number(resize === "letterbox")}`, `symmetric-padding=${Number(resize === "letterbox" && align === "center")}`,
];

/** nvinfer looks for `<onnx>_b<batch>_gpu<id>_<precision>.engine` and builds it there. */
const inferConfig = (model: DetectorModel, { thresholds }: BundleInput, onnx: string, precision: "int8" | "fp16", library: string, parse: string): string => `[property]
gpu-id=0
${pixels(model.contract).join("\n")}
onnx-file=${iniValue(onnx)}
model-engine-file=${iniValue(`${onnx}_b1_gpu0_${precision}.engine`)}
labelfile-path=labels.txt
batch-size=1
network-mode=${precision === "int8" ? 1 : 2}
num-detected-classes=${model.classes.length}
interval=0
gie-unique-id=1
process-mode=1
network-type=0
cluster-mode=${model.head.needsNms ? 2 : 4}
parse-bbox-func-name=${iniValue(parse)}
custom-lib-path=${iniValue(`build/${library}`)}
workspace-size=2048

[class-attrs-all]
pre-cluster-threshold=${thresholds.score}
nms-iou-threshold=${thresholds.iou}
topk=${thresholds.maxDetections}
`;

const cmakeFile = (library: string): string => `cmake_minimum_required(VERSION 3.16)
project(edgestill_deepstream_parser CXX)
set(DEEPSTREAM_DIR "/opt/nvidia/deepstream/deepstream" CACHE PATH "DeepStream's folder")
find_package(CUDAToolkit REQUIRED)
add_library(parser SHARED parser.cpp)
set_target_properties(parser PROPERTIES OUTPUT_NAME ${cmakeArgument(library.replace(/^lib|\.so$/g, ""))} CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
target_include_directories(parser PRIVATE "\${DEEPSTREAM_DIR}/sources/includes")
target_link_libraries(parser PRIVATE CUDA::cudart)
target_compile_options(parser PRIVATE -Wall -Wextra)
`;
