// Tables beside the live ones, of the same schema, that a rewind fills and swaps in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "loader_batch.h"
#include "loader_store.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/rollup.h"
#include "offsets_sql.h"

namespace marquee::ingest {

/// Partition ids, "20260131".
using DayIds = std::set<std::string>;

/// An events table and every rollup, in a database of their own. A day is either *copied*, as the live tables have it,
/// or *made*: its events are put together row by row, and its rollups counted from them. A day is made where any of its
/// live rows, or of the new ones, is of an offset that is rewound. Not thread safe, but for store(). Where a step fails
/// its table may hold a part, and a statement without an answer may still come: all of it is to be dropped then.
class NewTables {
 public:
  /// Makes them, empty, in `database`.
  [[nodiscard]] static Result<std::unique_ptr<NewTables>> make(clickhouse::Client& client, const std::string& database,
                                                               std::uint64_t number);

  /// Lands in the new events table alone.
  [[nodiscard]] LoaderStore& store() { return store_; }
  /// Copies the live events but those of `from` and later: whole days, or rows of a day that has both.
  [[nodiscard]] Result<void> copy_events_before(const Offsets& from);
  /// Copies the live events of `from` and later.
  [[nodiscard]] Result<void> copy_events_after(const Offsets& from);
  /// Copies these live rows, ascending by offset, each once; not twice of the same range of offsets.
  [[nodiscard]] Result<void> copy_rows(log::Partition partition, const std::vector<Row>& rows);
  /// Events of these days are added; returns those that were not made before.
  DayIds make_days(const std::set<Day>& days);
  /// Rollups: those of copied days are copied, those of made days counted.
  [[nodiscard]] Result<void> fill_rollups();
  /// Counts the rollups of these days anew.
  [[nodiscard]] Result<void> count_days(const DayIds& days);
  /// Adds to the rollups of these days what the new events of `since` and later come to.
  [[nodiscard]] Result<void> count_since(const DayIds& days, const Offsets& since);
  /// Copies again what has changed of the copied days: a rollup was rebuilt, parts were merged.
  [[nodiscard]] Result<void> copy_changes();
  /// Action::retry where the live tables' schema has changed since these were made.
  [[nodiscard]] Result<void> check_schema();

  [[nodiscard]] const DayIds& made_days() const { return made_; }
  [[nodiscard]] std::vector<std::string> names() const;  ///< Of the tables, without database.

 private:
  /// A partition of a live table: table and day.
  using Place = std::pair<std::string, std::string>;

  NewTables(clickhouse::Client& client, const std::string& database);
  [[nodiscard]] Result<void> create(std::uint64_t number);
  [[nodiscard]] Result<std::string> schema();
  /// Names of the live parts, by place.
  [[nodiscard]] Result<std::map<Place, std::string>> live_parts();
  [[nodiscard]] Result<void> copy(const Place& place);
  [[nodiscard]] Result<void> copy_rows_before(const std::string& day, const Offsets& from);
  [[nodiscard]] Result<void> leave_out_newcomers(const Offsets& from);
  [[nodiscard]] Result<void> run(const std::string& sql, const clickhouse::Parameters& parameters = {});
  [[nodiscard]] std::string in_new(std::string_view table) const;

  clickhouse::Client& client_;
  const std::string database_;
  LoaderStore live_;
  LoaderStore store_;
  std::vector<Rollup> rollups_;
  std::string schema_;  ///< Of the live tables when these were made.
  DayIds made_;
  std::map<Place, std::string> copied_;  ///< With the names of the live parts at that time.
};

}  // namespace marquee::ingest
