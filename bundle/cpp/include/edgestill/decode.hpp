#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "model_info.hpp"
#include "result.hpp"

namespace edgestill {
inline namespace v1 {

/// Boxes that a model proposes for one picture, as columns; not sorted. Capacity is fixed by the constructor.
struct Candidates {
  std::vector<std::array<float, 4>> boxes;  ///< x, y, width, height in network pixels, (x, y) the top-left corner; not clipped
  std::vector<float> scores;
  std::vector<std::int32_t> classes;
  std::size_t count = 0;

  explicit Candidates(std::size_t capacity) : boxes(capacity), scores(capacity), classes(capacity) {}
};

/// Reads the network's output. Allocates in the constructor only.
class Decoder {
 public:
  /// `width` x `height`: the network's input. `capacity` of the candidates: see `capacity(...)`.
  Decoder(const Head& head, int width, int height) : head_(head), best_(anchors()), best_class_(anchors()) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < head.strides.size() && i < levels_.size(); ++i) {
      const int stride = head.strides[i];
      const int columns = (width + stride - 1) / stride;
      levels_[level_count_++] = {first, columns, static_cast<double>(stride)};
      first += static_cast<std::size_t>(columns) * static_cast<std::size_t>((height + stride - 1) / stride);
    }
  }

  /// What model.hpp says of the head, checked once: the decoder itself trusts it.
  static Result<void> check(const Head& head, int width, int height) noexcept {
    if (head.class_count < 1 || head.anchors < 1) return Error(ErrorCode::kBadContract, "the head has no classes or no anchors");
    if (head.strides.size() > kMaxLevels) return Error(ErrorCode::kBadContract, "the head has more than 8 strides");
    long long cells = 0;
    for (const int stride : head.strides) {
      if (stride < 1) return Error(ErrorCode::kBadContract, "a stride is less than 1");
      cells += static_cast<long long>((width + stride - 1) / stride) * ((height + stride - 1) / stride);
    }
    if (head.raw && cells != head.anchors) return Error(ErrorCode::kBadContract, "the strides' cells are not as many as the anchors");
    return {};
  }

  /// How many candidates an output can hold.
  static std::size_t capacity(const Head& head, bool multi_label) noexcept {
    return static_cast<std::size_t>(head.anchors) * (multi_label && head.kind == HeadKind::kDense ? static_cast<std::size_t>(head.class_count) : 1U);
  }

  /// `output`: all values of picture 0, in the head's layout. Boxes with a higher score than the threshold, compared in float64.
  void run(const float* output, const Thresholds& thresholds, Candidates& into) noexcept {
    into.count = 0;
    if (head_.kind == HeadKind::kRows) return rows(output, thresholds.score, into);
    if (thresholds.multi_label) return all(output, thresholds.score, into);
    best(output, thresholds.score, into);
  }

 private:
  static constexpr std::size_t kMaxLevels = 8;
  struct Level {
    std::size_t first = 0;
    int columns = 1;
    double stride = 1;
  };

  std::size_t anchors() const noexcept { return static_cast<std::size_t>(head_.anchors); }
  std::size_t classes() const noexcept { return static_cast<std::size_t>(head_.class_count); }
  std::size_t row_step() const noexcept { return head_.channels_first ? 1 : static_cast<std::size_t>(head_.columns()); }
  std::size_t column_step() const noexcept { return head_.channels_first ? anchors() : 1; }
  std::size_t first_score() const noexcept { return head_.objectness ? 5 : 4; }
  double factor(const float* output, std::size_t row) const noexcept {
    return head_.objectness ? static_cast<double>(output[row * row_step() + 4 * column_step()]) : 1.0;
  }

  /// Every (anchor, class) above the threshold. The inner loop runs along memory.
  void all(const float* output, double threshold, Candidates& into) const noexcept {
    const float* const scores = output + first_score() * column_step();
    const auto visit = [&](std::size_t row, std::size_t c) {
      const double score = static_cast<double>(scores[row * row_step() + c * column_step()]) * factor(output, row);
      if (score > threshold) add(output, row, static_cast<std::int32_t>(c), score, into);
    };
    if (head_.channels_first) {
      for (std::size_t c = 0; c < classes(); ++c)
        for (std::size_t row = 0; row < anchors(); ++row) visit(row, c);
    } else {
      for (std::size_t row = 0; row < anchors(); ++row)
        for (std::size_t c = 0; c < classes(); ++c) visit(row, c);
    }
  }

  /// The best class of each anchor (the first of equals).
  void best(const float* output, double threshold, Candidates& into) noexcept {
    const float* const scores = output + first_score() * column_step();
    std::fill(best_.begin(), best_.end(), -INFINITY);
    std::fill(best_class_.begin(), best_class_.end(), 0);
    if (head_.channels_first) {
      for (std::size_t c = 0; c < classes(); ++c) raise(scores + c * anchors(), static_cast<std::int32_t>(c));
    } else {
      for (std::size_t row = 0; row < anchors(); ++row)
        for (std::size_t c = 0; c < classes(); ++c) {
          const float value = scores[row * row_step() + c];
          if (!(value > best_[row])) continue;
          best_[row] = value;
          best_class_[row] = static_cast<std::int32_t>(c);
        }
    }
    for (std::size_t row = 0; row < anchors(); ++row) {
      const double score = static_cast<double>(best_[row]) * factor(output, row);
      if (score > threshold) add(output, row, best_class_[row], score, into);
    }
  }

  void raise(const float* values, std::int32_t c) noexcept {
    float* const best = best_.data();
    std::int32_t* const best_class = best_class_.data();
    for (std::size_t row = 0; row < anchors(); ++row) {
      const bool higher = values[row] > best[row];
      best[row] = higher ? values[row] : best[row];
      best_class[row] = higher ? c : best_class[row];
    }
  }

  /// Rows x1, y1, x2, y2, score, class.
  void rows(const float* output, double threshold, Candidates& into) const noexcept {
    for (std::size_t row = 0; row < anchors(); ++row) {
      const float* const v = output + row * 6;
      const double c = std::floor(static_cast<double>(v[5]) + 0.5);
      if (!(static_cast<double>(v[4]) > threshold) || !(c >= 0 && c < head_.class_count)) continue;
      store({v[0], v[1], v[2] - v[0], v[3] - v[1]}, static_cast<std::int32_t>(c), v[4], into);
    }
  }

  void add(const float* output, std::size_t row, std::int32_t c, double score, Candidates& into) const noexcept {
    const float* const v = output + row * row_step();
    const std::size_t step = column_step();
    double cx = v[0];
    double cy = v[step];
    double w = v[2 * step];
    double h = v[3 * step];
    if (head_.raw) {
      const Level& level = level_of(row);
      const auto cell = static_cast<int>(row - level.first);
      cx = (cx + cell % level.columns) * level.stride;
      cy = (cy + cell / level.columns) * level.stride;
      w = std::exp(w) * level.stride;
      h = std::exp(h) * level.stride;
    }
    store({static_cast<float>(cx - w / 2), static_cast<float>(cy - h / 2), static_cast<float>(w), static_cast<float>(h)}, c, static_cast<float>(score), into);
  }

  const Level& level_of(std::size_t row) const noexcept {
    std::size_t i = level_count_ - 1;
    while (i > 0 && row < levels_[i].first) --i;
    return levels_[i];
  }

  static void store(const std::array<float, 4>& box, std::int32_t c, float score, Candidates& into) noexcept {
    if (into.count >= into.scores.size()) return;
    into.boxes[into.count] = box;
    into.classes[into.count] = c;
    into.scores[into.count++] = score;
  }

  Head head_;
  std::array<Level, kMaxLevels> levels_{};
  std::size_t level_count_ = 0;
  std::vector<float> best_;
  std::vector<std::int32_t> best_class_;
};

}  // namespace v1
}  // namespace edgestill
