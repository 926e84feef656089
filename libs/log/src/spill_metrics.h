// What a spilling log tells of itself under /metrics.
#pragma once

#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"

namespace marquee::log {

/// Thread safe. `registry` may be null: then nothing is counted.
class SpillMetrics {
 public:
  explicit SpillMetrics(const std::shared_ptr<metrics::Registry>& registry);

  void spilled(std::uint64_t records, std::uint64_t bytes) const;
  /// `kept` of the drained ones the far log had acknowledged late.
  void drained(std::uint64_t records, std::uint64_t kept) const;
  void waits(std::uint64_t records, std::int64_t oldest_age_ms) const;

 private:
  std::shared_ptr<metrics::Registry> registry_;
  prometheus::Counter* spilled_ = nullptr;
  prometheus::Counter* spilled_bytes_ = nullptr;
  prometheus::Counter* drained_ = nullptr;
  prometheus::Counter* kept_ = nullptr;
  prometheus::Gauge* waiting_ = nullptr;
  prometheus::Gauge* oldest_seconds_ = nullptr;
};

}  // namespace marquee::log
