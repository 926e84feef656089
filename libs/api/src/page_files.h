// The built files of the console, or of the demo, read once.
#pragma once

#include <string>

#include "built_files.h"

namespace marquee::api {

/// What the pages are.
struct PageSet {
  std::string name;       ///< "console"
  std::string setting;    ///< Where their directory is configured.
  std::string base = {};  ///< Of their paths: "/demo".
};

/// Thread safe: nothing changes after construction.
class PageFiles {
 public:
  /// Without a directory: none.
  PageFiles(const std::string& directory, PageSet set);

  /// A file, or index.html for a path of the pages' own router. 404 for a missing asset.
  [[nodiscard]] http::Response answer(const http::Request& request) const;

 private:
  const PageSet set_;
  const BuiltFiles files_;
};

}  // namespace marquee::api
