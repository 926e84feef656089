// Rollups: what keeps them equal to the events table. A rollup is a table that a materialized view named <rollup>_mv
// fills from marquee.events_in; the view's SELECT, read from the store, is its only definition, for rebuild and recount
// too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

class StoreLock;

/// The right to rebuild the rollups of a shard, which one process has at a time: a rollup row that lands while its day
/// is rebuilt would be swapped away. While anybody holds it each replica of the shard refuses the loaders' inserts
/// (LoaderStore::is_rebuilding). The first replica decides who has it, and the rebuild is done there. It lives in the
/// store, so it holds between machines; who holds it and gives no sign of life for StoreLock::kLease, or is known
/// to be dead, loses it, and the store then refuses whatever of its rebuild is still to come. Thread safe.
class RebuildLock {
 public:
  /// Action::retry where another holds it. Where one that held it died while it swapped tables (rewind.h) or days in,
  /// that is finished first: its tables are swapped in, its days rebuilt.
  [[nodiscard]] static Result<std::unique_ptr<RebuildLock>> take(clickhouse::Client& store);
  /// Of who took it last; 0: nobody ever did. Numbers ascend.
  [[nodiscard]] static Result<std::uint64_t> last_number(clickhouse::Client& store);
  /// Whether one who took it after the holder of number `last` has rebuilt each of `days`, all at once.
  [[nodiscard]] static Result<bool> was_rebuilt(clickhouse::Client& store, const std::vector<std::string>& days,
                                                std::uint64_t last);
  /// Ends the refusals of a holder that has lost it, and finishes its swap. Nothing where the store is away or the
  /// holder lives.
  static void drop_given_up(clickhouse::Client& store);
  /// Gives it back.
  ~RebuildLock();
  RebuildLock(const RebuildLock&) = delete;
  RebuildLock& operator=(const RebuildLock&) = delete;

  /// Waits until no insert that began before runs any more, on any replica, and the first has what they wrote.
  /// Action::retry after `limit`.
  [[nodiscard]] Result<void> wait_for_inserts(Millis limit = Millis(30'000));
  /// The holder's own database: what it makes there is gone, and nothing more can be made, when the lock is lost.
  [[nodiscard]] const std::string& database() const;
  /// Whether the database stays when this goes, for who takes the lock next to go on with what is in it.
  void leave(bool does_stay);
  /// Tells who waits for the lock that it may no longer need it.
  [[nodiscard]] Result<void> note_rebuilt(const std::vector<std::string>& days);

 private:
  RebuildLock(clickhouse::Client& store, std::unique_ptr<StoreLock> lock);
  [[nodiscard]] Result<void> take_other_replicas();

  clickhouse::Client& store_;
  std::unique_ptr<StoreLock> lock_;
};

/// One rollup, as the store describes it.
struct Rollup {
  std::string table;   ///< Without database.
  std::string select;  ///< Over events_in.
  std::string engine;  ///< With all that follows: keys, settings.
  std::vector<std::string> columns;
  std::vector<std::string> types;  ///< Of the columns; SimpleAggregateFunction(f, T) is given as T.
};

/// Every rollup of the store, by name. As the following, of the shard that `store` speaks to.
[[nodiscard]] Result<std::vector<Rollup>> rollups(clickhouse::Client& store);

/// Rebuilds `days` (partition ids, "20260131") of every rollup from the events table; each day is swapped in by one
/// statement. May be cut off and begun again at any point. Returns the number of (table, day) partitions replaced.
[[nodiscard]] Result<std::uint64_t> rebuild_days(clickhouse::Client& store, const std::vector<std::string>& days);
/// The same with the lock, which the caller has.
[[nodiscard]] Result<std::uint64_t> rebuild_days(clickhouse::Client& store, RebuildLock& lock,
                                                 const std::vector<std::string>& days);

/// The same, of those days alone where a rollup differs from a recount; returns their number.
[[nodiscard]] Result<std::uint64_t> mend_days(clickhouse::Client& store, const std::vector<std::string>& days);

/// Counts every day of those rollups anew whose definition is not the one by which they were counted before, as after a
/// migration, and notes by which they now are; returns their number. May be cut off and begun again at any point.
[[nodiscard]] Result<std::uint64_t> count_changed_rollups(clickhouse::Client& store);

/// Compares every day of every rollup with a recount from the events table; one line for people per difference, empty
/// where all agree. Events that land meanwhile show as differences: ask while nothing is being inserted.
[[nodiscard]] Result<std::vector<std::string>> rollup_differences(clickhouse::Client& store);

}  // namespace marquee::ingest
