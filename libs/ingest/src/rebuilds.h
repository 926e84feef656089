// Rebuilds of rollups for several partitions at once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "loader_batch.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {

/// When a loader dies, whoever takes over has several of its partitions to recover, mostly of the same days; when the
/// store dies, every loader has. They are rebuilt once for all that wait, in this process and in others. Thread safe.
class Rebuilds {
 public:
  using Wanted = std::function<bool()>;

  explicit Rebuilds(clickhouse::Client& store) : store_(store) {}

  /// Rebuilds `days` of every rollup, after everything that the events table holds by now, or sees that another process
  /// has. Action::retry where that takes long, `is_wanted` (asked often) says no, or the store is away.
  [[nodiscard]] Result<void> run(const std::set<Day>& days, const Wanted& is_wanted);

 private:
  /// Those who ask before one rebuild begins.
  struct Round {
    std::set<Day> days;
    std::uint64_t asked = 0;  ///< How often.
    bool is_done = false;
    Result<void> result;
  };
  [[nodiscard]] Result<void> run_next(const Wanted& is_wanted);
  /// Null where another process has rebuilt, meanwhile, what was to be rebuilt.
  [[nodiscard]] Result<std::unique_ptr<RebuildLock>> take_lock(const Wanted& is_wanted);
  /// Ends the next round for joining where it still has been asked for `asked` times.
  [[nodiscard]] bool close_next(std::uint64_t asked);
  [[nodiscard]] std::pair<std::vector<std::string>, std::uint64_t> next_days() const;

  clickhouse::Client& store_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Round> next_;  ///< Guarded by mutex_, as is the next. Null while nobody waits.
  bool is_running_ = false;
};

}  // namespace marquee::ingest
