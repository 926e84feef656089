// Carries the decisions' log into marquee.decisions.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

/// Each record lands at least once: one whose insert had no answer, or that another loader took over half way, is
/// inserted again and replaces itself. A store that is away is waited for; the log keeps what waits. Of a log that
/// several loaders follow it carries the partitions that are its own. One thread; thread safe.
class DecisionLoader : private log::Follower {
 public:
  /// `decisions`, which no other follower may have, and `store`, which nobody else should use, must outlive it.
  DecisionLoader(log::EventLog& decisions, clickhouse::Client& store, std::shared_ptr<metrics::Registry> metrics);
  ~DecisionLoader() override { stop(); }

  void start();
  /// Waits for an insert under way.
  void stop();

 private:
  void take(const std::vector<log::Partition>& partitions) override;
  void release(const std::vector<log::Partition>& partitions, bool is_lost) override;
  void run(const std::stop_token& stop);
  [[nodiscard]] Result<void> load_some(log::Partition partition);
  /// From where it goes on; asked of the log where it is not known.
  [[nodiscard]] Result<log::Offset> next_of(log::Partition partition);
  void set_next(log::Partition partition, std::optional<log::Offset> next);

  log::EventLog& decisions_;
  clickhouse::Client& store_;
  prometheus::Counter* landed_ = nullptr;
  std::mutex mutex_;
  std::map<log::Partition, std::optional<log::Offset>> next_;  ///< Of the partitions that are ours. Guarded by mutex_.
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace marquee::serving
