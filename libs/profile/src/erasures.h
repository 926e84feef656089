// Who was erased, durably: a file to which each erasure is appended. Kept for as long as events of before may be read
// again, which is for ever: 24 bytes each.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/permission.h"

namespace marquee::profile {

/// Thread safe.
class Erasures {
 public:
  /// Opens or makes the file and gives what it holds. An end that a crash tore is cut off.
  [[nodiscard]] static Result<std::unique_ptr<Erasures>> open(
      const std::string& path, const std::function<void(ProfileId, log::Offset before)>& on_erasure);
  ~Erasures();
  Erasures(const Erasures&) = delete;
  Erasures& operator=(const Erasures&) = delete;

  /// Durable when it returns.
  [[nodiscard]] Result<void> add(ProfileId id, log::Offset before);
  /// Takes those of `id` out of the file, which is written anew. Durable when it returns.
  [[nodiscard]] Result<void> remove(ProfileId id);

 private:
  Erasures(std::string path, int descriptor, std::int64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

  const std::string path_;
  std::mutex mutex_;
  int descriptor_;     ///< Guarded by mutex_.
  std::int64_t size_;  ///< Of what is whole; guarded by mutex_.
};

}  // namespace marquee::profile
