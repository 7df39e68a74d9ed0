#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <edgestill/model_info.hpp>
#include <edgestill/postprocess.hpp>

namespace golden {

struct Output {
  std::string key, file;
  double tolerance = 0;
  double pixel_tolerance = 0;
  std::vector<edgestill::Detection> boxes;
};

struct Picture {
  std::string id, file, letterbox;
  int width = 0, height = 0;
  std::uint64_t tensor = 0;
  std::vector<Output> outputs;
};

struct Index {
  edgestill::Thresholds thresholds;
  std::vector<Picture> pictures;
};

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  std::exit(1);
}

inline std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::vector<float> read_floats(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  if (values.size() * sizeof(float) != bytes.size()) fail(path + " is no file of float32 values");
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline std::uint64_t fnv1a64(const void* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3ULL;
  return hash;
}

/// Reads golden/index.txt; its form is in cpp/README.md.
inline Index read_index(const std::string& root) {
  std::ifstream file(root + "/golden/index.txt");
  Index index;
  std::string line;
  if (!std::getline(file, line) || line != "edgestill-golden 1") fail(root + "/golden/index.txt is missing or of another version");
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string word;
    fields >> word;
    if (word == "thresholds") {
      edgestill::Thresholds& t = index.thresholds;
      fields >> t.score >> t.iou >> t.max_detections >> t.multi_label;
    } else if (word == "picture") {
      Picture& p = index.pictures.emplace_back();
      fields >> p.id >> p.width >> p.height >> p.file;
    } else if (index.pictures.empty()) {
      fail("a line before the first picture: " + line);
    } else if (word == "letterbox") {
      fields >> index.pictures.back().letterbox;
    } else if (word == "tensor") {
      fields >> std::hex >> index.pictures.back().tensor;
    } else if (word == "output") {
      Output& o = index.pictures.back().outputs.emplace_back();
      fields >> o.key >> o.tolerance >> o.file;
    } else if (index.pictures.back().outputs.empty()) {
      fail("a line before the first output: " + line);
    } else if (word == "further") {
      continue;  // outputs that no decoder of this library reads
    } else if (word == "boxes") {
      std::string key, count;
      fields >> key >> count >> index.pictures.back().outputs.back().pixel_tolerance;
    } else if (word == "box") {
      edgestill::Detection& d = index.pictures.back().outputs.back().boxes.emplace_back();
      fields >> d.x >> d.y >> d.width >> d.height >> d.score >> d.class_index;
    } else {
      fail("an unknown line: " + line);
    }
    if (!fields) fail("a line that cannot be read: " + line);
  }
  return index;
}

}  // namespace golden
