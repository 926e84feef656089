// marquee_profile_*: what the feeder and its store tell.
#pragma once

#include <array>
#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/profile/profile_store.h"

namespace marquee::profile {

/// Thread safe, but for show(). With no registry it counts into one of its own that nobody reads.
class FeederMetrics {
 public:
  explicit FeederMetrics(std::shared_ptr<metrics::Registry> registry);

  void count(const std::array<std::uint64_t, kOutcomes>& outcomes);
  /// From one thread.
  void show(const ProfileStoreState& state, std::uint64_t lag);

 private:
  std::shared_ptr<metrics::Registry> registry_;
  prometheus::Gauge& gauge(const char* name, const char* help);
  prometheus::Counter& counter(const char* name, const char* help);

  std::array<prometheus::Counter*, kOutcomes> events_{};
  prometheus::Gauge& profiles_;
  prometheus::Gauge& bytes_;
  prometheus::Gauge& lag_;
  prometheus::Counter& evicted_;
  prometheus::Counter& erased_;

 public:
  prometheus::Counter& unreadable;
  prometheus::Counter& snapshot_failures;
  prometheus::Gauge& snapshot_seconds;
  prometheus::Histogram& freshness_seconds;
};

}  // namespace marquee::profile
