// Token buckets by name (a write key, an address).
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace marquee::ingest {

/// A bucket holds one second's worth of tokens (at least one). What a request costs is known only once it is read, so a
/// bucket may go below zero: it then refuses until the debt is paid, which keeps the average at the rate. Thread safe.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Seconds to wait (rounded up) before `name` may send again at `rate` tokens a second; 0: now. A rate of 0 never
  /// limits.
  [[nodiscard]] std::uint64_t wait_seconds(std::string_view name, double rate, Clock::time_point now);
  void charge(std::string_view name, double rate, double tokens, Clock::time_point now);

 private:
  struct Bucket {
    double tokens = 0;
    Clock::time_point filled;
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  Bucket& fill(std::string_view name, double rate, Clock::time_point now);
  void forget_full(double rate, Clock::time_point now);

  std::mutex mutex_;
  std::unordered_map<std::string, Bucket, TextHash, std::equal_to<>> buckets_;  ///< Guarded by mutex_.
};

}  // namespace marquee::ingest
