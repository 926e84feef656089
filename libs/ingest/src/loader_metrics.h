// The loader's metrics.
#pragma once

#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Thread safe. With no registry given it counts into one of its own that nobody reads.
class LoaderMetrics {
 public:
  explicit LoaderMetrics(std::shared_ptr<metrics::Registry> registry);

  prometheus::Counter& events;
  prometheus::Counter& repeats;
  prometheus::Counter& dead_letters;
  prometheus::Counter& batches;
  prometheus::Counter& recoveries;
  prometheus::Counter& failures;
  prometheus::Histogram& insert_seconds;
  prometheus::Histogram& landing_seconds;
  [[nodiscard]] prometheus::Gauge& lag(log::Partition partition);

 private:
  explicit LoaderMetrics(metrics::Registry& registry);
  prometheus::Family<prometheus::Gauge>& lag_;
  std::shared_ptr<metrics::Registry> registry_;
};

}  // namespace marquee::ingest
