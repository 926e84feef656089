// The first line of a small file, as of those of /proc.
#pragma once

#include <fstream>
#include <string>

namespace marquee::ingest {

/// Empty where there is no such file.
[[nodiscard]] inline std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace marquee::ingest
