// One process per data directory.
#pragma once

#include <chrono>
#include <filesystem>

#include "marquee/base/result.h"

namespace marquee::engine {

/// Holds DIR/marquee-store.lock (flock) until destroyed or the process ends, however it ends.
class DataLock {
 public:
  /// Makes the directory if missing. Waits for a dying predecessor for at most `patience`; then Action::give_up names
  /// the directory and the process that holds it.
  [[nodiscard]] static Result<DataLock> take(const std::filesystem::path& directory,
                                             std::chrono::milliseconds patience);
  ~DataLock();
  DataLock(DataLock&& other) noexcept;
  DataLock& operator=(DataLock&&) = delete;
  DataLock(const DataLock&) = delete;
  DataLock& operator=(const DataLock&) = delete;

 private:
  explicit DataLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace marquee::engine
