// Carries the decisions' log into marquee.decisions.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

/// Each record lands at least once: one whose insert had no answer is inserted again, and replaces itself. A store that
/// is away is waited for; the log keeps what waits. One thread; thread safe.
class DecisionLoader {
 public:
  /// `decisions` and `store`, which nobody else should use, must outlive it.
  DecisionLoader(log::EventLog& decisions, clickhouse::Client& store, std::shared_ptr<metrics::Registry> metrics);
  ~DecisionLoader() { stop(); }

  void start();
  /// Waits for an insert under way.
  void stop();

 private:
  void run(const std::stop_token& stop);
  /// Whether there was something.
  [[nodiscard]] Result<bool> load_some(log::Partition partition);

  log::EventLog& decisions_;
  clickhouse::Client& store_;
  prometheus::Counter* landed_ = nullptr;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace marquee::serving
