import { cppString } from "../../escape/cpp.ts";

/** What the parser of one model needs to know. */
export interface ParserFacts {
  readonly function: string;
  readonly output: string;
  readonly classes: number;
  readonly anchors: number;
  readonly width: number;
  readonly height: number;
  readonly channelsFirst: boolean;
  readonly objectness: boolean;
  readonly raw: boolean;
  readonly strides: readonly number[];
}

/** C++17 source of nvinfer's custom bounding-box parser (nvdsinfer_custom_impl.h); boxes in pixels of the network's input. */
export const parserSource = (facts: ParserFacts): string => `#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "nvdsinfer_custom_impl.h"

namespace {
constexpr char kOutput[] = ${cppString(facts.output)};
constexpr unsigned kClasses = ${facts.classes};
constexpr unsigned kAnchors = ${facts.anchors};
constexpr unsigned kFirstClass = ${facts.objectness ? 5 : 4};
constexpr unsigned kWidth = ${facts.width};
constexpr unsigned kHeight = ${facts.height};

/// Column of an anchor's row.
inline float at(const float* data, unsigned anchor, unsigned column) {
  return data[${facts.channelsFirst ? "column * kAnchors + anchor" : "anchor * (kFirstClass + kClasses) + column"}];
}

struct Box {
  float cx, cy, w, h;
};

${facts.raw ? gridBox(facts.strides) : `inline Box box_of(const float* data, unsigned anchor) {
  return {at(data, anchor, 0), at(data, anchor, 1), at(data, anchor, 2), at(data, anchor, 3)};
}`}
}  // namespace

extern "C" bool ${facts.function}(std::vector<NvDsInferLayerInfo> const& layers, NvDsInferNetworkInfo const& network,
                                  NvDsInferParseDetectionParams const& params, std::vector<NvDsInferObjectDetectionInfo>& objects) {
  const NvDsInferLayerInfo* output = nullptr;
  for (const auto& layer : layers)
    if (std::strcmp(layer.layerName, kOutput) == 0) output = &layer;
  if (output == nullptr || output->dataType != FLOAT || output->inferDims.numElements != kAnchors * (kFirstClass + kClasses)) return false;
  if (network.width != kWidth || network.height != kHeight) return false;
  const auto* data = static_cast<const float*>(output->buffer);
  for (unsigned anchor = 0; anchor < kAnchors; ++anchor) {
    unsigned best = 0;
    for (unsigned c = 1; c < kClasses; ++c)
      if (at(data, anchor, kFirstClass + c) > at(data, anchor, kFirstClass + best)) best = c;
    const float score = at(data, anchor, kFirstClass + best)${facts.objectness ? " * at(data, anchor, 4)" : ""};
    if (best >= params.perClassPreclusterThreshold.size() || !(score > params.perClassPreclusterThreshold[best])) continue;
    const Box box = box_of(data, anchor);
    const float left = std::clamp(box.cx - box.w / 2, 0.0f, static_cast<float>(kWidth));
    const float top = std::clamp(box.cy - box.h / 2, 0.0f, static_cast<float>(kHeight));
    NvDsInferObjectDetectionInfo object{};
    object.classId = best;
    object.detectionConfidence = score;
    object.left = left;
    object.top = top;
    object.width = std::clamp(box.cx + box.w / 2, 0.0f, static_cast<float>(kWidth)) - left;
    object.height = std::clamp(box.cy + box.h / 2, 0.0f, static_cast<float>(kHeight)) - top;
    if (object.width > 0 && object.height > 0) objects.push_back(object);
  }
  return true;
}

CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(${facts.function});
`;

const gridBox = (strides: readonly number[]): string => `inline Box box_of(const float* data, unsigned anchor) {
  unsigned cell = anchor;
  for (unsigned stride : {${strides.map((stride) => `${stride}u`).join(", ")}}) {
    const unsigned columns = (kWidth + stride - 1) / stride, count = columns * ((kHeight + stride - 1) / stride);
    if (cell < count) {
      const float s = static_cast<float>(stride);
      return {(at(data, anchor, 0) + static_cast<float>(cell % columns)) * s, (at(data, anchor, 1) + static_cast<float>(cell / columns)) * s,
              std::exp(at(data, anchor, 2)) * s, std::exp(at(data, anchor, 3)) * s};
    }
    cell -= count;
  }
  return {};
}`;
