// The loader: carries the log into ClickHouse, each event exactly once into the events table and every rollup, whatever
// dies in between. The algorithm is "Exactly once" in ARCHITECTURE.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/dead_letter.h"
#include "marquee/ingest/pipeline.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

struct LoaderOptions {
  std::size_t max_batch_rows = 100'000;
  std::size_t max_batch_bytes = 32 * 1024 * 1024;
  std::uint64_t linger_ms = 10;  ///< How long a small batch waits for more.
  std::size_t inserters = 1;     ///< Inserts that may run at once; each carries batches of several partitions.
  std::size_t identity_window = 2'000'000;  ///< Events per partition within which a repeat is recognised.
  std::uint64_t report_ms = 2'000;  ///< Between two rows per partition in marquee.pipeline; 0: none are written.
  std::shared_ptr<metrics::Registry> metrics;
  std::string topic;  ///< Of the log, as dead letters and tokens name it; empty where it is none of Kafka's.
  /// Where dead letters go besides the store, before their batch is confirmed. May be empty.
  DeadLetterSink dead_letter_sink;
  /// The store's tables are replicated: inserts carry tokens, each is of one partition, and one whose outcome is not
  /// known is sent again.
  bool replicated = false;
  std::string insert_quorum = "auto";  ///< Replicas that have an insert before it is answered; replicated only.
  /// Keeps the machine's boot id, by which a power loss of the store's machine is known where that is this one: after
  /// one, all of the log that is still kept is counted again. Empty: power losses are not looked for.
  std::string directory;
};

struct LoaderStatus {
  std::uint64_t events_landed = 0, repeats_dropped = 0, dead_letters = 0, batches = 0, recoveries = 0;
  std::uint64_t lag_events = 0;
  std::string last_error;   ///< Empty when the last batch landed.
  bool has_joined = false;  ///< The log has said which partitions are this process's, if only that none is yet.
};

/// Lands the partitions that the log says are this process's (EventLog::follow). Runs one thread per inserter, and one
/// per partition that reads ahead. Thread safe.
class Loader {
 public:
  Loader(LoaderOptions options, log::EventLog& log, clickhouse::Client& store);
  /// A client for each shard of a cluster: that of a partition is the one at its number modulo how many there are.
  Loader(LoaderOptions options, log::EventLog& log, std::vector<clickhouse::Client*> shards);
  ~Loader();
  /// Begins. What a crash left in flight is completed first; a store that is away is waited for.
  void start();
  /// Lands what is under way and stops.
  void stop();
  [[nodiscard]] LoaderStatus status() const;
  /// Of the partitions that are this process's.
  [[nodiscard]] std::vector<PartitionStatus> partitions() const;
  /// Called after each landed batch with its event counts, on a loader thread; for the live view. Set before start().
  void on_landed(std::function<void(std::uint64_t events)> callback);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Rebuilds every rollup partition (day) from the events table, atomically, a day at a time. [from_day, to_day] are ISO
/// dates; empty for all. Returns the number of (table, day) partitions replaced. Loaders may run meanwhile, anywhere:
/// their inserts come through between days.
[[nodiscard]] Result<std::uint64_t> rebuild_rollups(clickhouse::Client& store, std::string_view from_day,
                                                    std::string_view to_day);

}  // namespace marquee::ingest
