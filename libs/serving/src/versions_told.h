// What people are told of the model's versions.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "marquee/learning/model_watch.h"
#include "merged_logs.h"
#include "version_log.h"

namespace marquee::serving {

/// Thread safe.
class VersionsTold {
 public:
  /// `policy`: what names of versions begin with.
  explicit VersionsTold(std::string_view policy) : policy_(policy) {}

  /// A recorded round; only those of a new version are of interest.
  void add(const Round& round);
  /// What serves and version `reference` (0: none) over the same latest impressions.
  void compare(const learning::Quality& served, const learning::Quality& previous, std::uint64_t reference);
  /// What the model that serves has been learned from: all before `cut`.
  void served_until(LogCut cut);
  [[nodiscard]] LogCut served_until() const;
  /// 0: none yet.
  [[nodiscard]] std::uint64_t last_version() const;
  /// `unread`: records of both logs that are not before served_until().
  [[nodiscard]] std::string json(std::uint64_t unread) const;

 private:
  const std::string policy_;
  mutable std::mutex mutex_;
  std::deque<Round> latest_, left_;
  learning::Quality served_, previous_;
  std::uint64_t last_ = 0, reference_ = 0;
  LogCut cut_;
};

}  // namespace marquee::serving
