// How often somebody may try to sign in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "marquee/base/time.h"

namespace marquee::access {

struct AttemptRules {
  double burst = 10;           ///< Failures at once, and
  Millis refill{60'000};       ///< the time after which one more is given.
  std::size_t most = 100'000;  ///< Keys remembered; beyond, those that tried longest ago are forgotten.
};

/// Counts failures by key (an address, a name) in a leaky bucket. An attempt counts when it is begun, so that many at
/// once are no more than one after another, and is taken back where it succeeds. Thread safe, bounded in memory.
class AttemptLimit {
 public:
  explicit AttemptLimit(AttemptRules rules = {}) : rules_(rules) {}

  /// Begins an attempt. How long to wait where it is one too many, which is then not counted.
  [[nodiscard]] std::optional<Millis> begin(std::string_view key, WallTime now);
  /// It succeeded: it counts no more.
  void take_back(std::string_view key);

 private:
  struct Bucket {
    std::string key;
    double level = 0;
    WallTime at;
  };

  const AttemptRules rules_;
  std::mutex mutex_;
  std::list<Bucket> buckets_;  ///< The latest attempt first.
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;
};

}  // namespace marquee::access
