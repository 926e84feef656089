#include "input_file.h"

#include <fstream>
#include <iostream>
#include <iterator>

namespace marquee::app {

Result<std::string> content_of(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error::reject("cannot read " + path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace marquee::app
