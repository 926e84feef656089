// What the threads of a loader share.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "loader_metrics.h"
#include "loader_store.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {

struct LoaderContext {
  LoaderContext(LoaderOptions loader_options, log::EventLog& event_log, clickhouse::Client& client,
                RollupGate& rollup_gate)
      : options(std::move(loader_options)),
        log(event_log),
        store(client),
        gate(rollup_gate),
        metrics(options.metrics) {}

  LoaderOptions options;
  log::EventLog& log;
  LoaderStore store;
  RollupGate& gate;
  LoaderMetrics metrics;
  std::function<void(std::uint64_t events)> on_landed;
  bool verify_kept_log = false;       ///< The machine went down: what is still kept must be counted again.
  std::function<void()> on_verified;  ///< Called once per partition, when that is done.

  /// Counts a failed attempt; logs the first of a row of them, and one now and then while it lasts.
  void note_failure(log::Partition partition, std::string_view what, const Error& error, unsigned failures);
  void clear_failure();
  [[nodiscard]] std::string last_error() const;

 private:
  mutable std::mutex mutex_;
  std::string last_error_;
};

/// Pause before attempt number `failures` + 1: doubling from 50 ms to 1.6 s, with jitter.
[[nodiscard]] std::chrono::milliseconds backoff(unsigned failures);

}  // namespace marquee::ingest
