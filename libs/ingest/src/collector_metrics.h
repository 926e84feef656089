// The collector's metrics.
#pragma once

#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"

namespace marquee::ingest {

/// Thread safe. With no registry given it counts into one of its own that nobody reads.
class CollectorMetrics {
 public:
  explicit CollectorMetrics(std::shared_ptr<metrics::Registry> registry);

  void accepted(std::uint64_t events, double seconds);
  void rejected(std::uint64_t events);
  void answered(unsigned status);

 private:
  std::shared_ptr<metrics::Registry> registry_;
  prometheus::Counter& accepted_;
  prometheus::Counter& rejected_;
  prometheus::Counter& good_;  ///< Answers below 400, and the others by class.
  prometheus::Counter& refused_;
  prometheus::Counter& limited_;
  prometheus::Counter& failed_;
  prometheus::Histogram& seconds_;
};

}  // namespace marquee::ingest
