#pragma once
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

/// An 8-bit picture in memory, RGB.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Reads a binary PPM (P6) or PGM (P5, widened to RGB) of 8 bits a channel; nothing where it is no such file or is cut short.
inline std::optional<Picture> read_pnm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  file >> magic;
  if (magic != "P6" && magic != "P5") return std::nullopt;
  int header[3] = {};  // width, height, largest value
  for (int& value : header) {
    while ((file >> std::ws).peek() == '#') file.ignore(1 << 16, '\n');
    file >> value;
  }
  file.get();
  constexpr int limit = 1 << 15;
  if (!file || header[0] < 1 || header[1] < 1 || header[0] > limit || header[1] > limit || header[2] != 255) return std::nullopt;
  Picture picture{header[0], header[1], {}};
  const std::size_t pixels = static_cast<std::size_t>(header[0]) * static_cast<std::size_t>(header[1]);
  const std::size_t channels = magic == "P6" ? 3 : 1;
  picture.rgb.resize(pixels * 3);
  file.read(reinterpret_cast<char*>(picture.rgb.data()), static_cast<std::streamsize>(pixels * channels));
  if (static_cast<std::size_t>(file.gcount()) != pixels * channels) return std::nullopt;
  if (channels == 1)
    for (std::size_t i = pixels; i-- > 0;) picture.rgb[3 * i] = picture.rgb[3 * i + 1] = picture.rgb[3 * i + 2] = picture.rgb[i];
  return picture;
}
