// What the threads of a loader share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dead_letter_store.h"
#include "dead_letter_writer.h"
#include "loader_landing.h"
#include "loader_metrics.h"
#include "loader_store.h"
#include "marquee/ingest/loader.h"
#include "rebuilds.h"

namespace marquee::ingest {

/// A name that the store knows a loader by, as no other has it; never 0. is_for_repairs() or not.
[[nodiscard]] std::uint64_t draw_token(bool for_repairs = false);

struct LoaderContext {
  /// What the store knows this loader by, and which of its looks at what has landed goes with that: a batch that was
  /// built by an older look must not be landed under the name.
  struct Name {
    std::uint64_t token = 0;
    std::uint64_t look = 0;
  };

  LoaderContext(LoaderOptions loader_options, log::EventLog& event_log, const std::vector<clickhouse::Client*>& shards)
      : options(std::move(loader_options)),
        log(event_log),
        store(shards, options.replicated),
        landing(make_landing(options, store, log)),
        metrics(options.metrics, options.max_batch_rows),
        known_letters(*shards.front()),
        letters(options, known_letters, metrics) {
    for (clickhouse::Client* shard : shards) rebuilds_.push_back(std::make_unique<Rebuilds>(*shard));
    name_.token = draw_token();
  }

  LoaderOptions options;
  log::EventLog& log;
  LoaderStore store;
  std::unique_ptr<Landing> landing;
  LoaderMetrics metrics;
  DeadLetterStore known_letters;
  DeadLetterWriter letters;
  std::function<void(std::uint64_t events)> on_landed;
  bool verify_kept_log = false;       ///< The machine went down: what is still kept must be counted again.
  std::function<void()> on_verified;  ///< Called once per partition, when that is done.
  std::atomic<std::uint64_t> recoveries{0};

  [[nodiscard]] Name name() const;
  [[nodiscard]] std::uint64_t token() const { return name().token; }
  /// Takes another name where `replaced` is still the token. The next may be one for repairs (is_for_repairs). Where
  /// somebody has changed what has landed (LoaderStore::shut_out_all) it takes another look, too. May be tried again
  /// after an error.
  [[nodiscard]] Result<void> renew_name(std::uint64_t replaced, bool for_repairs = false);
  /// Of the shard that has the partition.
  [[nodiscard]] Rebuilds& rebuilds(log::Partition partition) { return *rebuilds_[partition % rebuilds_.size()]; }

  /// Counts a failed attempt; logs the first of a row of them, and one now and then while it lasts.
  void note_failure(log::Partition partition, std::string_view what, const Error& error, unsigned failures);
  void clear_failure(log::Partition partition);
  /// Of any partition; empty where every one's last attempt went well.
  [[nodiscard]] std::string last_error() const;
  [[nodiscard]] std::string last_error(log::Partition partition) const;

 private:
  mutable std::mutex mutex_;
  std::map<log::Partition, std::string> last_errors_;
  std::vector<std::unique_ptr<Rebuilds>> rebuilds_;
  Name name_;  ///< Guarded by mutex_.
};

/// Pause before attempt number `failures` + 1: doubling from 50 ms to 1.6 s, with jitter.
[[nodiscard]] std::chrono::milliseconds backoff(unsigned failures);

}  // namespace marquee::ingest
