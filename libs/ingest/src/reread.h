// Every partition's history, read again side by side.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "history.h"
#include "loader_store.h"
#include "marquee/event/identity_window.h"
#include "marquee/ingest/rewind.h"
#include "offsets_sql.h"

namespace marquee::ingest {

/// Reads on from where the plan begins, each partition with a window of its own. Not thread safe.
class Reread {
 public:
  using Read = std::function<Result<void>(History& history, log::Partition partition, log::Range range)>;

  /// All of them must outlive it; `live` is the live events table of `store`.
  Reread(const RewindOptions& options, log::EventLog& log, clickhouse::Client& store, LoaderStore& live,
         const RewindPlan& plan);

  [[nodiscard]] const Offsets& next() const { return next_; }
  /// How each partition stands, asked now.
  [[nodiscard]] Result<std::vector<log::Progress>> progress() const;
  /// Calls `read` for each partition that has not been read up to `to`, of several at a time on threads of their own.
  /// Where it fails, or is stopped (Action::reject), nothing can be read on.
  [[nodiscard]] Result<void> read(const Offsets& to, const Read& read);

  /// Tells of a step that begins.
  void show(std::string_view step);
  [[nodiscard]] double seconds() const;
  /// Action::reject where the rewind is to stop.
  [[nodiscard]] Result<void> check_stop() const;

 private:
  [[nodiscard]] Result<void> read_partition(log::Partition partition, log::Offset to, const Read& read);
  [[nodiscard]] Result<void> note_read(const LoadBatch& batch);

  const RewindOptions& options_;
  log::EventLog& log_;
  LoaderStore& live_;
  HistoryLetters letters_;
  Offsets next_;
  std::vector<std::unique_ptr<event::IdentityWindow>> windows_;  ///< Null until the partition is first read.
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  RewindProgress progress_;  ///< Guarded by mutex_.
};

}  // namespace marquee::ingest
