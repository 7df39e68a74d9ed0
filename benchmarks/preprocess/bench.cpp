// bench <width> <height> <picture.rgb> <output.bin> <frames>: milliseconds of a core for each frame's preprocessing and for its decoding with NMS.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <vector>

#include <edgestill/postprocess.hpp>
#include <edgestill/preprocess.hpp>

namespace {
constexpr int strides[] = {8, 16, 32};
constexpr std::string_view classes[] = {"car", "truck", "pedestrian", "cyclist", "traffic_light"};

edgestill::ModelInfo describe() {
  edgestill::ModelInfo m;
  m.preprocess.width = 640;
  m.preprocess.height = 384;
  m.head.class_count = 5;
  m.head.anchors = 80 * 48 + 40 * 24 + 20 * 12;
  m.head.strides = strides;
  m.class_names = classes;
  return m;
}

template <class T>
std::vector<T> read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::vector<T> values(bytes.size() / sizeof(T));
  std::copy_n(bytes.data(), values.size() * sizeof(T), reinterpret_cast<char*>(values.data()));
  return values;
}

/// Milliseconds that this thread has had a core: what other processes take in between does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const edgestill::ModelInfo model = describe();
  edgestill::ImageView image;
  image.width = std::atoi(argv[1]);
  image.height = std::atoi(argv[2]);
  const auto pixels = read<std::uint8_t>(argv[3]);
  const auto output = read<float>(argv[4]);
  if (pixels.size() != static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3 || output.size() != model.head.output_size()) return 2;
  image.data = pixels.data();
  edgestill::Preprocessor preprocessor(model.preprocess);
  edgestill::Postprocessor postprocessor(model, model.thresholds);
  std::vector<float> tensor(preprocessor.tensor_size());
  for (int frame = -3; frame < std::atoi(argv[5]); ++frame) {
    const double start = now();
    const edgestill::Geometry geometry = preprocessor.run(image, tensor.data());
    const double between = now();
    const auto boxes = postprocessor.run(output.data(), geometry);
    const double end = now();
    if (frame >= 0) std::printf("%.4f %.4f %zu\n", between - start, end - between, boxes.size());
  }
}
