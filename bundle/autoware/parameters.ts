import { yamlString } from "../../escape/yaml.ts";

/** Parameters of autoware_tensorrt_yolox: every name the node declares, in its three generations. A number of type double is written with a point. */

export type ParameterValue = string | boolean | { readonly double: number } | { readonly int: number };
export type Parameters = Readonly<Record<string, ParameterValue>>;

const double = (value: number): ParameterValue => ({ double: value });
const int = (value: number): ParameterValue => ({ int: value });

export interface YoloxSettings {
  readonly score: number;
  readonly iou: number;
  readonly precision: "fp16" | "int8";
}

/** The eight keys of the node's ml_package schema. */
export const mlPackage = ({ score, iou, precision }: YoloxSettings): Parameters => ({
  precision, calibration_algorithm: "MinMax", quantize_first_layer: false, quantize_last_layer: false, profile_per_layer: false,
  clip_value: double(0), score_threshold: double(score), nms_threshold: double(iou),
});

/** What the vehicle decides, not the model. */
export const deployment: Parameters = {
  dla_core_id: int(-1), gpu_id: int(0), calibration_image_list_path: "calibration_images.txt", is_roi_overlap_segmentation: false,
  overlap_roi_score_threshold: double(0.3), is_publish_color_mask: false,
};

const overlaid = ["UNKNOWN", "CAR", "TRUCK", "BUS", "MOTORCYCLE", "BICYCLE", "PEDESTRIAN", "ANIMAL"];

/** Classic mode: a name of both older generations where they differ, as the node throws for a missing one and ignores others. */
export const classic = (settings: YoloxSettings, calibrationList: string): Parameters => ({
  ...mlPackage(settings), ...deployment, calibration_image_list_path: calibrationList, preprocess_on_gpu: true, is_roi_overlap_segment: false,
  ...Object.fromEntries(["roi_overlay_segment_label", "roi_overlay_segmentation_label"].flatMap((group) => overlaid.map((label) => [`${group}.${label}`, false]))),
});

/** YAML as ROS 2 reads it; `wrapped` puts it under `/**: ros__parameters:`. A dotted name becomes a nested map. */
export const parametersYaml = (parameters: Parameters, wrapped: boolean): string => {
  const indent = wrapped ? "    " : "";
  const lines: string[] = [];
  let group = "";
  for (const [name, value] of Object.entries(parameters)) {
    const [first = "", second] = name.split(".");
    if (second === undefined) lines.push(`${indent}${first}: ${scalar(value)}`);
    else {
      if (group !== first) lines.push(`${indent}${first}:`);
      group = first;
      lines.push(`${indent}  ${second}: ${scalar(value)}`);
    }
  }
  return `${wrapped ? "/**:\n  ros__parameters:\n" : ""}${lines.join("\n")}\n`;
};

const scalar = (value: ParameterValue): string => {
  if (typeof value === "string") return yamlString(value);
  if (typeof value === "boolean") return String(value);
  if ("int" in value) return String(value.int);
  return Number.isInteger(value.double) ? value.double.toFixed(1) : String(value.double);
};
