#pragma once
#include <cstddef>
#include <string_view>

namespace edgestill {
inline namespace v1 {  // bundles of different library versions can be linked into one program

/// A read-only view of `size` values; std::span is C++20.
template <class T>
class Span {
 public:
  constexpr Span() noexcept = default;
  constexpr Span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
  template <std::size_t N>
  constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}

  constexpr T* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T& operator[](std::size_t i) const noexcept { return data_[i]; }
  constexpr T* begin() const noexcept { return data_; }
  constexpr T* end() const noexcept { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

enum class Fit { kLetterbox, kStretch };
enum class Align { kCenter, kTopLeft };
enum class ChannelOrder { kRgb, kBgr };
enum class HeadKind { kDense, kRows };

/// How a picture becomes the network's input: value = (pixel * scale - mean[c]) / std[c], c counted in `order`.
struct Preprocess {
  int width = 0;   ///< network input, pixels
  int height = 0;  ///< network input, pixels
  Fit fit = Fit::kLetterbox;
  Align align = Align::kCenter;
  int pad = 114;  ///< grey level 0..255 around a letterboxed picture
  ChannelOrder order = ChannelOrder::kRgb;
  double scale = 1.0 / 255.0;
  double mean[3] = {0, 0, 0};
  double std[3] = {1, 1, 1};
};

/// The layout of the network's output; the table of cpp/README.md names the detector families.
struct Head {
  HeadKind kind = HeadKind::kDense;
  bool channels_first = true;  ///< [1, columns, anchors] rather than [1, anchors, columns]
  bool objectness = false;     ///< column 4 multiplies the class scores
  bool raw = false;            ///< boxes are still offsets on the grid of `strides`
  int class_count = 0;
  int anchors = 0;
  Span<const int> strides;

  constexpr int columns() const noexcept { return kind == HeadKind::kRows ? 6 : class_count + (objectness ? 5 : 4); }
  constexpr std::size_t output_size() const noexcept { return static_cast<std::size_t>(anchors) * static_cast<std::size_t>(columns()); }
};

struct Thresholds {
  double score = 0.25;  ///< a candidate scores more than this
  double iou = 0.45;    ///< a box that overlaps a better one of its class by more than this is dropped
  int max_detections = 300;
  bool multi_label = false;  ///< every class above the score counts, not only the best of its anchor
};

/// One setting of ONNX Runtime's session configuration.
struct SessionSetting {
  std::string_view key;
  std::string_view value;
};

struct ModelFile {
  std::string_view key;   ///< `float`, `int8_cpu` or `int8_tensorrt`
  std::string_view path;  ///< relative to the bundle's root
  std::string_view sha256;
  Span<const SessionSetting> session_settings;  ///< under which ONNX Runtime gives the golden outputs
};

/// Everything that an integrator would otherwise retype. All views point to constants.
struct ModelInfo {
  std::string_view name;
  std::string_view hash;  ///< the bundle's short hash; part of every file name that a runtime caches under
  std::string_view input_name;
  std::string_view output_name;
  Preprocess preprocess;
  Head head;
  bool needs_nms = true;  ///< false where the model itself leaves one box per object
  Thresholds thresholds;
  Span<const std::string_view> class_names;
  Span<const ModelFile> files;
};

}  // namespace v1
}  // namespace edgestill
