#include "marquee/ingest/rollup.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "marquee/base/logging.h"
#include "marquee/ingest/loader.h"

namespace marquee::ingest {
namespace {

constexpr std::string_view kSource = "marquee.events_in";

clickhouse::QueryOptions heavy() {
  clickhouse::QueryOptions options;
  options.timeout_ms = 0;
  options.settings = {{"max_partitions_per_insert_block", "0"},
                      {"max_bytes_before_external_group_by", "1000000000"},
                      {"max_execution_time", "0"}};
  return options;
}

/// The rollup's SELECT over one day of the events table instead of over what is being inserted.
Result<std::string> select_of_day(const Rollup& rollup, std::string_view day) {
  const std::size_t at = rollup.select.find(kSource);
  if (at == std::string::npos || rollup.select.find(kSource, at + kSource.size()) != std::string::npos) {
    return Error::give_up(fmt::format("the view of marquee.{} does not name {} exactly once", rollup.table, kSource));
  }
  return fmt::format("{}(SELECT * FROM marquee.events WHERE _partition_id = '{}'){}", rollup.select.substr(0, at), day,
                     rollup.select.substr(at + kSource.size()));
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
      fmt::format(
          "SELECT DISTINCT partition_id FROM system.parts WHERE database = 'marquee' AND active AND table IN ({}) "
          "AND partition_id >= {{from:String}} AND partition_id <= {{to:String}} ORDER BY partition_id",
          quoted_tables),
      {{"from", std::string(from)}, {"to", std::string(to)}});
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

Result<void> rebuild_day(clickhouse::Client& store, const Rollup& rollup, std::string_view day) {
  const auto select = select_of_day(rollup, day);
  if (!select) return select.error();
  const std::string target = "marquee." + rollup.table;
  const std::string fresh = target + "_rebuild";
  const std::string columns = joined(rollup.columns);
  auto made = run_all(
      store, {fmt::format("DROP TABLE IF EXISTS {} SYNC", fresh), fmt::format("CREATE TABLE {} AS {}", fresh, target),
              fmt::format("INSERT INTO {} ({}) SELECT {} FROM ({})", fresh, columns, columns, *select)});
  if (!made) return made;
  const auto count = store.table(fmt::format("SELECT count() FROM {}", fresh));
  if (!count) return count.error();
  // ClickHouse refuses to replace a partition by nothing.
  const bool is_empty = count->rows.at(0).at(0) == "0";
  return run_all(store, {is_empty ? fmt::format("ALTER TABLE {} DROP PARTITION ID '{}'", target, day)
                                  : fmt::format("ALTER TABLE {} REPLACE PARTITION ID '{}' FROM {}", target, day, fresh),
                         fmt::format("DROP TABLE IF EXISTS {} SYNC", fresh)});
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

Result<void> compare_day(clickhouse::Client& store, const Rollup& rollup, std::string_view day,
                         std::vector<std::string>& differences) {
  const auto select = select_of_day(rollup, day);
  if (!select) return select.error();
  const std::string columns = comparable_columns(rollup);
  const std::string stored =
      fmt::format("SELECT {} FROM marquee.{} FINAL WHERE _partition_id = '{}'", columns, rollup.table, day);
  const std::string counted = fmt::format("SELECT {} FROM ({})", columns, *select);
  auto sums = store.table(fmt::format("SELECT * FROM (SELECT count(), sum(cityHash64(*)) FROM ({})) AS stored, "
                                      "(SELECT count(), sum(cityHash64(*)) FROM ({})) AS counted",
                                      stored, counted),
                          {}, heavy());
  if (!sums) return sums.error();
  const auto& row = sums->rows.at(0);
  if (row[0] == row[2] && row[1] == row[3]) return {};
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

Result<std::vector<Rollup>> rollups(clickhouse::Client& store) {
  auto views = store.table(
      "SELECT name, as_select FROM system.tables WHERE database = 'marquee' AND engine = 'MaterializedView' "
      "AND position(as_select, 'marquee.events_in') > 0 AND name LIKE '%\\_mv' AND name != 'events_mv' ORDER BY name");
  if (!views) return views.error();
  std::vector<Rollup> all;
  for (auto& view : views->rows) {
    Rollup rollup;
    rollup.table = view[0].substr(0, view[0].size() - 3);
    rollup.select = std::move(view[1]);
    auto columns = store.table(
        "SELECT name, type FROM system.columns WHERE database = 'marquee' AND table = {table:String} "
        "AND default_kind = '' ORDER BY position",
        {{"table", clickhouse::escape_parameter(rollup.table)}});
    if (!columns) return columns.error();
    for (auto& column : columns->rows) {
      rollup.columns.push_back(column[0]);
      rollup.types.push_back(plain_type(column[1]));
    }
    all.push_back(std::move(rollup));
  }
  return all;
}

Result<std::uint64_t> rebuild_days(clickhouse::Client& store, const std::vector<std::string>& days) {
  const auto all = rollups(store);
  if (!all) return all.error();
  std::uint64_t replaced = 0;
  for (const std::string& day : days) {
    for (const Rollup& rollup : *all) {
      if (auto done = rebuild_day(store, rollup, day); !done) {
        return Error{done.error().action,
                     fmt::format("rebuilding {} of {}: {}", rollup.table, day, done.error().message)};
      }
      ++replaced;
    }
  }
  return replaced;
}

Result<std::uint64_t> rebuild_rollups(clickhouse::Client& store, std::string_view from_day, std::string_view to_day,
                                      const std::string& directory) {
  const auto from = id_of_date(from_day, "00000000");
  if (!from) return from.error();
  const auto to = id_of_date(to_day, "99999999");
  if (!to) return to.error();
  const auto all = rollups(store);
  if (!all) return all.error();
  auto days = partitions(store, quoted_names(*all), *from, *to);
  if (!days) return days.error();
  const auto gate = RollupGate::open(directory);
  if (!gate) return gate.error();
  std::uint64_t replaced = 0;
  for (const std::string& day : *days) {
    // Inserts come through between days.
    const auto pass = (*gate)->close();
    if (!pass) return pass.error();
    const auto count = rebuild_days(store, {day});
    if (!count) return count.error();
    replaced += *count;
    logging::debug("rollup.rebuilt", {{"day", day}, {"partitions", *count}});
  }
  return replaced;
}

Result<std::vector<std::string>> rollup_differences(clickhouse::Client& store) {
  const auto all = rollups(store);
  if (!all) return all.error();
  const auto days = partitions(store, quoted_names(*all), "00000000", "99999999");
  if (!days) return days.error();
  std::vector<std::string> differences;
  for (const std::string& day : *days) {
    for (const Rollup& rollup : *all) {
      if (auto done = compare_day(store, rollup, day, differences); !done) return done.error();
    }
  }
  return differences;
}

}  // namespace marquee::ingest
