// A partition's progress on disk.
#pragma once

#include <string>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"

namespace marquee::simulate {

/// Whole and durable, or as it was before, whenever the process is killed. Not thread safe.
class ProgressFile {
 public:
  /// A file that is missing is a partition of which nothing has landed; one that cannot be read is Action::give_up.
  [[nodiscard]] static Result<ProgressFile> open(std::string path);
  [[nodiscard]] const log::Progress& get() const { return progress_; }
  [[nodiscard]] Result<void> set(const log::Progress& progress);

 private:
  explicit ProgressFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  log::Progress progress_;
};

}  // namespace marquee::simulate
