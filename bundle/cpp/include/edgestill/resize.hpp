#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "image.hpp"

#ifdef __FAST_MATH__
#error "edgestill: the preprocessing is exact only without -ffast-math"
#endif

namespace edgestill {
inline namespace v1 {
namespace detail {

/// Nearest integer, ties to the even one, whatever the rounding mode.
inline double round_half_even(double value) noexcept {
  const double floor = std::floor(value);
  const double rest = value - floor;
  if (rest != 0.5) return rest < 0.5 ? floor : floor + 1;
  return std::fmod(floor, 2.0) == 0 ? floor : floor + 1;
}

/// a * b, rounded on its own: the compiler may not fuse it with a following addition.
inline double product(double a, double b) noexcept {
  const volatile double result = a * b;
  return result;
}

/// Where each output position reads: two source offsets and their weights, which add up to 2048 (±1 from rounding).
struct AxisTable {
  std::vector<std::int32_t> first, second;
  std::vector<std::int16_t> first_weight, second_weight;

  explicit AxisTable(int capacity) : first(size(capacity)), second(size(capacity)), first_weight(size(capacity)), second_weight(size(capacity)) {}

  /// `step`: from one position to the next. `edge_weight`: at the borders all weight moves to the edge (OpenCV does so for columns only).
  void fill(int from, int to, int step, bool edge_weight) noexcept {
    const double scale = 1.0 / (static_cast<double>(to) / from);
    for (int i = 0; i < to; ++i) {
      const float centre = static_cast<float>(product(i + 0.5, scale) - 0.5);
      const int position = static_cast<int>(std::floor(centre));
      float fraction = centre - static_cast<float>(position);
      if (edge_weight && (position < 0 || position >= from - 1)) fraction = 0;
      const std::size_t at = size(i);
      first[at] = std::clamp(position, 0, from - 1) * step;
      second[at] = std::clamp(position + 1, 0, from - 1) * step;
      first_weight[at] = weight(1.0F - fraction);
      second_weight[at] = weight(fraction);
    }
  }

 private:
  static std::size_t size(int count) noexcept { return static_cast<std::size_t>(count); }
  static std::int16_t weight(float fraction) noexcept { return static_cast<std::int16_t>(round_half_even(static_cast<double>(fraction) * 2048.0)); }
};

}  // namespace detail

/// Bilinear resampling with half-pixel centres and no antialiasing: the same bytes as OpenCV's `resize(..., INTER_LINEAR)` on 8-bit,
/// three-channel data (modules/imgproc/src/resize.cpp). Tables belong to one pair of sizes and are made anew when it changes.
class Resizer {
 public:
  /// Room for results of up to `max_width` x `max_height` pixels; allocates once.
  Resizer(int max_width, int max_height)
      : columns_(max_width), rows_(max_height), upper_(2 * bytes(max_width)), lower_(2 * bytes(max_width)), row_(bytes(max_width)) {}

  /// Calls `sink(y, pixels)` for each row of the `width` x `height` result, top to bottom; `pixels` holds width * 3 bytes.
  template <class Sink>
  void run(const ImageView& image, int width, int height, Sink&& sink) noexcept {
    if (image.width == width && image.height == height) {
      for (int y = 0; y < height; ++y) sink(y, image.row(y));
    } else if (image.width == 2 * width && image.height == 2 * height) {
      for (int y = 0; y < height; ++y) sink(y, halved(image.row(2 * y), image.row(2 * y + 1), width));
    } else {
      bilinear(image, width, height, sink);
    }
  }

 private:
  static std::size_t bytes(int width) noexcept { return static_cast<std::size_t>(width) * 3; }

  /// Exactly 2:1 both ways: OpenCV turns INTER_LINEAR into the mean of four pixels.
  const std::uint8_t* halved(const std::uint8_t* top, const std::uint8_t* bottom, int width) noexcept {
    std::int16_t* const sums = upper_.data();
    std::uint8_t* const out = row_.data();
    for (int i = 0; i < 6 * width; ++i) sums[i] = static_cast<std::int16_t>(top[i] + bottom[i]);
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) out[3 * x + c] = static_cast<std::uint8_t>((sums[6 * x + c] + sums[6 * x + c + 3] + 2) >> 2);
    return row_.data();
  }

  template <class Sink>
  void bilinear(const ImageView& image, int width, int height, Sink& sink) noexcept {
    prepare(image.width, image.height, width, height);
    int upper_row = -1;
    int lower_row = -1;
    for (int y = 0; y < height; ++y) {
      const auto at = static_cast<std::size_t>(y);
      if (rows_.first[at] == lower_row) {
        upper_.swap(lower_);
        std::swap(upper_row, lower_row);
      }
      if (rows_.first[at] != upper_row) blend_columns(image.row(upper_row = rows_.first[at]), width, upper_.data());
      if (rows_.second[at] != lower_row) blend_columns(image.row(lower_row = rows_.second[at]), width, lower_.data());
      blend_rows(rows_.first_weight[at], rows_.second_weight[at], width * 3);
      sink(y, static_cast<const std::uint8_t*>(row_.data()));
    }
  }

  void prepare(int from_width, int from_height, int width, int height) noexcept {
    if (from_width == from_width_ && from_height == from_height_ && width == width_ && height == height_) return;
    from_width_ = from_width;
    from_height_ = from_height;
    width_ = width;
    height_ = height;
    columns_.fill(from_width, width, 3, true);
    rows_.fill(from_height, height, 1, false);
  }

  /// out = (s[x0]·w0 + s[x1]·w1) >> 4, at most 255·2049 / 16 < 2^15.
  void blend_columns(const std::uint8_t* source, int width, std::int16_t* out) const noexcept {
    const std::int32_t* const first = columns_.first.data();
    const std::int32_t* const second = columns_.second.data();
    const std::int16_t* const first_weight = columns_.first_weight.data();
    const std::int16_t* const second_weight = columns_.second_weight.data();
    for (int x = 0; x < width; ++x, out += 3) {
      const std::uint8_t* const a = source + first[x];
      const std::uint8_t* const b = source + second[x];
      const int wa = first_weight[x];
      const int wb = second_weight[x];
      for (int c = 0; c < 3; ++c) out[c] = static_cast<std::int16_t>((a[c] * wa + b[c] * wb) >> 4);
    }
  }

  /// out = ((w0·u) >> 16) + ((w1·l) >> 16) + 2 >> 2: OpenCV's VResizeLinear for 8-bit data; never leaves 0..255.
  void blend_rows(std::int16_t wa, std::int16_t wb, int count) noexcept {
    const std::int16_t* const upper = upper_.data();
    const std::int16_t* const lower = lower_.data();
    std::uint8_t* const out = row_.data();
    for (int i = 0; i < count; ++i) {
      const auto a = static_cast<std::int16_t>((upper[i] * wa) >> 16);
      const auto b = static_cast<std::int16_t>((lower[i] * wb) >> 16);
      out[i] = static_cast<std::uint8_t>((a + b + 2) >> 2);
    }
  }

  int from_width_ = 0, from_height_ = 0, width_ = 0, height_ = 0;
  detail::AxisTable columns_, rows_;
  std::vector<std::int16_t> upper_, lower_;
  std::vector<std::uint8_t> row_;
};

}  // namespace v1
}  // namespace edgestill
