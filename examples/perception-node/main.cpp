// perception-node <bundle> <folder of .ppm and .pgm> [model key]: boxes of every picture, then the time of each stage.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <edgestill/detector.hpp>
#include <edgestill/onnxruntime.hpp>

#include "detector_model.hpp"
#include "pnm.hpp"

namespace {
using Clock = std::chrono::steady_clock;
using Detector = edgestill::Detector<edgestill::OnnxRuntimeBackend>;

struct Stage {
  const char* name;
  std::vector<double> milliseconds;

  void add(Clock::time_point from, Clock::time_point to) { milliseconds.push_back(std::chrono::duration<double, std::milli>(to - from).count()); }

  void print() {
    std::sort(milliseconds.begin(), milliseconds.end());
    const auto percentile = [&](double share) { return milliseconds[static_cast<std::size_t>(std::ceil(share * static_cast<double>(milliseconds.size() - 1)))]; };
    std::printf("%-12s p50 %8.3f ms   p99 %8.3f ms   max %8.3f ms\n", name, percentile(0.5), percentile(0.99), milliseconds.back());
  }
};

int fail(const std::string& what) {
  std::fprintf(stderr, "perception-node: %s\n", what.c_str());
  return 1;
}

std::vector<std::string> pictures_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".ppm" || extension == ".pgm" || extension == ".pnm") paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fail("usage: perception-node <bundle> <folder of .ppm and .pgm> [model key]");
  const edgestill::ModelInfo& model = detector_model::model;
  const std::string key = argc > 3 ? argv[3] : "float";

  // Everything is allocated here; the loop below allocates nothing but what ONNX Runtime does inside its run.
  auto backend = edgestill::OnnxRuntimeBackend::create(model, argv[1], key);
  if (!backend) return fail(backend.error().message());
  auto detector = Detector::create(model, *std::move(backend));
  if (!detector) return fail(detector.error().message());

  const std::vector<std::string> paths = pictures_in(argv[2]);
  if (paths.empty()) return fail(std::string("no .ppm or .pgm in ") + argv[2]);
  Stage stages[] = {{"preprocess", {}}, {"inference", {}}, {"postprocess", {}}, {"all", {}}};
  bool warm = false;
  for (const std::string& path : paths) {
    const auto picture = read_pnm(path);
    if (!picture) return fail(path + " is no 8-bit binary PPM or PGM");
    const edgestill::ImageView image{picture->rgb.data(), picture->width, picture->height};
    if (!warm) {
      if (auto first = detector->detect(image); !first) return fail(first.error().message());
      warm = true;
    }
    const auto start = Clock::now();
    if (auto prepared = detector->preprocess(image); !prepared) return fail(path + ": " + prepared.error().message());
    const auto prepared_at = Clock::now();
    if (auto ran = detector->infer(); !ran) return fail(path + ": " + ran.error().message());
    const auto ran_at = Clock::now();
    const auto boxes = detector->postprocess();
    const auto end = Clock::now();
    stages[0].add(start, prepared_at);
    stages[1].add(prepared_at, ran_at);
    stages[2].add(ran_at, end);
    stages[3].add(start, end);

    std::printf("%s %dx%d\n", std::filesystem::path(path).filename().c_str(), picture->width, picture->height);
    for (const edgestill::Detection& box : boxes) {
      const std::string_view name = model.class_names[static_cast<std::size_t>(box.class_index)];
      std::printf("  %-14.*s %.2f   x %7.1f   y %7.1f   w %7.1f   h %7.1f\n", static_cast<int>(name.size()), name.data(), static_cast<double>(box.score), static_cast<double>(box.x), static_cast<double>(box.y), static_cast<double>(box.width),
                  static_cast<double>(box.height));
    }
  }
  std::printf("\n%zu pictures, model %s, one thread\n", paths.size(), key.c_str());
  for (Stage& stage : stages) stage.print();
}
