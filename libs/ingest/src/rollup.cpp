#include "marquee/ingest/rollup.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <thread>

#include "marquee/base/logging.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/retention.h"
#include "rollup_sql.h"
#include "swap_note.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kDaysAtOnce = 16;
constexpr int kRebuildAttempts = 600;  // A recovery's rebuild may be under way; the longest has days to do.

using Days = std::span<const std::string>;

/// The rollup's SELECT over `source` instead of over what is being inserted.
Result<std::string> select_over(clickhouse::Client& store, const Rollup& rollup, std::string_view source) {
  const std::string& database = store.endpoint().database;
  const std::string entry = database + ".events_in";
  const std::size_t at = rollup.select.find(entry);
  if (at == std::string::npos || rollup.select.find(entry, at + entry.size()) != std::string::npos) {
    return Error::give_up(
        fmt::format("the view of {}.{} does not name {} exactly once", database, rollup.table, entry));
  }
  return fmt::format("{}{}{}", rollup.select.substr(0, at), source, rollup.select.substr(at + entry.size()));
}

std::string days_of_events(clickhouse::Client& store, Days days) {
  return rows_of_days(store.endpoint().database + ".events", days);
}

std::string joined(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ", ")); }

/// SimpleAggregateFunction(f, T) holds a plain T.
std::string plain_type(const std::string& type) {
  constexpr std::string_view kSimple = "SimpleAggregateFunction(";
  if (!type.starts_with(kSimple)) return type;
  const std::size_t comma = type.find(", ");
  return type.substr(comma + 2, type.size() - comma - 3);
}

/// Partition ids of `tables`, ascending.
Result<std::vector<std::string>> partitions(clickhouse::Client& store, const std::string& quoted_tables,
                                            std::string_view from, std::string_view to) {
  auto table = store.table(
      fmt::format("SELECT DISTINCT partition_id FROM system.parts WHERE database = '{}' AND active AND table IN ({}) "
                  "AND partition_id >= {{from:String}} AND partition_id <= {{to:String}} ORDER BY partition_id",
                  store.endpoint().database, quoted_tables),
      {{"from", std::string(from)}, {"to", std::string(to)}}, {.replica = 0});
  if (!table) return table.error();
  std::vector<std::string> ids;
  for (auto& row : table->rows) ids.push_back(std::move(row[0]));
  return ids;
}

std::string quoted_names(const std::vector<Rollup>& all) {
  std::string names = "'events'";
  for (const Rollup& rollup : all) names += fmt::format(", '{}'", rollup.table);
  return names;
}

/// "2026-01-31" -> "20260131"; `otherwise` where it is empty.
Result<std::string> id_of_date(std::string_view date, std::string_view otherwise) {
  if (date.empty()) return std::string(otherwise);
  const bool is_date = date.size() == 10 && date[4] == '-' && date[7] == '-' &&
                       std::ranges::count_if(date, [](char c) { return c >= '0' && c <= '9'; }) == 8;
  if (!is_date) return Error::reject(fmt::format("\"{}\" is not a day: write it as 2026-01-31", date));
  return fmt::format("{}{}{}", date.substr(0, 4), date.substr(5, 2), date.substr(8, 2));
}

Result<void> run_all(clickhouse::Client& store, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    if (auto done = store.execute(statement, {}, heavy()); !done) return done.error();
  }
  return {};
}

/// A replicated table's copy must have a place of its own in Keeper: the first text of its engine.
std::string engine_of_fresh(const Rollup& rollup, std::string_view database) {
  if (!rollup.engine.starts_with("Replicated")) return {};
  const std::size_t begin = rollup.engine.find('\'');
  const std::size_t end = rollup.engine.find('\'', begin + 1);
  if (end == std::string::npos) return {};
  return fmt::format(" ENGINE = {}'/clickhouse/tables/{{shard}}/{}/{}{}", rollup.engine.substr(0, begin), database,
                     rollup.table, rollup.engine.substr(end));
}

/// All of `days` in one statement: what a statement costs besides its rows is most of a recovery's rebuild.
Result<void> rebuild_rollup(clickhouse::Client& store, const Rollup& rollup, Days days, RebuildLock& lock) {
  const std::string& database = lock.database();
  const std::string target = fmt::format("{}.{}", store.endpoint().database, rollup.table);
  const std::string fresh = fmt::format("{}.{}", database, rollup.table);
  const auto insert = insert_select(store, rollup, fresh, days_of_events(store, days));
  if (!insert) return insert.error();
  std::vector<std::string> statements = {
      fmt::format("DROP TABLE IF EXISTS {} SYNC", fresh),
      fmt::format("CREATE TABLE {} AS {}{}", fresh, target, engine_of_fresh(rollup, database))};
  // Merges make projections, but what is swapped in may be one part, which is never merged.
  if (rollup.engine.find("materialize_projections_on_insert = 0") != std::string::npos)
    statements.push_back(fmt::format("ALTER TABLE {} MODIFY SETTING materialize_projections_on_insert = 1", fresh));
  statements.push_back(*insert);
  if (auto made = run_all(store, statements); !made) return made;
  const auto filled = store.table(fmt::format("SELECT DISTINCT _partition_id FROM {}", fresh), {}, heavy());
  if (!filled) return filled.error();
  std::vector<std::string> swaps;
  for (const std::string& day : days) {
    // ClickHouse refuses to replace a partition by nothing; moved, it goes with the database. Both name the database,
    // so that neither is done by a holder that has lost it.
    const bool is_empty = std::ranges::none_of(filled->rows, [&](const auto& row) { return row.at(0) == day; });
    swaps.push_back(is_empty ? fmt::format("ALTER TABLE {} MOVE PARTITION ID '{}' TO TABLE {}", target, day, fresh)
                             : fmt::format("ALTER TABLE {} REPLACE PARTITION ID '{}' FROM {}", target, day, fresh));
  }
  auto swapped = run_all(store, swaps);
  if (!swapped) lock.leave(true);  // What became of the one that failed is not known.
  return swapped;
}

/// Those of which the events table still has all; what was counted of the others stays (retention.h).
Result<std::vector<std::string>> whole_days(clickhouse::Client& store, Days days) {
  const auto since = whole_since(store);
  if (!since) return since.error();
  std::vector<std::string> whole;
  std::ranges::copy_if(days, std::back_inserter(whole), [&](const std::string& day) { return day >= *since; });
  if (whole.size() < days.size())
    logging::info("rollup.days_left", {{"days", days.size() - whole.size()}, {"reason", "retention of events"}});
  return whole;
}

Result<void> rebuild(clickhouse::Client& store, RebuildLock& lock, const std::vector<Rollup>& some_rollups,
                     Days all_days) {
  if (all_days.empty() || some_rollups.empty()) return {};
  const auto whole = whole_days(store, all_days);
  if (!whole) return whole.error();
  const Days days(*whole);
  if (days.empty()) return {};
  if (auto waited = lock.wait_for_inserts(); !waited) return waited.error();
  if (auto noted = note_swaps(store, lock.database(), {days.begin(), days.end()}); !noted) return noted;
  for (const Rollup& rollup : some_rollups) {
    for (std::size_t begin = 0; begin < days.size(); begin += kDaysAtOnce) {
      const Days some = days.subspan(begin, std::min(kDaysAtOnce, days.size() - begin));
      if (auto done = rebuild_rollup(store, rollup, some, lock); !done) {
        return Error{done.error().action,
                     fmt::format("rebuilding {} of {}: {}", rollup.table, fmt::join(some, ", "), done.error().message)};
      }
    }
  }
  return forget_swaps(store, lock.database());
}

/// Again while the lock is another's, or the store away.
template <class Attempt>
auto patiently(const Attempt& attempt) {
  auto done = attempt();
  for (int count = 1; !done && done.error().action == Action::retry && count < kRebuildAttempts; ++count) {
    std::this_thread::sleep_for(Millis(100));
    done = attempt();
  }
  return done;
}

/// Both sides of a comparison give the same columns in the same types, arrays in one order.
std::string comparable_columns(const Rollup& rollup) {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < rollup.columns.size(); ++i) {
    std::string type = rollup.types[i];
    for (std::size_t at = 0; (at = type.find_first_of("\\'", at)) != std::string::npos; at += 2) type.insert(at, "\\");
    const std::string cast = fmt::format("CAST({}, '{}')", rollup.columns[i], type);
    const bool is_array = rollup.types[i].starts_with("Array(");
    columns.push_back(fmt::format("{} AS c{}", is_array ? fmt::format("arraySort({})", cast) : cast, i));
  }
  return joined(columns);
}

/// Many days at once, since a statement costs more than a day's rows; one by one where they differ.
Result<void> compare_days(clickhouse::Client& store, const Rollup& rollup, Days days,
                          std::vector<std::string>& differences) {
  const auto select = select_over(store, rollup, days_of_events(store, days));
  if (!select) return select.error();
  const std::string columns = comparable_columns(rollup);
  const std::string stored = fmt::format("SELECT {} FROM {}.{} FINAL WHERE _partition_id IN ('{}')", columns,
                                         store.endpoint().database, rollup.table, fmt::join(days, "', '"));
  const std::string counted = fmt::format("SELECT {} FROM ({})", columns, *select);
  auto sums = store.table(fmt::format("SELECT * FROM (SELECT count(), sum(cityHash64(*)) FROM ({})) AS stored, "
                                      "(SELECT count(), sum(cityHash64(*)) FROM ({})) AS counted",
                                      stored, counted),
                          {}, heavy());
  if (!sums) return sums.error();
  const auto& row = sums->rows.at(0);
  if (row[0] == row[2] && row[1] == row[3]) return {};
  if (days.size() > 1) {
    for (std::size_t i = 0; i < days.size(); ++i) {
      if (auto done = compare_days(store, rollup, days.subspan(i, 1), differences); !done) return done;
    }
    return {};
  }
  const std::string& day = days.front();
  auto example = store.table(fmt::format("SELECT toString(tuple(*)) FROM ({} EXCEPT {}) LIMIT 1",
                                         row[0] < row[2] ? counted : stored, row[0] < row[2] ? stored : counted),
                             {}, heavy());
  if (!example) return example.error();
  differences.push_back(fmt::format("{} of {}: {} rows stored, {} when counted again from the events; for example {}",
                                    rollup.table, day, row[0], row[2],
                                    example->rows.empty() ? "a repeated row" : example->rows[0][0].substr(0, 500)));
  return {};
}

}  // namespace

clickhouse::QueryOptions heavy() {
  clickhouse::QueryOptions options;
  options.timeout_ms = 0;
  options.replica = 0;
  options.settings = {{"max_partitions_per_insert_block", "0"},
                      {"max_bytes_before_external_group_by", "1000000000"},
                      {"max_execution_time", "0"}};
  return options;
}

std::string rows_of_days(std::string_view table, std::span<const std::string> days) {
  return fmt::format("(SELECT * FROM {} WHERE _partition_id IN ('{}'))", table, fmt::join(days, "', '"));
}

Result<std::string> insert_select(clickhouse::Client& store, const Rollup& rollup, std::string_view target,
                                  std::string_view source) {
  const auto select = select_over(store, rollup, source);
  if (!select) return select.error();
  const std::string columns = joined(rollup.columns);
  return fmt::format("INSERT INTO {} ({}) SELECT {} FROM ({})", target, columns, columns, *select);
}

Result<std::vector<Rollup>> rollups(clickhouse::Client& store) {
  const std::string& database = store.endpoint().database;
  auto views = store.table(
      fmt::format(
          "SELECT name, as_select FROM system.tables WHERE database = '{0}' AND engine = 'MaterializedView' "
          "AND position(as_select, '{0}.events_in') > 0 AND name LIKE '%\\_mv' AND name != 'events_mv' ORDER BY name",
          database),
      {}, {.replica = 0});
  if (!views) return views.error();
  std::vector<Rollup> all;
  for (auto& view : views->rows) {
    Rollup rollup;
    rollup.table = view[0].substr(0, view[0].size() - 3);
    rollup.select = std::move(view[1]);
    auto columns = store.table(
        fmt::format("SELECT name, type, (SELECT any(engine_full) FROM system.tables WHERE database = '{0}' AND name = "
                    "{{table:String}}) FROM system.columns WHERE database = '{0}' AND table = {{table:String}} "
                    "AND default_kind = '' ORDER BY position",
                    database),
        {{"table", clickhouse::escape_parameter(rollup.table)}}, {.replica = 0});
    if (!columns) return columns.error();
    if (!columns->rows.empty()) rollup.engine = columns->rows.front()[2];
    for (auto& column : columns->rows) {
      rollup.columns.push_back(column[0]);
      rollup.types.push_back(plain_type(column[1]));
    }
    all.push_back(std::move(rollup));
  }
  return all;
}

Result<std::uint64_t> rebuild_days(clickhouse::Client& store, const std::vector<std::string>& days) {
  const auto lock = RebuildLock::take(store);
  if (!lock) return lock.error();
  return rebuild_days(store, **lock, days);
}

Result<std::uint64_t> rebuild_days(clickhouse::Client& store, RebuildLock& lock, const std::vector<std::string>& days) {
  const auto all = rollups(store);
  if (!all) return all.error();
  if (auto rebuilt = rebuild(store, lock, *all, days); !rebuilt) return rebuilt.error();
  if (auto noted = lock.note_rebuilt(days); !noted) return noted.error();
  return days.size() * all->size();
}

Result<std::uint64_t> mend_days(clickhouse::Client& store, const std::vector<std::string>& days) {
  const auto all = rollups(store);
  if (!all) return all.error();
  std::vector<std::string> different;
  const auto whole = whole_days(store, days);
  if (!whole) return whole.error();
  for (const std::string& day : *whole) {
    std::vector<std::string> differences;
    for (const Rollup& rollup : *all) {
      if (auto done = compare_days(store, rollup, {&day, 1}, differences); !done) return done.error();
    }
    if (!differences.empty()) different.push_back(day);
  }
  if (different.empty()) return std::uint64_t{0};
  if (auto rebuilt = rebuild_days(store, different); !rebuilt) return rebuilt.error();
  return different.size();
}

Result<std::uint64_t> rebuild_rollups(clickhouse::Client& store, std::string_view from_day, std::string_view to_day) {
  const auto from = id_of_date(from_day, "00000000");
  if (!from) return from.error();
  const auto to = id_of_date(to_day, "99999999");
  if (!to) return to.error();
  const auto all = rollups(store);
  if (!all) return all.error();
  auto days = partitions(store, quoted_names(*all), *from, *to);
  if (!days) return days.error();
  std::uint64_t replaced = 0;
  for (const std::string& day : *days) {
    // The lock is free between days, for inserts to come through.
    const auto count = patiently([&] { return rebuild_days(store, {day}); });
    if (!count) return count.error();
    replaced += *count;
    logging::debug("rollup.rebuilt", {{"day", day}, {"partitions", *count}});
  }
  return replaced;
}

Result<std::uint64_t> count_changed_rollups(clickhouse::Client& store) {
  auto all = rollups(store);
  if (!all) return all.error();
  const std::string definitions = store.endpoint().database + ".rollup_definitions";
  const auto known =
      store.table(fmt::format("SELECT rollup, definition FROM {} FINAL", definitions), {}, {.replica = 0});
  if (!known) return known.error();
  std::erase_if(*all, [&](const Rollup& rollup) {
    return std::ranges::find(known->rows, std::vector{rollup.table, rollup.select}) != known->rows.end();
  });
  if (all->empty()) return std::uint64_t{0};
  const auto days = partitions(store, quoted_names(*all), "00000000", "99999999");
  if (!days) return days.error();
  for (const std::string& day : *days) {
    auto counted = patiently([&]() -> Result<void> {
      const auto lock = RebuildLock::take(store);
      if (!lock) return lock.error();
      return rebuild(store, **lock, *all, {&day, 1});
    });
    if (!counted) return counted.error();
    logging::info("rollup.counted", {{"day", day}, {"rollups", all->size()}});
  }
  for (const Rollup& rollup : *all) {
    auto noted = store.execute(
        fmt::format("INSERT INTO {} (rollup, definition) SELECT {{rollup:String}}, {{definition:String}}", definitions),
        {{"rollup", clickhouse::escape_parameter(rollup.table)},
         {"definition", clickhouse::escape_parameter(rollup.select)}},
        {.replica = 0});
    if (!noted) return noted.error();
  }
  return all->size();
}

Result<std::vector<std::string>> rollup_differences(clickhouse::Client& store) {
  const auto all = rollups(store);
  if (!all) return all.error();
  const auto kept = partitions(store, quoted_names(*all), "00000000", "99999999");
  if (!kept) return kept.error();
  const auto days = whole_days(store, *kept);
  if (!days) return days.error();
  std::vector<std::string> differences;
  for (const Rollup& rollup : *all) {
    for (std::size_t begin = 0; begin < days->size(); begin += kDaysAtOnce) {
      const Days some(days->data() + begin, std::min(kDaysAtOnce, days->size() - begin));
      if (auto done = compare_days(store, rollup, some, differences); !done) return done.error();
    }
  }
  return differences;
}

}  // namespace marquee::ingest
