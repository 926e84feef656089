// marquee.js and its plugins as built, which pages of any site load.
#pragma once

#include <string>

#include "built_files.h"
#include "marquee/http/server.h"

namespace marquee::api {

/// Thread safe: nothing changes after construction.
class SdkFiles {
 public:
  explicit SdkFiles(const std::string& directory) : files_(read_built_files(directory)) {}

  /// An address for each script of the directory. This must outlive the server that has the routes.
  void add_routes(http::Router& router) const;

 private:
  [[nodiscard]] http::Response answer(const http::Request& request) const;

  const BuiltFiles files_;
};

}  // namespace marquee::api
