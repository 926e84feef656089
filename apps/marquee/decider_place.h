// Where one of several deciders keeps what it counted and learned.
#pragma once

#include <string>

#include "marquee/base/result.h"

namespace marquee::app {

/// A directory that no other process has as long as this lives: the first free one of `root`/1, `root`/2 and so on, so
/// that a decider that comes back finds its own or another's that is gone. What it keeps is a view of logs that all
/// share; so it begins with the newest file of any of them.
class DeciderPlace {
 public:
  /// `keeps_profiles`: here, and not elsewhere.
  [[nodiscard]] static Result<DeciderPlace> take(const std::string& root, bool keeps_profiles);
  ~DeciderPlace();
  DeciderPlace(DeciderPlace&& other) noexcept;
  DeciderPlace(const DeciderPlace&) = delete;
  DeciderPlace& operator=(DeciderPlace&&) = delete;

  [[nodiscard]] std::string counts() const { return directory_ + "/counts"; }
  [[nodiscard]] std::string model() const { return directory_ + "/model"; }
  /// Directory of the profiles.
  [[nodiscard]] std::string profiles() const { return directory_ + "/profiles"; }

 private:
  DeciderPlace(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}
  std::string directory_;
  int lock_ = -1;
};

}  // namespace marquee::app
