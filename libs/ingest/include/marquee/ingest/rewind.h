// Rewind: reads history again from the log, into tables beside the live ones that are then swapped in, or into the live
// events table, where that has lost rows. Loaders and collectors go on meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Where history is read again from. One of these is set, or none: the oldest that the log keeps.
struct RewindFrom {
  std::optional<WallTime> time;                   ///< What the log took then and later.
  std::optional<log::Offset> offset;              ///< Of every partition.
  std::map<log::Partition, log::Offset> offsets;  ///< Of these; the other partitions' history is left as it is.
};

/// "start", "2026-11-01T00:00:00Z", "2026-11-01", "2h" (ago), "4711" or "0:4711,3:12". Action::reject for anything
/// else.
[[nodiscard]] Result<RewindFrom> parse_rewind_from(std::string_view text, WallTime now);

struct RewindRange {
  log::Partition partition = 0;
  log::Range range;              ///< To be read again: to what has landed.
  log::Offset oldest = 0;        ///< That the log keeps.
  std::uint64_t rows_there = 0;  ///< In the events table, of these offsets.
};

struct RewindPlan {
  std::vector<RewindRange> partitions;
  std::uint64_t rows_before = 0;  ///< In the events table, of older offsets or of another log.
  [[nodiscard]] std::uint64_t records() const;
};

/// What a rewind from there would read. Action::reject where the log does not hold all of it, and where the events
/// table is replicated or of several shards: tables are exchanged on one server.
[[nodiscard]] Result<RewindPlan> plan_rewind(log::EventLog& log, clickhouse::Client& store, const RewindFrom& from);

struct RewindProgress {
  std::string_view step;                ///< "reading the log", ...
  std::uint64_t read = 0, to_read = 0;  ///< Records.
  double seconds = 0;
};

struct RewindOptions {
  RewindFrom from;
  std::string topic;  ///< Of the log, as the loaders have it.
  std::size_t max_batch_rows = 100'000;
  std::size_t max_batch_bytes = 32 * 1024 * 1024;
  std::size_t identity_window = 2'000'000;  ///< As the loaders have it.
  Millis patience{120'000};                 ///< How long a store or a log that is away is waited for,
  Millis patience_with_another{0};          ///< and whoever else has the right to rewind.
  const std::atomic<bool>* stop = nullptr;  ///< Once it is set, the rewind ends and leaves everything as it was.
  std::function<void(const RewindProgress&)> on_progress;  ///< On any thread, one at a time.
};

struct RewindSummary {
  std::uint64_t records = 0, events = 0, repeats = 0, dead_letters = 0;  ///< Read.
  std::uint64_t missing = 0;                                             ///< Events that the events table had lost.
  std::uint64_t surplus = 0;    ///< Rows that it had once too often. In place they are left there.
  std::uint64_t strangers = 0;  ///< Rows of another log at the same offsets; they are kept.
  std::uint64_t days = 0;       ///< Made anew; in place: days whose rollups differed and were counted again.
  Millis inserts_held{0};       ///< How long no loader could insert.
  double seconds = 0;
};

/// Makes the events table and every rollup anew and swaps them in: what is of the rewound offsets comes from the log,
/// through the same window of identities and with the same dead letters as a loader would land it; what is older is
/// copied. Whoever dies meanwhile: either everything stays as it was, or everything is swapped in (by the next that
/// takes the rebuild lock, which running loaders do). Action::retry where another rewind is under way.
[[nodiscard]] Result<RewindSummary> rewind(const RewindOptions& options, log::EventLog& log, clickhouse::Client& store);

/// Inserts into the live events table what is missing of the same offsets, and counts the rollups of days again where
/// they differ. On tables that are whole nothing is written. May be cut off and begun again at any point.
[[nodiscard]] Result<RewindSummary> rewind_in_place(const RewindOptions& options, log::EventLog& log,
                                                    clickhouse::Client& store);

/// Finishes or clears away what a rewind or a rebuild left that died. Loaders call it now and then.
[[nodiscard]] Result<void> clear_left(clickhouse::Client& store);

}  // namespace marquee::ingest
