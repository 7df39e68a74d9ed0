import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DetectorModel } from "../detection/detector.ts";
import { sha256Of } from "../files/digest.ts";
import { cmakeArgument } from "../escape/cmake.ts";
import { cppString } from "../escape/cpp.ts";
import { cellCount, type Head } from "../vision/index.ts";
import { addText, type BundleInput, type Files } from "./input.ts";
import { floatModel, modelFile, modelKey, type Names } from "./names.ts";

/** Where the C++ library's sources lie: beside this file, in the repository and in the package. */
const sources = join(import.meta.dirname, "cpp");

/** The C++ library, model.hpp and the CMake files that name this bundle. Returns why not where the head has no C++ decoder. */
export const addCpp = async (files: Files, input: BundleInput, names: Names, version: string): Promise<string | undefined> => {
  const { head } = floatModel(input.models).model;
  if (head.kind !== "dense" && head.kind !== "rows") return `The C++ library has no decoder for a ${head.family} head, so cpp/ is left out.`;
  for (const [path, bytes] of await librarySources()) files.set(`cpp/${path}`, bytes);
  addText(files, `cpp/include/${names.identifier}/model.hpp`, modelHeader(files, input, names));
  addText(files, "cpp/model.cmake", `set(BUNDLE_NAME ${names.identifier})\nset(BUNDLE_VERSION ${cmakeArgument(version)})\nset(BUNDLE_HASH ${names.hash})\n`);
  addText(files, `cmake/${names.identifier}Config.cmake`, `include("\${CMAKE_CURRENT_LIST_DIR}/../cpp/cmake/detector.cmake")\n`);
  return undefined;
};

/** Plain source files; what a build left there does not travel. */
const librarySources = async (): Promise<Map<string, Uint8Array>> => {
  const found = new Map<string, Uint8Array>();
  for (const entry of await readdir(sources, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(sources.length + 1).replaceAll("\\", "/");
    if (entry.isFile() && !path.endsWith(".example") && !path.startsWith("build")) found.set(path, await readFile(join(sources, path)));
  }
  return found;
};

const modelHeader = (files: Files, { models, thresholds }: BundleInput, names: Names): string => {
  const { model } = floatModel(models);
  const { contract, head } = model;
  const settings = models.map(({ role, session }) => ({ name: `${modelKey(role)}_settings`, entries: role === "int8-tensorrt" ? [] : Object.entries(session) }));
  const set = (fields: Readonly<Record<string, string | number | boolean>>): string => Object.entries(fields).map(([name, value]) => `  m.${name} = ${value};\n`).join("");
  const triple = (name: string, values: readonly number[]) => Object.fromEntries(values.map((value, i) => [`preprocess.${name}[${i}]`, value]));
  return `#pragma once
#include <edgestill/model_info.hpp>

namespace ${names.identifier} {

namespace detail {
inline constexpr std::string_view class_names[] = {${model.classes.map(cppString).join(", ")}};
${head.kind === "dense" ? `inline constexpr int strides[] = {${head.strides.join(", ")}};\n` : ""}${settings.filter(({ entries }) => entries.length > 0).map(({ name, entries }) =>
    `inline constexpr edgestill::SessionSetting ${name}[] = {${entries.map(([key, value]) => `{${cppString(key)}, ${cppString(value)}}`).join(", ")}};\n`).join("")}inline constexpr edgestill::ModelFile files[] = {
${models.map(({ role }, i) => `    {${cppString(modelKey(role))}, ${cppString(modelFile(names, role))}, "${sha256Of(files.get(modelFile(names, role))!)}", ${settings[i]!.entries.length > 0 ? settings[i]!.name : "{}"}},\n`).join("")}};

constexpr edgestill::ModelInfo describe() {
  edgestill::ModelInfo m;
${set({
    name: cppString(names.identifier), hash: cppString(names.hash), input_name: cppString(model.graph.inputs[0]!.name), output_name: cppString(head.outputNames[0]!),
    "preprocess.width": contract.size[0], "preprocess.height": contract.size[1],
    "preprocess.fit": `edgestill::Fit::${contract.resize === "letterbox" ? "kLetterbox" : "kStretch"}`, "preprocess.align": `edgestill::Align::${contract.align === "center" ? "kCenter" : "kTopLeft"}`,
    "preprocess.pad": contract.pad, "preprocess.order": `edgestill::ChannelOrder::${contract.order === "rgb" ? "kRgb" : "kBgr"}`, "preprocess.scale": contract.scale,
    ...triple("mean", contract.mean), ...triple("std", contract.std), ...headFields(model), needs_nms: head.needsNms,
    "thresholds.score": thresholds.score, "thresholds.iou": thresholds.iou, "thresholds.max_detections": thresholds.maxDetections, "thresholds.multi_label": false,
    class_names: "class_names", files: "files",
  })}  return m;
}
}  // namespace detail

inline constexpr edgestill::ModelInfo model = detail::describe();

}  // namespace ${names.identifier}
`;
};

const headFields = ({ head, graph }: DetectorModel): Record<string, string | number | boolean> => ({
  "head.kind": `edgestill::HeadKind::${head.kind === "dense" ? "kDense" : "kRows"}`,
  "head.channels_first": head.kind === "dense" && head.channelsFirst, "head.objectness": head.kind === "dense" && head.objectness, "head.raw": head.kind === "dense" && head.raw,
  "head.class_count": head.classCount, "head.anchors": head.kind === "dense" ? anchorsOf(head) : Number(graph.outputs.find(({ name }) => name === head.outputNames[0])!.shape![1]),
  ...(head.kind === "dense" && { "head.strides": "strides" }),
});

/** Rows of candidates; YOLOv5 has three at each cell. */
export const anchorsOf = (head: Extract<Head, { kind: "dense" }>): number => (head.family === "yolov5" ? 3 : 1) * cellCount(head.size, head.strides);

