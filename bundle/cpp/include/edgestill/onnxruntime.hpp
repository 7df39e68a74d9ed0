#pragma once
#include <onnxruntime_cxx_api.h>

#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model_info.hpp"
#include "result.hpp"

namespace edgestill {
inline namespace v1 {

struct OnnxRuntimeOptions {
  int threads = 1;         ///< intra-op threads
  bool spinning = false;   ///< true: threads burn a core between operators; lower latency, only where the cores are this process's own
};

/// Runs a model file of the bundle on ONNX Runtime's CPU provider, over buffers that are bound once.
class OnnxRuntimeBackend {
 public:
  /// `root`: the bundle's folder. `key`: a ModelFile's. Errors: kBadModel, kBackend, kOutOfMemory.
  static Result<OnnxRuntimeBackend> create(const ModelInfo& model, std::string_view root, std::string_view key, const OnnxRuntimeOptions& options = {}) noexcept {
    const ModelFile* found = nullptr;
    for (const ModelFile& file : model.files)
      if (file.key == key) found = &file;
    if (found == nullptr) return Error(ErrorCode::kBadModel, "the bundle has no model file with the key ", key);
    try {
      OnnxRuntimeBackend backend(model, std::filesystem::path(root) / found->path, *found, options);
      if (auto checked = backend.bind(model); !checked) return checked.error();
      return backend;
    } catch (const std::bad_alloc&) {
      return Error(ErrorCode::kOutOfMemory, "no memory for the model");
    } catch (const std::exception& error) {
      return Error(ErrorCode::kBackend, "ONNX Runtime: ", error.what());
    }
  }

  float* input() noexcept { return input_.data(); }
  const float* output() const noexcept { return output_.data(); }

  Result<void> run() noexcept {
    try {
      session_.Run(run_options_, binding_);
      return {};
    } catch (const std::exception& error) {
      return Error(ErrorCode::kBackend, "ONNX Runtime: ", error.what());
    }
  }

 private:
  OnnxRuntimeBackend(const ModelInfo& model, const std::filesystem::path& path, const ModelFile& file, const OnnxRuntimeOptions& options)
      : env_(ORT_LOGGING_LEVEL_ERROR, "edgestill"), session_(env_, path.c_str(), settings(file, options)), binding_(session_),
        input_(3 * static_cast<std::size_t>(model.preprocess.width) * static_cast<std::size_t>(model.preprocess.height)), output_(model.head.output_size()) {}

  static Ort::SessionOptions settings(const ModelFile& file, const OnnxRuntimeOptions& options) {
    Ort::SessionOptions result;
    result.SetIntraOpNumThreads(options.threads);
    result.SetInterOpNumThreads(1);
    result.AddConfigEntry("session.intra_op.allow_spinning", options.spinning ? "1" : "0");
    for (const SessionSetting& setting : file.session_settings) result.AddConfigEntry(std::string(setting.key).c_str(), std::string(setting.value).c_str());
    return result;
  }

  Result<void> bind(const ModelInfo& model) {
    const Preprocess& p = model.preprocess;
    const std::vector<std::int64_t> input_shape = {1, 3, p.height, p.width};
    const std::int64_t anchors = model.head.anchors;
    const std::int64_t columns = model.head.columns();
    const std::vector<std::int64_t> output_shape = {1, model.head.channels_first ? columns : anchors, model.head.channels_first ? anchors : columns};
    if (!has(true, model.input_name, input_shape)) return Error(ErrorCode::kBadModel, "the model file has no float32 input as model.hpp describes it: ", model.input_name);
    if (!has(false, model.output_name, output_shape)) return Error(ErrorCode::kBadModel, "the model file has no float32 output as model.hpp describes it: ", model.output_name);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    input_value_ = Ort::Value::CreateTensor<float>(memory, input_.data(), input_.size(), input_shape.data(), input_shape.size());
    output_value_ = Ort::Value::CreateTensor<float>(memory, output_.data(), output_.size(), output_shape.data(), output_shape.size());
    binding_.BindInput(std::string(model.input_name).c_str(), input_value_);
    binding_.BindOutput(std::string(model.output_name).c_str(), output_value_);
    return {};
  }

  /// True where the port exists, holds float32 and has the shape `wanted`; a dimension that the file leaves open fits any.
  bool has(bool input, std::string_view name, const std::vector<std::int64_t>& wanted) const {
    Ort::AllocatorWithDefaultOptions allocator;
    const std::size_t count = input ? session_.GetInputCount() : session_.GetOutputCount();
    for (std::size_t i = 0; i < count; ++i) {
      const auto found = input ? session_.GetInputNameAllocated(i, allocator) : session_.GetOutputNameAllocated(i, allocator);
      if (name != found.get()) continue;
      const Ort::TypeInfo type = input ? session_.GetInputTypeInfo(i) : session_.GetOutputTypeInfo(i);
      const auto tensor = type.GetTensorTypeAndShapeInfo();
      const std::vector<std::int64_t> shape = tensor.GetShape();
      bool fits = tensor.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT && shape.size() == wanted.size();
      for (std::size_t d = 0; fits && d < shape.size(); ++d) fits = shape[d] < 0 || shape[d] == wanted[d];
      return fits;
    }
    return false;
  }

  Ort::Env env_;
  Ort::Session session_;
  Ort::RunOptions run_options_;
  Ort::IoBinding binding_;
  std::vector<float> input_, output_;
  Ort::Value input_value_{nullptr}, output_value_{nullptr};
};

}  // namespace v1
}  // namespace edgestill
