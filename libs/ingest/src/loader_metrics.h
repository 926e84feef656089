// The loader's metrics.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/ingest/pipeline.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Of one partition, whose number is their label.
struct PartitionMetrics {
  prometheus::Counter& events;
  prometheus::Counter& repeats;
  prometheus::Counter& dead_letters;
  prometheus::Counter& batches;
  prometheus::Counter& failures;
};

/// Thread safe. With no registry given it counts into one of its own that nobody reads.
class LoaderMetrics {
 public:
  LoaderMetrics(std::shared_ptr<metrics::Registry> registry, std::size_t max_batch_rows);

 private:
  std::shared_ptr<metrics::Registry> registry_;

 public:
  prometheus::Counter& recoveries;
  prometheus::Counter& dead_letters_not_handed_on;
  prometheus::Histogram& insert_seconds;
  prometheus::Histogram& landing_seconds;
  /// Made at 0 when the partition is taken, so that the first of a kind is an increase.
  [[nodiscard]] PartitionMetrics& of(log::Partition partition);
  /// Shows the partitions that are this loader's now, and no others.
  void show(const std::vector<PartitionStatus>& partitions);

 private:
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Counters = prometheus::Family<prometheus::Counter>;
  Counters& counters(const char* name, const char* help);
  Gauges& gauges(const char* name, const char* help);

  Counters& events_;
  Counters& repeats_;
  Counters& dead_letters_;
  Counters& batches_;
  Counters& failures_;
  Gauges& lag_events_;
  Gauges& lag_seconds_;
  Gauges& batch_rows_;
  Gauges& landed_time_;
  Gauges& failing_;
  std::mutex mutex_;
  std::map<log::Partition, PartitionMetrics> partitions_;  ///< Guarded by mutex_, as is the next.
  std::set<log::Partition> shown_;
};

}  // namespace marquee::ingest
