#pragma once
// Written against the public API of TensorRT 8, 10 and 11. NOT RUN by this project's tests, which have no GPU: golden_backend on the device confirms it.
#include <NvInfer.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "model_info.hpp"
#include "result.hpp"

#define EDGESTILL_TENSORRT_VERSION (NV_TENSORRT_MAJOR * 100 + NV_TENSORRT_MINOR)
#if EDGESTILL_TENSORRT_VERSION < 800
#error "edgestill: TensorRT 8.0 or newer is needed"
#endif

namespace edgestill {
inline namespace v1 {

/// Runs an engine that was built on this device from the bundle's ONNX file (engines are not portable, so a bundle holds none).
/// Input and output go through pinned host memory on a stream of its own; `run` returns when the output is there.
class TensorRtBackend {
 public:
  /// `engine_path`: the serialized engine; keep the bundle's hash in its name. Errors: kBadModel, kBackend, kOutOfMemory.
  static Result<TensorRtBackend> create(const ModelInfo& model, const std::string& engine_path) noexcept {
    try {
      TensorRtBackend backend;
      if (auto loaded = backend.load(engine_path); !loaded) return loaded.error();
      if (auto bound = backend.bind(model); !bound) return bound.error();
      return backend;
    } catch (const std::bad_alloc&) {
      return Error(ErrorCode::kOutOfMemory, "no memory for the engine");
    } catch (const std::exception& error) {
      return Error(ErrorCode::kBackend, "TensorRT: ", error.what());
    }
  }

  float* input() noexcept { return static_cast<float*>(input_.host.get()); }
  const float* output() const noexcept { return static_cast<const float*>(output_.host.get()); }

  Result<void> run() noexcept {
    if (auto copied = check(cudaMemcpyAsync(input_.device.get(), input_.host.get(), input_.bytes, cudaMemcpyHostToDevice, stream_.get())); !copied) return copied;
#if EDGESTILL_TENSORRT_VERSION >= 805
    const bool started = context_->enqueueV3(stream_.get());
#else
    const bool started = context_->enqueueV2(bindings_.data(), stream_.get(), nullptr);
#endif
    if (!started) return Error(ErrorCode::kBackend, "TensorRT did not start the network");
    if (auto copied = check(cudaMemcpyAsync(output_.host.get(), output_.device.get(), output_.bytes, cudaMemcpyDeviceToHost, stream_.get())); !copied) return copied;
    return check(cudaStreamSynchronize(stream_.get()));
  }

 private:
  struct Logger final : nvinfer1::ILogger {
    void log(Severity severity, const nvinfer1::AsciiChar* text) noexcept override {
      if (severity <= Severity::kWARNING) std::fprintf(stderr, "TensorRT: %s\n", text);
    }
  };
  struct FreeDevice {
    void operator()(void* memory) const noexcept { cudaFree(memory); }
  };
  struct FreeHost {
    void operator()(void* memory) const noexcept { cudaFreeHost(memory); }
  };
  struct DestroyStream {
    void operator()(cudaStream_t stream) const noexcept { cudaStreamDestroy(stream); }
  };
  struct Buffer {
    std::unique_ptr<void, FreeHost> host;
    std::unique_ptr<void, FreeDevice> device;
    std::size_t bytes = 0;
  };

  TensorRtBackend() = default;

  static Result<void> check(cudaError_t status) noexcept {
    if (status == cudaSuccess) return {};
    return Error(ErrorCode::kBackend, "CUDA: ", cudaGetErrorString(status));
  }

  Result<void> load(const std::string& engine_path) {
    std::ifstream file(engine_path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (bytes.empty()) return Error(ErrorCode::kBadModel, "no engine at ", engine_path);
    logger_ = std::make_unique<Logger>();
    runtime_.reset(nvinfer1::createInferRuntime(*logger_));
    if (!runtime_) return Error(ErrorCode::kBackend, "TensorRT gave no runtime");
    engine_.reset(runtime_->deserializeCudaEngine(bytes.data(), bytes.size()));
    if (!engine_) return Error(ErrorCode::kBadModel, "the engine was built for another TensorRT or GPU; build it on this device: ", engine_path);
    context_.reset(engine_->createExecutionContext());
    if (!context_) return Error(ErrorCode::kBackend, "TensorRT gave no execution context (memory?)");
    cudaStream_t stream = nullptr;
    if (auto created = check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); !created) return created;
    stream_.reset(stream);
    return {};
  }

  Result<void> bind(const ModelInfo& model) {
    const Preprocess& p = model.preprocess;
    const std::size_t pixels = static_cast<std::size_t>(p.width) * static_cast<std::size_t>(p.height);
    const std::string input(model.input_name);
    const std::string output(model.output_name);
    if (!shape_input(input, p)) return Error(ErrorCode::kBadModel, "the engine does not take a picture of the size in model.hpp at its input ", input);
    if (!fits(input, true, 3 * pixels)) return Error(ErrorCode::kBadModel, "the engine has no float32 input as model.hpp describes it: ", input);
    if (!fits(output, false, model.head.output_size())) return Error(ErrorCode::kBadModel, "the engine has no float32 output as model.hpp describes it: ", output);
    if (auto made = allocate(input_, 3 * pixels); !made) return made;
    if (auto made = allocate(output_, model.head.output_size()); !made) return made;
#if EDGESTILL_TENSORRT_VERSION >= 805
    const bool bound = context_->setTensorAddress(input.c_str(), input_.device.get()) && context_->setTensorAddress(output.c_str(), output_.device.get());
    if (!bound || engine_->getNbIOTensors() != 2) return Error(ErrorCode::kBadModel, "the engine has other inputs and outputs than model.hpp describes");
#else
    if (engine_->getNbBindings() != 2) return Error(ErrorCode::kBadModel, "the engine has other inputs and outputs than model.hpp describes");
    bindings_.assign(2, nullptr);
    bindings_[static_cast<std::size_t>(engine_->getBindingIndex(input.c_str()))] = input_.device.get();
    bindings_[static_cast<std::size_t>(engine_->getBindingIndex(output.c_str()))] = output_.device.get();
#endif
    return {};
  }

  /// One picture: engines of a model with a free batch need to be told.
  bool shape_input(const std::string& name, const Preprocess& p) {
    nvinfer1::Dims shape{};
    shape.nbDims = 4;
    shape.d[0] = 1;
    shape.d[1] = 3;
    shape.d[2] = p.height;
    shape.d[3] = p.width;
#if EDGESTILL_TENSORRT_VERSION >= 805
    return engine_->getTensorIOMode(name.c_str()) == nvinfer1::TensorIOMode::kINPUT && context_->setInputShape(name.c_str(), shape);
#else
    const std::int32_t index = engine_->getBindingIndex(name.c_str());
    return index >= 0 && context_->setBindingDimensions(index, shape);
#endif
  }

  /// True where the engine has the tensor, as float32 with `count` values.
  bool fits(const std::string& name, bool is_input, std::size_t count) const {
#if EDGESTILL_TENSORRT_VERSION >= 805
    const auto mode = is_input ? nvinfer1::TensorIOMode::kINPUT : nvinfer1::TensorIOMode::kOUTPUT;
    if (engine_->getTensorIOMode(name.c_str()) != mode || engine_->getTensorDataType(name.c_str()) != nvinfer1::DataType::kFLOAT) return false;
    const nvinfer1::Dims shape = context_->getTensorShape(name.c_str());
#else
    const std::int32_t index = engine_->getBindingIndex(name.c_str());
    if (index < 0 || engine_->bindingIsInput(index) != is_input || engine_->getBindingDataType(index) != nvinfer1::DataType::kFLOAT) return false;
    const nvinfer1::Dims shape = context_->getBindingDimensions(index);
#endif
    std::size_t values = 1;
    for (std::int32_t i = 0; i < shape.nbDims; ++i) {
      if (shape.d[i] < 0) return false;
      values *= static_cast<std::size_t>(shape.d[i]);
    }
    return values == count;
  }

  static Result<void> allocate(Buffer& buffer, std::size_t count) noexcept {
    buffer.bytes = count * sizeof(float);
    void* host = nullptr;
    if (auto made = check(cudaMallocHost(&host, buffer.bytes)); !made) return made;
    buffer.host.reset(host);
    void* device = nullptr;
    if (auto made = check(cudaMalloc(&device, buffer.bytes)); !made) return made;
    buffer.device.reset(device);
    return {};
  }

  // Destroyed from the last to the first: the context before its engine, the engine before its runtime.
  std::unique_ptr<Logger> logger_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, DestroyStream> stream_;
  Buffer input_, output_;
  std::vector<void*> bindings_;
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
};

}  // namespace v1
}  // namespace edgestill
