// golden <bundle> [backend [engine]]: checks this machine's build against the bundle's golden vectors; exit 1 with the first difference.
#include <cmath>
#include <string>

#include <edgestill/detector.hpp>
#ifdef EDGESTILL_WITH_ONNXRUNTIME
#include <edgestill/onnxruntime.hpp>
#endif
#ifdef EDGESTILL_WITH_TENSORRT
#include <edgestill/tensorrt.hpp>
#endif

#include "bundle.hpp"
#include "golden_file.hpp"

namespace {
using edgestill::Detection;
using edgestill::ImageView;
using edgestill::Span;
using golden::fail;

void check_boxes(const std::string& what, Span<const Detection> found, const golden::Output& wanted, double score_tolerance) {
  if (found.size() != wanted.boxes.size()) fail(what + ": " + std::to_string(found.size()) + " boxes, not " + std::to_string(wanted.boxes.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Detection& f = found[i];
    const Detection& w = wanted.boxes[i];
    const float differences[] = {f.x - w.x, f.y - w.y, f.width - w.width, f.height - w.height};
    for (const float difference : differences)
      if (!(std::abs(static_cast<double>(difference)) <= wanted.pixel_tolerance)) fail(what + ": box " + std::to_string(i) + " differs by " + std::to_string(difference) + " pixels");
    if (f.class_index != w.class_index) fail(what + ": box " + std::to_string(i) + " has another class");
    if (!(std::abs(static_cast<double>(f.score - w.score)) <= score_tolerance)) fail(what + ": box " + std::to_string(i) + " has another score");
  }
}

ImageView view(const std::vector<std::uint8_t>& pixels, const golden::Picture& picture) {
  if (pixels.size() != static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3) fail(picture.id + ": the file does not hold width * height * 3 bytes");
  ImageView image;
  image.data = pixels.data();
  image.width = picture.width;
  image.height = picture.height;
  return image;
}

/// Preprocessing byte for byte (from RGB and from BGR memory with padded rows), then the golden outputs to the golden boxes.
void check_core(const std::string& root, const golden::Index& index) {
  const edgestill::ModelInfo& model = bundle::model;
  edgestill::Preprocessor preprocessor(model.preprocess);
  edgestill::Postprocessor postprocessor(model, index.thresholds);
  std::vector<float> tensor(preprocessor.tensor_size());
  std::vector<std::uint8_t> letterbox(preprocessor.tensor_size());
  for (const golden::Picture& picture : index.pictures) {
    const std::vector<std::uint8_t> pixels = golden::read_bytes(root + "/" + picture.file);
    const ImageView image = view(pixels, picture);
    if (auto checked = edgestill::check(image); !checked) fail(picture.id + ": " + checked.error().message());
    preprocessor.letterbox(image, letterbox.data());
    if (letterbox != golden::read_bytes(root + "/" + picture.letterbox)) fail(picture.id + ": the resized picture differs");
    const edgestill::Geometry geometry = preprocessor.run(image, tensor.data());
    if (golden::fnv1a64(tensor.data(), tensor.size() * sizeof(float)) != picture.tensor) fail(picture.id + ": the input tensor differs");

    const int padding = 5;
    std::vector<std::uint8_t> swapped;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x)
        for (int c = 2; c >= 0; --c) swapped.push_back(image.row(y)[3 * x + c]);
      swapped.insert(swapped.end(), padding, 255);
    }
    const ImageView bgr{swapped.data(), image.width, image.height, image.width * std::ptrdiff_t{3} + padding, edgestill::PixelFormat::kBgr8};
    preprocessor.run(bgr, tensor.data());
    if (golden::fnv1a64(tensor.data(), tensor.size() * sizeof(float)) != picture.tensor) fail(picture.id + ": the input tensor from BGR memory differs");

    for (const golden::Output& output : picture.outputs) {
      const std::vector<float> values = golden::read_floats(root + "/" + output.file);
      if (values.size() != model.head.output_size()) fail(output.file + " has another number of values than the head");
      check_boxes(picture.id + " " + output.key, postprocessor.run(values.data(), geometry), output, 1e-6);
    }
  }
}

#if defined(EDGESTILL_WITH_ONNXRUNTIME) || defined(EDGESTILL_WITH_TENSORRT)
template <class Backend>
void check_backend(const std::string& root, const golden::Index& index, const std::string& key, edgestill::Result<Backend> backend) {
  if (!backend) fail(key + ": " + backend.error().message());
  auto detector = edgestill::Detector<Backend>::create(bundle::model, *std::move(backend), index.thresholds);
  if (!detector) fail(key + ": " + detector.error().message());
  for (const golden::Picture& picture : index.pictures) {
    const std::vector<std::uint8_t> pixels = golden::read_bytes(root + "/" + picture.file);
    const auto boxes = detector->detect(view(pixels, picture));
    if (!boxes) fail(picture.id + " " + key + ": " + boxes.error().message());
    for (const golden::Output& output : picture.outputs) {
      if (output.key != key) continue;
      const std::vector<float> wanted = golden::read_floats(root + "/" + output.file);
      const float* const found = detector->backend().output();
      double worst = 0;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        // Boxes are pixels, so the tolerance grows with the value, as in 1e-4 of a probability and of a pixel's thousandth part of a side.
        const double difference = std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i])) / std::max(1.0, std::abs(static_cast<double>(wanted[i])));
        if (!(difference <= output.tolerance)) fail(picture.id + " " + key + ": output value " + std::to_string(i) + " is " + std::to_string(found[i]) + ", not " + std::to_string(wanted[i]));
        worst = std::max(worst, difference);
      }
      if (output.tolerance == 0) check_boxes(picture.id + " " + key + ", end to end", *boxes, output, 1e-6);
      std::printf("%s %s: worst difference %.2g\n", picture.id.c_str(), key.c_str(), worst);
    }
  }
}
#endif
}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: golden <bundle> [backend [engine]]");
  const std::string root = argv[1];
  const golden::Index index = golden::read_index(root);
  if (index.pictures.empty()) fail("the bundle has no golden vectors");
  check_core(root, index);
  if (argc > 2) {
    for (const edgestill::ModelFile& file : bundle::model.files) {
      [[maybe_unused]] const std::string key(file.key);
#ifdef EDGESTILL_WITH_ONNXRUNTIME
      if (key != "int8_tensorrt") check_backend(root, index, key, edgestill::OnnxRuntimeBackend::create(bundle::model, root, key));
#endif
#ifdef EDGESTILL_WITH_TENSORRT
      if (argc < 4) fail("TensorRT needs an engine: configure with -DEDGESTILL_ENGINE=<file that models/tensorrt/build-engine.sh made>");
      if (key == "int8_tensorrt") check_backend(root, index, key, edgestill::TensorRtBackend::create(bundle::model, argv[3]));
#endif
    }
  }
  std::printf("%zu pictures agree\n", index.pictures.size());
}
