#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "decode.hpp"
#include "preprocess.hpp"

namespace edgestill {
inline namespace v1 {

/// One object: a box in pixels of the picture, (0, 0) its top-left corner, x to the right, y down; clipped to the picture.
struct Detection {
  float x = 0, y = 0;           ///< top-left corner
  float width = 0, height = 0;
  float score = 0;              ///< 0..1
  std::int32_t class_index = 0;  ///< into ModelInfo::class_names
};

/// The network's output to boxes of the picture: decode, class-wise greedy non-maximum suppression, back to the picture.
/// Allocates in the constructor only.
class Postprocessor {
 public:
  Postprocessor(const ModelInfo& model, const Thresholds& thresholds)
      : thresholds_(thresholds), needs_nms_(model.needs_nms), decoder_(model.head, model.preprocess.width, model.preprocess.height),
        candidates_(Decoder::capacity(model.head, thresholds.multi_label)), order_(candidates_.scores.size()),
        kept_(std::min(candidates_.scores.size(), static_cast<std::size_t>(std::max(0, thresholds.max_detections)))), detections_(kept_.size()) {}

  /// The picture's objects, best first; valid until the next call.
  Span<const Detection> run(const float* output, const Geometry& geometry) noexcept {
    decoder_.run(output, thresholds_, candidates_);
    sort_by_score();
    const std::size_t count = needs_nms_ ? suppress() : take_best();
    for (std::size_t i = 0; i < count; ++i) detections_[i] = to_image(kept_[i], geometry);
    return {detections_.data(), count};
  }

 private:
  /// Equal scores keep their order.
  void sort_by_score() noexcept {
    for (std::size_t i = 0; i < candidates_.count; ++i) order_[i] = static_cast<std::uint32_t>(i);
    const std::vector<float>& scores = candidates_.scores;
    std::sort(order_.data(), order_.data() + candidates_.count,
              [&](std::uint32_t a, std::uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  }

  std::size_t take_best() noexcept {
    const std::size_t count = std::min(candidates_.count, kept_.size());
    std::copy_n(order_.begin(), count, kept_.begin());
    return count;
  }

  std::size_t suppress() noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < candidates_.count && count < kept_.size(); ++i) {
      const std::uint32_t candidate = order_[i];
      const bool rivalled = std::any_of(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(count), [&](std::uint32_t rival) {
        return candidates_.classes[candidate] == candidates_.classes[rival] && overlap(candidates_.boxes[candidate], candidates_.boxes[rival]) > thresholds_.iou;
      });
      if (!rivalled) kept_[count++] = candidate;
    }
    return count;
  }

  /// Intersection over union.
  static double overlap(const std::array<float, 4>& a, const std::array<float, 4>& b) noexcept {
    const double ax = a[0], ay = a[1], aw = a[2], ah = a[3], bx = b[0], by = b[1], bw = b[2], bh = b[3];
    const double w = std::min(ax + aw, bx + bw) - std::max(ax, bx);
    const double h = std::min(ay + ah, by + bh) - std::max(ay, by);
    if (w <= 0 || h <= 0) return 0;
    return (w * h) / (aw * ah + bw * bh - w * h);
  }

  Detection to_image(std::uint32_t candidate, const Geometry& g) const noexcept {
    const std::array<float, 4>& box = candidates_.boxes[candidate];
    const double x = (static_cast<double>(box[0]) - g.pad_left) / g.scale_x;
    const double y = (static_cast<double>(box[1]) - g.pad_top) / g.scale_y;
    const double left = std::min(std::max(x, 0.0), static_cast<double>(g.image_width));
    const double top = std::min(std::max(y, 0.0), static_cast<double>(g.image_height));
    const double width = std::max(0.0, std::min(x + static_cast<double>(box[2]) / g.scale_x, static_cast<double>(g.image_width)) - left);
    const double height = std::max(0.0, std::min(y + static_cast<double>(box[3]) / g.scale_y, static_cast<double>(g.image_height)) - top);
    return {static_cast<float>(left), static_cast<float>(top), static_cast<float>(width), static_cast<float>(height), candidates_.scores[candidate], candidates_.classes[candidate]};
  }

  Thresholds thresholds_;
  bool needs_nms_;
  Decoder decoder_;
  Candidates candidates_;
  std::vector<std::uint32_t> order_, kept_;
  std::vector<Detection> detections_;
};

}  // namespace v1
}  // namespace edgestill
