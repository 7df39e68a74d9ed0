// allocations <bundle>: after the first frame, pictures of changing sizes must not make this library allocate. The runtime's own run is not counted.
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include <edgestill/detector.hpp>
#ifdef EDGESTILL_WITH_ONNXRUNTIME
#include <edgestill/onnxruntime.hpp>
#endif

#include "bundle.hpp"
#include "golden_file.hpp"

namespace {
std::atomic<bool> counting{false};
std::atomic<long> allocations{0};

void* allocate(std::size_t size) {
  if (counting) ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {
/// Gives a golden output whatever it is asked.
class RecordedBackend {
 public:
  RecordedBackend(std::size_t inputs, std::vector<float> output) : input_(inputs), output_(std::move(output)) {}
  float* input() noexcept { return input_.data(); }
  edgestill::Result<void> run() noexcept { return {}; }
  const float* output() const noexcept { return output_.data(); }

 private:
  std::vector<float> input_, output_;
};

/// Stops counting while the runtime runs.
template <class Backend>
class Uncounted {
 public:
  explicit Uncounted(Backend backend) : backend_(std::move(backend)) {}
  float* input() noexcept { return backend_.input(); }
  const float* output() const noexcept { return backend_.output(); }
  edgestill::Result<void> run() noexcept {
    const bool before = counting.exchange(false);
    auto result = backend_.run();
    counting = before;
    return result;
  }

 private:
  Backend backend_;
};

template <class Backend>
void check(const char* name, Backend backend, edgestill::Thresholds thresholds) {
  auto detector = edgestill::Detector<Uncounted<Backend>>::create(bundle::model, Uncounted<Backend>(std::move(backend)), thresholds);
  if (!detector) golden::fail(detector.error().message());
  const int sizes[][2] = {{1280, 720}, {641, 359}, {97, 481}, {1, 1}, {1920, 1080}, {2 * bundle::model.preprocess.width, 2 * bundle::model.preprocess.height}};
  std::vector<std::uint8_t> pixels(1920 * 1080 * 3, 90);
  std::size_t boxes = 0;
  for (int frame = 0; frame < 13; ++frame) {
    const auto& size = sizes[frame % 6];
    counting = frame > 0;
    const auto found = detector->detect({pixels.data(), size[0], size[1]});
    const auto refused = detector->detect({pixels.data(), 0, 720});
    counting = false;
    if (!found) golden::fail(found.error().message());
    if (refused) golden::fail("a picture without width was taken");
    boxes += found->size();
  }
  if (allocations != 0) golden::fail(std::string(name) + ": " + std::to_string(allocations) + " allocations in 12 frames");
  std::printf("%s: 0 allocations in 12 frames, %zu boxes\n", name, boxes);
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) golden::fail("usage: allocations <bundle>");
  const std::string root = argv[1];
  const golden::Index index = golden::read_index(root);
  counting = true;
  delete[] new char[1];
  counting = false;
  if (allocations.exchange(0) == 0) golden::fail("allocations are not counted");
  edgestill::Thresholds eager = bundle::model.thresholds;
  eager.score = 1e-6;
  eager.multi_label = true;
  if (!index.pictures.empty() && !index.pictures[0].outputs.empty()) {
    const auto inputs = static_cast<std::size_t>(bundle::model.preprocess.width) * static_cast<std::size_t>(bundle::model.preprocess.height) * 3;
    check("recorded output", RecordedBackend(inputs, golden::read_floats(root + "/" + index.pictures[0].outputs[0].file)), eager);
  }
#ifdef EDGESTILL_WITH_ONNXRUNTIME
  for (const edgestill::ModelFile& file : bundle::model.files) {
    if (file.key == "int8_tensorrt") continue;
    auto backend = edgestill::OnnxRuntimeBackend::create(bundle::model, root, file.key);
    if (!backend) golden::fail(backend.error().message());
    check(std::string(file.key).c_str(), *std::move(backend), eager);
  }
#endif
}
