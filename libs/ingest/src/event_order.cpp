#include "marquee/ingest/event_order.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"
#include "rollup_sql.h"

namespace marquee::ingest {
namespace {

constexpr std::string_view kOldOrder = "site_id, user_key, event_time";
constexpr std::string_view kOrderedTable =
    "ordered";  ///< In the lock's database. Not "events": that would be a swap (table_swap.h).

/// As a statement has it.
std::string clause(std::string_view order) { return fmt::format("ORDER BY ({})", order); }

Result<std::string> text(clickhouse::Client& store, const std::string& sql) {
  const auto table = store.table(sql, {}, {.replica = 0});
  if (!table) return table.error();
  return table->rows.at(0).at(0);
}

/// Whether a copy fits beside what is there, with a third to spare for what is merged.
Result<bool> has_room(clickhouse::Client& store, const std::string& database) {
  const auto fits = text(store, fmt::format("SELECT (SELECT sum(bytes_on_disk) FROM system.parts WHERE database = '{}' "
                                            "AND table = 'events' AND active) * 4 / 3 <= min(unreserved_space) "
                                            "FROM system.disks",
                                            database));
  if (!fits) return fits.error();
  return *fits == "1";
}

/// Every row of `from`, a day at a time.
Result<void> copy(clickhouse::Client& store, const std::string& from, const std::string& to) {
  const auto days = store.table(fmt::format("SELECT DISTINCT _partition_id FROM {} ORDER BY 1", from), {}, heavy());
  if (!days) return days.error();
  for (const auto& row : days->rows) {
    auto copied =
        store.execute(fmt::format("INSERT INTO {} SELECT * FROM {} WHERE _partition_id = {{day:String}}", to, from),
                      {{"day", row[0]}}, heavy());
    if (!copied) return copied;
    logging::info("events.ordered", {{"day", row[0]}});
  }
  const auto count = [&](const std::string& table) { return text(store, "SELECT count() FROM " + table); };
  const auto before = count(from), after = count(to);
  if (!before) return before.error();
  if (!after) return after.error();
  if (*before != *after) return Error::retry("the events have changed while they were put into order");
  return {};
}

}  // namespace

Result<bool> order_events(clickhouse::Client& store) {
  const std::string& database = store.endpoint().database;
  const std::string events = database + ".events";
  const auto read_engine = [&] {
    return text(store, fmt::format("SELECT engine_full FROM system.tables WHERE database = '{}' AND name = 'events'",
                                   database));
  };
  auto engine = read_engine();
  if (!engine) return engine.error();
  if (!engine->starts_with("MergeTree") || engine->find(clause(kOldOrder)) == std::string::npos) return false;
  const auto lock = RebuildLock::take(store);
  if (!lock) return lock.error();
  if (auto waited = (*lock)->wait_for_inserts(); !waited) return waited.error();
  engine = read_engine();  // Whoever had the lock before may have done it.
  if (!engine) return engine.error();
  const auto at = engine->find(clause(kOldOrder));
  if (at == std::string::npos) return false;
  const auto room = has_room(store, database);
  if (!room) return room.error();
  if (!*room) {
    logging::warn("events.order_left", {{"why", "the disk has no room for a second copy of the events"}});
    return false;
  }
  engine->replace(at, clause(kOldOrder).size(), clause(kEventOrder));
  const std::string ordered = fmt::format("{}.{}", (*lock)->database(), kOrderedTable);
  // The comment says which rewind made the table; a table made by AS has none.
  const auto comment =
      text(store, fmt::format("SELECT comment FROM system.tables WHERE database = '{}' AND name = 'events'", database));
  if (!comment) return comment.error();
  const auto with = comment->empty() ? std::string() : fmt::format(" COMMENT '{}'", *comment);
  auto done =
      store.execute(fmt::format("CREATE TABLE {} AS {} ENGINE = {}{}", ordered, events, *engine, with), {}, heavy());
  if (done) done = copy(store, events, ordered);
  if (done) done = store.execute(fmt::format("EXCHANGE TABLES {} AND {}", events, ordered), {}, heavy());
  if (!done) return done.error();
  return true;
}

}  // namespace marquee::ingest
