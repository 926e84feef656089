// libchdb, found and loaded at run time.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "marquee/base/result.h"

namespace marquee::engine {

namespace chdb {
struct Api;
}

/// The loaded engine. It can be loaded once per process and is never unloaded: its threads run until the process ends.
/// Thread safe.
class Library {
 public:
  /// Loads `path` and finds its functions. Action::give_up with what to do where it is missing or another version.
  /// The engine's signal handlers are turned off.
  [[nodiscard]] static Result<std::shared_ptr<const Library>> load(const std::filesystem::path& path);

  [[nodiscard]] const chdb::Api& api() const { return *api_; }
  [[nodiscard]] std::string version() const;

  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library();

 private:
  explicit Library(std::unique_ptr<chdb::Api> api);
  std::unique_ptr<chdb::Api> api_;
};

/// Where libchdb is: `chosen` if not empty, else $MARQUEE_ENGINE, else ../lib/libchdb.so beside the executable's
/// directory if it exists, else in the cache that `tools/install` fills ($MARQUEE_CACHE or ~/.cache/marquee).
[[nodiscard]] std::filesystem::path find_library(const std::filesystem::path& chosen);

}  // namespace marquee::engine
