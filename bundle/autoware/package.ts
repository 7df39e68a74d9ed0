import { serializeModel } from "../../onnx/save.ts";
import type { Graph } from "../../graph/graph.ts";
import { addText, type BundleInput, type Files } from "../input.ts";
import { csvText } from "../../escape/csv.ts";
import { labelLines } from "../../escape/lines.ts";
import { markdownCode } from "../../escape/markdown.ts";
import { shellWord } from "../../escape/shell.ts";
import { escapeXml } from "../../escape/xml.ts";
import { yamlString } from "../../escape/yaml.ts";
import { floatModel, type Names } from "../names.ts";
import { calibrationTable, calibrators, tensorrtHeaders } from "./calibration-table.ts";
import { autowareLabels, labelsOf } from "./labels.ts";
import { classic, deployment, mlPackage, parametersYaml, type YoloxSettings } from "./parameters.ts";

/** The ROS package and its folder in the bundle. */
export const packageOf = ({ identifier, hash }: Names): string => `${identifier}_${hash}_detector`;

/** A data-only ament package: model, labels, parameters for classic and manifest mode, calibration tables, launch file. */
export const addAutoware = (files: Files, input: BundleInput, names: Names, adapter: Graph, version: string): void => {
  const name = packageOf(names);
  const at = `autoware/${name}`;
  const stem = `${names.base}.yolox`;
  const { classes } = floatModel(input.models).model;
  const settings: YoloxSettings = { score: input.thresholds.score, iou: input.thresholds.iou, precision: "fp16" };
  const put = (path: string, text: string): void => addText(files, `${at}/${path}`, text);
  const share = `$(find-pkg-share ${name})`;
  files.set(`${at}/models/${stem}.onnx`, serializeModel(adapter));
  addLabels(put, classes, labelsOf(classes, input.autowareLabels), stem);
  put("models/parameters.manifest.yaml", `config_files: [${yamlString(`ml_package_${name}.param.yaml`)}, ${yamlString(`files_${name}.param.yaml`)}]\n`);
  put(`models/ml_package_${name}.param.yaml`, parametersYaml(mlPackage(settings), false));
  put(`models/files_${name}.param.yaml`, parametersYaml({ model_file: `${stem}.onnx`, label_file: "label.txt", roi_remap_file: `${stem}.roi_remap.csv` }, false));
  put("config/parameters.manifest.yaml", "config_files: [deployment.param.yaml]\n");
  put("config/deployment.param.yaml", parametersYaml(deployment, false));
  put("config/calibration_images.txt", "");
  put(`config/${name}.param.yaml`, parametersYaml(classic(settings, `/tmp/${name}.calibration_images.txt`), true));
  if (input.ranges) {
    for (const [release, header] of Object.entries(tensorrtHeaders))
      for (const { algorithm, file } of Object.values(calibrators)) put(`calibration/${release}/${stem}.${file}`, calibrationTable(adapter, input.ranges, header, algorithm));
    put("use_int8.sh", int8Script(name, stem));
  }
  put("launch/detector.launch.xml", launchFile(name, escapeXml(share), escapeXml(stem)));
  put("CMakeLists.txt", cmakeFile(name));
  put("package.xml", packageXml(name, names, version));
  addText(files, "autoware/README.md", readme(name, stem, input.ranges !== null));
};

const addLabels = (put: (path: string, text: string) => void, classes: readonly string[], labels: readonly (keyof typeof autowareLabels)[], stem: string): void => {
  const lines = labelLines; // no newline at the end: older nodes count it as a class
  put("models/label.txt", lines(classes));
  put("models/label.classic.txt", lines(labels));
  put(`models/${stem}.roi_remap.csv`, csvText([["label_name", "label_id"], ...classes.map((name, i) => [name, autowareLabels[labels[i]!]])]));
  const distinct = [...new Set(labels)];
  put("models/label.classic.roi_remap.csv", csvText([["label_name", "label_id"], ...distinct.map((label) => [label, autowareLabels[label]])]));
  put("models/semseg_color_map.csv", "id,name,r,g,b\n0,UNKNOWN,0,0,0\n");
};

const launchFile = (name: string, share: string, stem: string): string => `<launch>
  <!-- The node writes its engine beside the model: copy models/ to a folder that can be written to and name it here. -->
  <arg name="data_path" default="${share}/models"/>
  <arg name="image" default="/sensing/camera/camera0/image_rect_color"/>
  <arg name="objects" default="/perception/object_recognition/detection/rois0"/>
  <arg name="build_only" default="false"/>
  <!-- Empty: the classic parameter file. "${share}/config": manifest mode, for nodes that have config_dir and model_dir. -->
  <arg name="config_dir" default=""/>
  <node pkg="autoware_tensorrt_yolox" exec="autoware_tensorrt_yolox_node_exe" name="${name}" output="screen">
    <remap from="~/in/image" to="$(var image)"/>
    <remap from="~/out/objects" to="$(var objects)"/>
    <param from="${share}/config/${name}.param.yaml"/>
    <param name="model_path" value="$(var data_path)/${stem}.onnx"/>
    <param name="label_path" value="$(var data_path)/label.classic.txt"/>
    <param name="color_map_path" value="$(var data_path)/semseg_color_map.csv"/>
    <param name="semantic_segmentation_color_map_path" value="$(var data_path)/semseg_color_map.csv"/>
    <param name="roi_remap_path" value="$(var data_path)/label.classic.roi_remap.csv"/>
    <param name="roi_to_semantic_segmentation_remap_path" value=""/>
    <param name="build_only" value="$(var build_only)"/>
    <param name="config_dir" value="$(var config_dir)"/>
    <param name="model_dir" value="$(var data_path)"/>
  </node>
</launch>
`;

const cmakeFile = (name: string): string => `cmake_minimum_required(VERSION 3.14)
project(${name} NONE)
find_package(ament_cmake REQUIRED)
install(DIRECTORY models config launch DESTINATION share/\${PROJECT_NAME})
ament_package()
`;

const packageXml = (name: string, { base }: Names, version: string): string => `<?xml version="1.0"?>
<package format="3">
  <name>${name}</name>
  <version>${escapeXml(version)}</version>
  <description>Model data of ${escapeXml(base)} for autoware_tensorrt_yolox</description>
  <maintainer email="maintainer@example.com">set by the integrator</maintainer>
  <license>see the bundle's model card</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <exec_depend>autoware_tensorrt_yolox</exec_depend>
  <export><build_type>ament_cmake</build_type></export>
</package>
`;

const int8Script = (name: string, stem: string): string => `#!/bin/sh
# Int8 by implicit quantization: puts the calibration table of a TensorRT release beside the model. usage: use_int8.sh <release> <model folder>
# e.g. use_int8.sh 10.3.0 ~/autoware_data/${name}; then set precision to int8 in the parameter file and start with build_only:=true once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -d "$here/calibration/\${1:-}" ] || { echo "no table for TensorRT \${1:-}: one of $(ls "$here/calibration" | tr '\\n' ' ')" >&2; exit 2; }
cp "$here/calibration/$1/"${shellWord(`${stem}.`)}*table "$2/"
: > "/tmp/${name}.calibration_images.txt" # the node wants a list to exist; it reads no picture where a table does
`;

const readme = (name: string, stem: string, hasRanges: boolean): string => `# Autoware: autoware_tensorrt_yolox
\`${name}/\` is a data-only ament package. Put it into the workspace's \`src/\` and build it, or copy \`models/\` and \`config/\` to a data folder.
- **Newer nodes (manifest mode)**: \`config_dir:=<this package>/config model_dir:=<this package>/models\`.
- **Older nodes (classic)**: \`config/${name}.param.yaml\` with \`model_path\`, \`label_path\` (\`label.classic.txt\`: Autoware's names, as old nodes map by name) and \`roi_remap_path\` (\`label.classic.roi_remap.csv\`, for nodes that have it).
  \`launch/detector.launch.xml\` sets all of them.
- ${markdownCode(`models/${stem}.onnx`)} takes BGR 0..255, letterboxed into the top left corner with grey 114, and gives undecoded YOLOX rows. It is float and has batch 1.
- The engine is written beside the model; the model's name carries the bundle's hash, so an engine of another version is never loaded.
- The precision is fp16. ${hasRanges ? `For int8 run \`use_int8.sh <TensorRT release> <model folder>\` and set \`precision: int8\`; the tables hold the ranges that the int8 files of this bundle were made from. clip_value stays 0.` : "This run kept no range table, so there is no calibration table; quantize the run again to get one."}
`;
