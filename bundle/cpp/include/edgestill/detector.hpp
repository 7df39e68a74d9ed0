#pragma once
#include <memory>
#include <new>
#include <utility>

#include "model_info.hpp"
#include "postprocess.hpp"
#include "preprocess.hpp"
#include "result.hpp"

namespace edgestill {
inline namespace v1 {

/// A detector for one camera: pictures of any size in, boxes in the picture's pixels out. Not for use from two threads at once.
///
/// `Backend` runs the network on host memory that it owns and that stays where it is when the backend is moved:
///   float* input() noexcept;               [1, 3, H, W], written before each run
///   Result<void> run() noexcept;
///   const float* output() const noexcept;  ModelInfo::head.output_size() values, valid until the next run
/// After `create` this class allocates nothing; what a runtime allocates inside its own run is the runtime's.
template <class Backend>
class Detector {
 public:
  /// Errors: kBadContract, kOutOfMemory.
  static Result<Detector> create(const ModelInfo& model, Backend backend) noexcept { return create(model, std::move(backend), model.thresholds); }

  static Result<Detector> create(const ModelInfo& model, Backend backend, const Thresholds& thresholds) noexcept {
    if (auto checked = check(model); !checked) return checked.error();
    try {
      return Detector(model, std::move(backend), thresholds);
    } catch (const std::bad_alloc&) {
      return Error(ErrorCode::kOutOfMemory, "no memory for the detector's buffers");
    }
  }

  /// The picture's objects, best first; valid until the next call. Errors: kBadImage, kBackend.
  Result<Span<const Detection>> detect(const ImageView& image) noexcept {
    if (auto prepared = preprocess(image); !prepared) return prepared.error();
    if (auto ran = infer(); !ran) return ran.error();
    return postprocess();
  }

  /// The three stages of `detect`, for those who time or schedule them: always in this order.
  Result<void> preprocess(const ImageView& image) noexcept {
    if (auto checked = edgestill::check(image); !checked) return checked;
    geometry_ = preprocessor_.run(image, backend_.input());
    return {};
  }
  Result<void> infer() noexcept { return backend_.run(); }
  Span<const Detection> postprocess() noexcept { return postprocessor_.run(backend_.output(), geometry_); }

  const ModelInfo& model() const noexcept { return model_; }
  const Geometry& geometry() const noexcept { return geometry_; }
  Backend& backend() noexcept { return backend_; }

 private:
  Detector(const ModelInfo& model, Backend backend, const Thresholds& thresholds)
      : model_(model), backend_(std::move(backend)), preprocessor_(model.preprocess), postprocessor_(model, thresholds) {}

  static Result<void> check(const ModelInfo& model) noexcept {
    const Preprocess& p = model.preprocess;
    if (p.width < 1 || p.height < 1 || p.width > kMaxSide || p.height > kMaxSide) return Error(ErrorCode::kBadContract, "the network's input size is out of range");
    if (p.pad < 0 || p.pad > 255) return Error(ErrorCode::kBadContract, "pad is not within 0..255");
    if (model.class_names.size() != static_cast<std::size_t>(model.head.class_count)) return Error(ErrorCode::kBadContract, "class_names are not as many as the head's classes");
    return Decoder::check(model.head, p.width, p.height);
  }

  ModelInfo model_;
  Backend backend_;
  Preprocessor preprocessor_;
  Postprocessor postprocessor_;
  Geometry geometry_;
};

}  // namespace v1
}  // namespace edgestill
