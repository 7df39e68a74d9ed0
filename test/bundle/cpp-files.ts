import { UserError } from "../../graph/error.ts";
import type { Detection, DetectOptions, Head, Preprocess } from "../../vision/index.ts";

/** What bundle/cpp/README.md wants beside the copied C++ files. */
export interface CppModel {
  /** The config's name. */
  readonly name: string;
  readonly version: string;
  /** The bundle's short hash. */
  readonly hash: string;
  readonly inputName: string;
  readonly head: Head;
  /** Rows of the output: anchors of a dense head, K of a `rows` head. */
  readonly anchors: number;
  readonly contract: Preprocess;
  readonly thresholds: DetectOptions;
  readonly classes: readonly string[];
  readonly files: readonly CppModelFile[];
}

export interface CppModelFile {
  readonly key: string;
  /** Relative to the bundle's root. */
  readonly path: string;
  readonly sha256: string;
  readonly session: Readonly<Record<string, string>>;
}

/** One picture of golden/index.txt; paths are relative to the bundle's root. */
export interface CppGoldenPicture {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly file: string;
  readonly letterbox: string;
  readonly tensor: Float32Array;
  readonly outputs: readonly { readonly key: string; readonly file: string; readonly tolerance: number; readonly boxes: readonly Detection[] }[];
}

/** Text as a C++ and CMake identifier: "Road scenes" → road_scenes. */
export const cppName = (name: string): string => {
  const clean = name.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(clean) ? clean : `model_${clean}`;
};

/** True where the C++ library has a decoder for the head. */
export const hasCppDecoder = (head: Head): boolean => head.kind === "dense" || head.kind === "rows";

/** The generated text files of a bundle, by path inside it. @throws UserError CPP_HEAD where there is no decoder for the head. */
export const cppFiles = (model: CppModel): Map<string, string> => {
  const name = cppName(model.name);
  return new Map([
    [`cpp/include/${name}/model.hpp`, modelHeader(model)],
    ["cpp/model.cmake", `set(BUNDLE_NAME ${name})\nset(BUNDLE_VERSION ${model.version})\nset(BUNDLE_HASH ${model.hash})\n`],
    [`cmake/${name}Config.cmake`, `include("\${CMAKE_CURRENT_LIST_DIR}/../cpp/cmake/detector.cmake")\n`],
  ]);
};

const modelHeader = (model: CppModel): string => {
  const { head, contract, thresholds, classes, files } = model;
  if (!hasCppDecoder(head)) throw noDecoder(head);
  const dense = head.kind === "dense" ? head : { channelsFirst: false, objectness: false, raw: false, strides: [] };
  const fields: Readonly<Record<string, string | number | boolean>> = {
    name: literal(cppName(model.name)), hash: literal(model.hash), input_name: literal(model.inputName), output_name: literal(head.outputNames[0]!),
    "preprocess.width": contract.size[0], "preprocess.height": contract.size[1],
    "preprocess.fit": `edgestill::Fit::${contract.resize === "letterbox" ? "kLetterbox" : "kStretch"}`,
    "preprocess.align": `edgestill::Align::${contract.align === "center" ? "kCenter" : "kTopLeft"}`,
    "preprocess.pad": contract.pad, "preprocess.order": `edgestill::ChannelOrder::${contract.order === "rgb" ? "kRgb" : "kBgr"}`, "preprocess.scale": contract.scale,
    ...Object.fromEntries((["mean", "std"] as const).flatMap((key) => contract[key].map((value, i) => [`preprocess.${key}[${i}]`, value]))),
    "head.kind": `edgestill::HeadKind::${head.kind === "rows" ? "kRows" : "kDense"}`,
    "head.channels_first": dense.channelsFirst, "head.objectness": dense.objectness, "head.raw": dense.raw,
    "head.class_count": head.classCount, "head.anchors": model.anchors, ...(dense.strides.length > 0 && { "head.strides": "strides" }), needs_nms: head.needsNms,
    "thresholds.score": thresholds.scoreThreshold, "thresholds.iou": thresholds.iouThreshold, "thresholds.max_detections": thresholds.maxDetections, "thresholds.multi_label": thresholds.multiLabel,
    class_names: "class_names", ...(files.length > 0 && { files: "files" }),
  };
  const settings = files.filter(({ session }) => Object.keys(session).length > 0);
  return `#pragma once
#include <edgestill/model_info.hpp>

namespace ${cppName(model.name)} {

namespace detail {
inline constexpr std::string_view class_names[] = {${classes.map(literal).join(", ")}};
${dense.strides.length > 0 ? `inline constexpr int strides[] = {${dense.strides.join(", ")}};\n` : ""}${settings.map((file) => `inline constexpr edgestill::SessionSetting ${settingsName(file)}[] = {${Object.entries(file.session).map(([key, value]) => `{${literal(key)}, ${literal(value)}}`).join(", ")}};\n`).join("")}${files.length > 0 ? `inline constexpr edgestill::ModelFile files[] = {
${files.map((file) => `    {${literal(file.key)}, ${literal(file.path)}, ${literal(file.sha256)}, ${settings.includes(file) ? settingsName(file) : "{}"}},`).join("\n")}
};
` : ""}
constexpr edgestill::ModelInfo describe() {
  edgestill::ModelInfo m;
${Object.entries(fields).map(([field, value]) => `  m.${field} = ${value};`).join("\n")}
  return m;
}
}  // namespace detail

inline constexpr edgestill::ModelInfo model = detail::describe();

}  // namespace ${cppName(model.name)}
`;
};

const settingsName = ({ key }: CppModelFile): string => `${cppName(key)}_settings`;

/** UTF-8 as it is; quotes, backslashes and control characters as octal escapes, which end after three digits. */
const literal = (text: string): string => `"${[...text].map((c) => (c === '"' || c === "\\" ? `\\${c}` : c < " " ? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}` : c)).join("")}"`;

/** golden/index.txt. */
export const goldenIndex = (pictures: readonly CppGoldenPicture[], { scoreThreshold, iouThreshold, maxDetections, multiLabel }: DetectOptions): string =>
  [
    "edgestill-golden 1",
    `thresholds ${scoreThreshold} ${iouThreshold} ${maxDetections} ${multiLabel ? 1 : 0}`,
    ...pictures.flatMap(({ id, width, height, file, letterbox, tensor, outputs }) => [
      `picture ${id} ${width} ${height} ${file}`,
      `letterbox ${letterbox}`,
      `tensor ${fnv1a64(new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength))}`,
      ...outputs.flatMap(({ key, file: outputFile, tolerance, boxes }) => [
        `output ${key} ${tolerance} ${outputFile}`,
        `boxes ${key} ${boxes.length} 0.001`,
        ...boxes.map(({ box, score, classIndex }) => `box ${[...box, score].map((value) => String(Number(value.toPrecision(9)))).join(" ")} ${classIndex}`),
      ]),
    ]),
    "",
  ].join("\n");

/** FNV-1a of 64 bits as 16 hex digits; the product modulo 2^64 in 16-bit limbs: prime = 2^40 + 0x1b3. */
export const fnv1a64 = (bytes: Uint8Array): string => {
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2]; // lowest limb first
  for (const byte of bytes) {
    a ^= byte;
    const low = a * 0x1b3;
    const second = b * 0x1b3 + (low >>> 16);
    const third = c * 0x1b3 + (a << 8) + (second >>> 16);
    const fourth = d * 0x1b3 + (b << 8) + (third >>> 16);
    [a, b, c, d] = [low & 0xffff, second & 0xffff, third & 0xffff, fourth & 0xffff];
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, "0")).join("");
};

const noDecoder = (head: Head): UserError =>
  new UserError("CPP_HEAD", `The C++ library has no decoder for a ${head.family} head.`, "bundle a YOLOv5, YOLOv8, YOLOX or end-to-end detector, or leave cpp out of --formats.");
