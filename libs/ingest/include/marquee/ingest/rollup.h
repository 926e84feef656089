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
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

/// Keeps inserts and rebuilds apart, within the process and between processes of one machine: a rollup row that lands
/// while its day is rebuilt would be swapped away. Inserts share the gate, a rebuild has it alone; a rebuild that waits
/// lets no new insert in. It is a pair of file locks, which the kernel frees when a process dies. Thread safe.
class RollupGate {
 public:
  /// `directory` holds the lock files; empty: the gate is for this process alone. Fails (Action::give_up) where they
  /// cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<RollupGate>> open(const std::string& directory);
  ~RollupGate();

  /// Open while it lives.
  class Pass {
   public:
    Pass(Pass&& other) noexcept;
    Pass& operator=(Pass&&) = delete;
    ~Pass();

   private:
    friend class RollupGate;
    explicit Pass(std::vector<int> files) : files_(std::move(files)) {}
    std::vector<int> files_;
  };

  /// Waits until no rebuild is under way.
  [[nodiscard]] Result<Pass> share();
  /// Waits until no insert is under way.
  [[nodiscard]] Result<Pass> close();

 private:
  RollupGate(int entry, int gate) : entry_(entry), gate_(gate) {}
  int entry_;  ///< Held for a moment by each who enters, and by a rebuild from when it begins to wait.
  int gate_;
};

/// One rollup, as the store describes it.
struct Rollup {
  std::string table;   ///< Without database.
  std::string select;  ///< Over marquee.events_in.
  std::vector<std::string> columns;
  std::vector<std::string> types;  ///< Of the columns; SimpleAggregateFunction(f, T) is given as T.
};

/// Every rollup of the store, by name.
[[nodiscard]] Result<std::vector<Rollup>> rollups(clickhouse::Client& store);

/// Rebuilds `days` (partition ids, "20260131") of every rollup from the events table, a day at a time, each swapped in
/// atomically. The caller keeps inserts away (RollupGate::close). May be cut off and begun again at any point. Returns
/// the number of (table, day) partitions replaced.
[[nodiscard]] Result<std::uint64_t> rebuild_days(clickhouse::Client& store, const std::vector<std::string>& days);

/// Compares every day of every rollup with a recount from the events table; one line for people per difference, empty
/// where all agree. Events that land meanwhile show as differences: ask while nothing is being inserted.
[[nodiscard]] Result<std::vector<std::string>> rollup_differences(clickhouse::Client& store);

}  // namespace marquee::ingest
