#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "image.hpp"
#include "model_info.hpp"
#include "resize.hpp"

namespace edgestill {
inline namespace v1 {

/// Where a picture lands on the network's input: network = image * scale + pad, in pixels; (0, 0) is the top-left corner of both.
struct Geometry {
  int image_width = 0, image_height = 0;
  double scale_x = 1, scale_y = 1;
  int pad_left = 0, pad_top = 0;
  int new_width = 0, new_height = 0;  ///< size of the resized picture inside the network's input
};

/// Places a picture. Letterbox, r = min(W/w, H/h): `kCenter` has size round(w·r) and left pad round(d/2 - 0.1), ties to even;
/// `kTopLeft` has size int(w·r) and no offset. The scales are what the resampling does, so boxes land on the pixels.
inline Geometry place(const Preprocess& contract, int width, int height) noexcept {
  Geometry g;
  g.image_width = width;
  g.image_height = height;
  g.new_width = contract.width;
  g.new_height = contract.height;
  const bool centred = contract.align == Align::kCenter;
  if (contract.fit == Fit::kLetterbox) {
    const double ratio = std::min(static_cast<double>(contract.width) / width, static_cast<double>(contract.height) / height);
    const auto side = [&](int from, int limit) {
      const double exact = from * ratio;
      return std::min(limit, std::max(1, static_cast<int>(centred ? detail::round_half_even(exact) : std::trunc(exact))));
    };
    g.new_width = side(width, contract.width);
    g.new_height = side(height, contract.height);
  }
  if (centred) {
    g.pad_left = static_cast<int>(detail::round_half_even((contract.width - g.new_width) / 2.0 - 0.1));
    g.pad_top = static_cast<int>(detail::round_half_even((contract.height - g.new_height) / 2.0 - 0.1));
  }
  g.scale_x = static_cast<double>(g.new_width) / width;
  g.scale_y = static_cast<double>(g.new_height) / height;
  return g;
}

/// Pictures to network inputs, byte for byte as training, calibration and evaluation did it. Allocates in the constructor only.
class Preprocessor {
 public:
  explicit Preprocessor(const Preprocess& contract) : contract_(contract), resizer_(contract.width, contract.height) {
    for (int plane = 0; plane < 3; ++plane)
      for (int pixel = 0; pixel < 256; ++pixel) {
        const double scaled = detail::product(pixel, contract.scale) - contract.mean[plane];
        values_[static_cast<std::size_t>(plane)][static_cast<std::size_t>(pixel)] = static_cast<float>(scaled / contract.std[plane]);
      }
  }

  /// Writes the input tensor [3, H, W], float32 planes in the contract's channel order, to `tensor`.
  Geometry run(const ImageView& image, float* tensor) noexcept {
    const Geometry g = place(contract_, image.width, image.height);
    pad(g, tensor);
    const bool swapped = (contract_.order == ChannelOrder::kBgr) != (image.format == PixelFormat::kBgr8);
    resizer_.run(image, g.new_width, g.new_height, [&](int y, const std::uint8_t* pixels) noexcept {
      const std::size_t at = index(g.pad_left, g.pad_top + y);
      spread(pixels + (swapped ? 2 : 0), g.new_width, values_[0], tensor + at);
      spread(pixels + 1, g.new_width, values_[1], tensor + area() + at);
      spread(pixels + (swapped ? 0 : 2), g.new_width, values_[2], tensor + 2 * area() + at);
    });
    return g;
  }

  /// The 8-bit picture behind the tensor: RGB [H, W, 3], resized and padded. For golden vectors and for looking at.
  Geometry letterbox(const ImageView& image, std::uint8_t* rgb) noexcept {
    const Geometry g = place(contract_, image.width, image.height);
    std::memset(rgb, contract_.pad, area() * 3);
    const bool swapped = image.format == PixelFormat::kBgr8;
    resizer_.run(image, g.new_width, g.new_height, [&](int y, const std::uint8_t* pixels) noexcept {
      std::uint8_t* const out = rgb + index(g.pad_left, g.pad_top + y) * 3;
      for (int i = 0; i < g.new_width * 3; ++i) out[i] = pixels[swapped ? i + 2 - 2 * (i % 3) : i];
    });
    return g;
  }

  const Preprocess& contract() const noexcept { return contract_; }
  /// Values in the input tensor.
  std::size_t tensor_size() const noexcept { return area() * 3; }

 private:
  using ValueTable = std::array<float, 256>;

  std::size_t area() const noexcept { return static_cast<std::size_t>(contract_.width) * static_cast<std::size_t>(contract_.height); }
  std::size_t index(int x, int y) const noexcept { return static_cast<std::size_t>(y) * static_cast<std::size_t>(contract_.width) + static_cast<std::size_t>(x); }

  static void spread(const std::uint8_t* pixels, int count, const ValueTable& values, float* out) noexcept {
    for (int x = 0; x < count; ++x) out[x] = values[pixels[3 * x]];
  }

  /// Fills what the picture will not cover.
  void pad(const Geometry& g, float* tensor) const noexcept {
    const int right = g.pad_left + g.new_width;
    const int bottom = g.pad_top + g.new_height;
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const float value = values_[plane][static_cast<std::size_t>(contract_.pad)];
      float* const base = tensor + plane * area();
      std::fill(base, base + index(0, g.pad_top), value);
      std::fill(base + index(0, bottom), base + area(), value);
      if (g.new_width == contract_.width) continue;
      for (int y = g.pad_top; y < bottom; ++y) {
        std::fill(base + index(0, y), base + index(g.pad_left, y), value);
        std::fill(base + index(right, y), base + index(0, y + 1), value);
      }
    }
  }

  Preprocess contract_;
  Resizer resizer_;
  std::array<ValueTable, 3> values_{};
};

}  // namespace v1
}  // namespace edgestill
