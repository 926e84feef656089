// Files that a build of web/ made, kept in memory and answered as a browser wants them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::api {

struct BuiltFile {
  std::string type;  ///< As Content-Type says it.
  std::string etag;
  std::string body;
  std::string gzipped;  ///< Empty where it is not smaller.
};

/// By path, "/index.html".
using BuiltFiles = std::map<std::string, BuiltFile, std::less<>>;

/// All files under `directory` but those whose path begins with a dot; none where it is missing. They are small (a few
/// megabytes in all).
[[nodiscard]] BuiltFiles read_built_files(const std::string& directory);

/// 200, gzipped where the request takes that, or 304 where it has the file already.
[[nodiscard]] http::Response answer_file(const http::Request& request, const BuiltFile& file,
                                         std::string_view cache_control);

}  // namespace marquee::api
