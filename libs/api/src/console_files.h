// The console's built files, read once.
#pragma once

#include <map>
#include <string>

#include "marquee/http/message.h"

namespace marquee::api {

/// Thread safe: nothing changes after construction. The files are small (a few megabytes in all) and kept in memory,
/// with a gzip form of those that shrink.
class ConsoleFiles {
 public:
  explicit ConsoleFiles(const std::string& directory);

  /// A file, or index.html for a path of the console's own router. 404 for a missing asset.
  [[nodiscard]] http::Response answer(const http::Request& request) const;

 private:
  struct File {
    std::string type;
    std::string etag;
    std::string body;
    std::string gzipped;  ///< Empty where it is not smaller.
    bool is_immutable = false;
  };
  [[nodiscard]] static http::Response answer(const http::Request& request, const File& file);

  std::map<std::string, File, std::less<>> files_;  ///< By path, "/index.html".
};

}  // namespace marquee::api
