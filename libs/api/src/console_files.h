// The console's built files, read once.
#pragma once

#include <string>

#include "built_files.h"

namespace marquee::api {

/// Thread safe: nothing changes after construction.
class ConsoleFiles {
 public:
  explicit ConsoleFiles(const std::string& directory) : files_(read_built_files(directory)) {}

  /// A file, or index.html for a path of the console's own router. 404 for a missing asset.
  [[nodiscard]] http::Response answer(const http::Request& request) const;

 private:
  const BuiltFiles files_;
};

}  // namespace marquee::api
