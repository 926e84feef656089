// The local log's metrics.
#pragma once

#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"

namespace marquee::log {

/// The bounds that its gauges are read against.
struct LocalLogBounds {
  std::uint64_t max_bytes = 0, min_free_disk_bytes = 0, max_pending_bytes = 0;
};

/// Thread safe. With no registry given it counts into one of its own that nobody reads.
class LocalLogMetrics {
 public:
  LocalLogMetrics(std::shared_ptr<metrics::Registry> registry, const prometheus::Labels& labels,
                  const LocalLogBounds& bounds);

 private:
  std::shared_ptr<metrics::Registry> registry_;

 public:
  prometheus::Counter& records;
  prometheus::Gauge& kept_bytes;
  prometheus::Gauge& free_disk_bytes;
  prometheus::Gauge& pending_bytes;
  prometheus::Histogram& commit_seconds;
};

}  // namespace marquee::log
