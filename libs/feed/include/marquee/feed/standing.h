// How feeds stand, whichever loader has their partitions: for people and alerts.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/feed/feed.h"

namespace marquee::feed {

/// Writes what a loader sees of its partitions to the store.
[[nodiscard]] Result<void> write_standing(clickhouse::Client& store, const std::vector<FeedStatus>& feeds);

/// Every partition of the feed's topic: how far it has come from Kafka, the rest from what loaders wrote to the store.
/// While the store is away, what Kafka knows.
[[nodiscard]] Result<FeedStatus> read_standing(clickhouse::Client& store, const kafka::Cluster& cluster,
                                               const Description& feed, const std::string& group_prefix);

/// Tells the store how each partition of a process's feeds stands: while anything happens, and now and then; and what
/// reads metrics, how many messages wait. Not thread safe.
class Reporter {
 public:
  /// `loader` is this process: "host:pid".
  Reporter(clickhouse::Client& store, std::string loader, metrics::Registry& metrics);
  /// What the last call told of a partition is the measure of what has changed, and of its rate. Returns the feeds with
  /// their rates.
  std::vector<FeedStatus> report(std::vector<FeedStatus> feeds);

 private:
  using Place = std::pair<std::string, log::Partition>;  ///< A feed's partition.
  void measure(const std::vector<FeedStatus>& feeds);

  clickhouse::Client& store_;
  const std::string loader_;
  prometheus::Family<prometheus::Gauge>& waiting_;
  std::map<Place, prometheus::Gauge*> gauges_;
  std::map<Place, FeedStatus::Partition> told_;
};

}  // namespace marquee::feed
