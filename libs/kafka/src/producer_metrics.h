// The producer's metrics.
#pragma once

#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"

namespace marquee::kafka {

/// Thread safe; outlives every producer that counts into it. With no registry given, into one that nobody reads.
class ProducerMetrics {
 public:
  ProducerMetrics(std::shared_ptr<metrics::Registry> registry, std::uint64_t max_pending_bytes);

 private:
  std::shared_ptr<metrics::Registry> registry_;

 public:
  prometheus::Gauge& pending_bytes;
  prometheus::Counter& broken;  ///< Producers that had to be replaced.
};

}  // namespace marquee::kafka
