#pragma once
#include <cstddef>
#include <cstdint>

#include "result.hpp"

namespace edgestill {
inline namespace v1 {

enum class PixelFormat { kRgb8, kBgr8 };

/// A picture that somebody else owns: 8 bits a channel, three channels interleaved, row by row from the top.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0;                ///< pixels
  int height = 0;               ///< pixels
  std::ptrdiff_t row_bytes = 0;  ///< from one row to the next; 0: rows follow each other, width * 3
  PixelFormat format = PixelFormat::kRgb8;

  std::ptrdiff_t stride() const noexcept { return row_bytes == 0 ? static_cast<std::ptrdiff_t>(width) * 3 : row_bytes; }
  const std::uint8_t* row(int y) const noexcept { return data + static_cast<std::ptrdiff_t>(y) * stride(); }
};

/// Side above which a picture is refused: byte offsets in a row stay far inside 32 bits.
inline constexpr int kMaxSide = 1 << 20;

inline Result<void> check(const ImageView& image) noexcept {
  if (image.data == nullptr) return Error(ErrorCode::kBadImage, "the picture has no pixels (data is null)");
  if (image.width < 1 || image.height < 1) return Error(ErrorCode::kBadImage, "the picture's width and height must be at least 1");
  if (image.width > kMaxSide || image.height > kMaxSide) return Error(ErrorCode::kBadImage, "the picture has a side of more than 1048576 pixels");
  const std::ptrdiff_t stride = image.stride();
  if (stride < static_cast<std::ptrdiff_t>(image.width) * 3) return Error(ErrorCode::kBadImage, "row_bytes is less than width * 3");
  return {};
}

}  // namespace v1
}  // namespace edgestill
