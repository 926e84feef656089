#include "new_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "marquee/clickhouse/native_block.h"
#include "rollup_sql.h"
#include "table_swap.h"

namespace marquee::ingest {
namespace {

constexpr log::Offset kRereadStretch = 500'000;

}  // namespace

NewTables::NewTables(clickhouse::Client& client, const std::string& database)
    : client_(client),
      database_(database),
      live_(client),
      store_(client, EventsBeside{.database = database, .mark = "rewind"}) {}

Result<std::unique_ptr<NewTables>> NewTables::make(clickhouse::Client& client, const std::string& database,
                                                   std::uint64_t number) {
  std::unique_ptr<NewTables> tables(new NewTables(client, database));
  auto all = rollups(client);
  if (!all) return all.error();
  tables->rollups_ = std::move(*all);
  auto schema = tables->schema();
  if (!schema) return schema.error();
  tables->schema_ = std::move(*schema);
  if (auto created = tables->create(number); !created) return created.error();
  return tables;
}

Result<void> NewTables::create(std::uint64_t number) {
  for (const std::string& table : names()) {
    auto made =
        run(fmt::format("CREATE TABLE {} AS marquee.{} COMMENT '{}'", in_new(table), table, rewind_comment(number)));
    if (!made) return made;
  }
  // What leads to the live events table alone leads here to the new one.
  const auto view =
      client_.table("SELECT as_select FROM system.tables WHERE database = 'marquee' AND name = 'events_repair_mv'");
  if (!view) return view.error();
  constexpr std::string_view kSource = "marquee.events_repair";
  const std::string select = view->rows.empty() ? std::string() : view->rows[0][0];
  if (!select.ends_with(kSource)) return Error::give_up("the view events_repair_mv does not end with its source");
  for (const std::string& sql : {
           fmt::format("CREATE TABLE {} AS marquee.loaders_replaced", in_new("loaders_replaced")),
           fmt::format("CREATE TABLE {} AS marquee.events_repair_entry ENGINE = Null", in_new("events_repair_entry")),
           fmt::format("CREATE TABLE {} AS marquee.events_repair ENGINE = Null", in_new("events_in")),
           fmt::format("CREATE MATERIALIZED VIEW {} TO {} AS SELECT * EXCEPT (loader) FROM {} WHERE throwIf(loader IN "
                       "(SELECT loader FROM {}), 'marquee: this loader was replaced') = 0",
                       in_new("events_entry_mv"), in_new("events_in"), in_new("events_repair_entry"),
                       in_new("loaders_replaced")),
           fmt::format("CREATE MATERIALIZED VIEW {} TO {} AS {}{}", in_new("events_mv"), in_new("events"),
                       select.substr(0, select.size() - kSource.size()), in_new("events_in")),
           fmt::format("CREATE TABLE {} (log_partition UInt16, log_offset UInt64, hash UInt64) ENGINE = MergeTree "
                       "ORDER BY (log_partition, log_offset)",
                       in_new("wanted")),
       }) {
    if (auto made = run(sql); !made) return made;
  }
  return {};
}

Result<void> NewTables::copy_events_before(const Offsets& from) {
  auto parts = live_parts();
  if (!parts) return parts.error();
  const auto days = client_.table(
      fmt::format("SELECT _partition_id, countIf({}), count() FROM marquee.events GROUP BY 1 ORDER BY 1", kFrom),
      from_parameter(from), heavy());
  if (!days) return days.error();
  for (const auto& row : days->rows) {
    const std::string& day = row[0];
    auto copied = Result<void>();
    if (row[1] == "0") {
      const Place place{"events", day};
      copied_[place] = (*parts)[place];
      copied = copy(place);
    } else {
      made_.insert(day);
      if (row[1] != row[2]) copied = copy_rows_before(day, from);
    }
    if (!copied) return copied;
  }
  return leave_out_newcomers(from);
}

/// A row of `from` or later that landed in a day after its rows were counted came along with the day.
Result<void> NewTables::leave_out_newcomers(const Offsets& from) {
  const auto days = client_.table(
      fmt::format("SELECT DISTINCT _partition_id FROM {} WHERE {} AND {}", in_new("events"), kNotOlder, kFrom),
      from_parameter(from), heavy());
  if (!days) return days.error();
  for (const auto& row : days->rows) {
    auto dropped = run(fmt::format("ALTER TABLE {} DROP PARTITION ID '{}'", in_new("events"), row[0]));
    if (!dropped) return dropped;
    made_.insert(row[0]);
    if (auto copied = copy_rows_before(row[0], from); !copied) return copied;
  }
  return {};
}

Result<void> NewTables::copy_rows_before(const std::string& day, const Offsets& from) {
  auto parameters = from_parameter(from);
  parameters["day"] = day;
  return run(fmt::format("INSERT INTO {} SELECT * FROM marquee.events WHERE _partition_id = {{day:String}} AND NOT {}",
                         in_new("events"), kFrom),
             parameters);
}

Result<void> NewTables::copy_events_after(const Offsets& from) {
  return run(
      fmt::format("INSERT INTO {} SELECT * FROM marquee.events WHERE {} AND {}", in_new("events"), kNotOlder, kFrom),
      from_parameter(from));
}

Result<void> NewTables::copy_rows(log::Partition partition, const std::vector<Row>& rows) {
  for (auto next = rows.begin(); next != rows.end();) {
    const log::Range range{next->offset, std::min(next->offset + kRereadStretch, rows.back().offset + 1)};
    const auto there = live_.landed_hashes(partition, range);
    if (!there) return there.error();
    clickhouse::NativeBlock block;
    auto& partitions = block.add<clickhouse::NumberColumn<std::uint16_t>>("log_partition", "UInt16");
    auto& offsets = block.add<clickhouse::NumberColumn<std::uint64_t>>("log_offset", "UInt64");
    auto& hashes = block.add<clickhouse::NumberColumn<std::uint64_t>>("hash", "UInt64");
    const auto end = std::ranges::lower_bound(next, rows.end(), range.end, {}, &Row::offset);
    for (const auto& [row, hash] : *there) {
      const auto same = std::ranges::equal_range(next, end, row.offset, {}, &Row::offset);
      if (std::ranges::find(same, row) == same.end()) continue;
      partitions.append(static_cast<std::uint16_t>(partition));
      offsets.append(row.offset);
      hashes.append(hash);
    }
    std::string body;
    block.write(body);
    const auto inserted = client_.insert(fmt::format("INSERT INTO {}", in_new("wanted")), "Native", body);
    if (!inserted) return inserted.error().error;
    auto copied =
        run(fmt::format("INSERT INTO {} SELECT * FROM marquee.events WHERE {} AND (log_offset, {}) IN "
                        "(SELECT log_offset, hash FROM {} WHERE {}) LIMIT 1 BY log_offset, {}",
                        in_new("events"), kOfRange, LoaderStore::kHash, in_new("wanted"), kOfRange, LoaderStore::kHash),
            of_range(partition, range));
    if (!copied) return copied;
    next = end;
  }
  return {};
}

DayIds NewTables::make_days(const std::set<Day>& days) {
  DayIds fresh;
  for (std::string& day : partition_ids(days)) {
    if (made_.insert(day).second) fresh.insert(std::move(day));
  }
  return fresh;
}

Result<void> NewTables::fill_rollups() {
  const auto parts = live_parts();
  if (!parts) return parts.error();
  for (const auto& [place, names] : *parts) {
    if (place.first == "events" || made_.contains(place.second)) continue;
    copied_[place] = names;
    if (auto copied = copy(place); !copied) return copied;
  }
  return count_days(made_);
}

Result<void> NewTables::count_days(const DayIds& days) {
  for (const std::string& day : days) {
    for (const Rollup& rollup : rollups_) {
      const auto insert =
          insert_select(client_, rollup, in_new(rollup.table), rows_of_days(in_new("events"), {&day, 1}));
      if (!insert) return insert.error();
      auto counted = run(fmt::format("ALTER TABLE {} DROP PARTITION ID '{}'", in_new(rollup.table), day));
      if (counted) counted = run(*insert);
      if (!counted) return counted;
    }
  }
  return {};
}

Result<void> NewTables::count_since(const DayIds& days, const Offsets& since) {
  if (days.empty()) return {};
  const std::string source = fmt::format("(SELECT * FROM {} WHERE _partition_id IN ('{}') AND {} AND {})",
                                         in_new("events"), fmt::join(days, "', '"), kNotOlder, kFrom);
  for (const Rollup& rollup : rollups_) {
    const auto insert = insert_select(client_, rollup, in_new(rollup.table), source);
    if (!insert) return insert.error();
    if (auto counted = run(*insert, from_parameter(since)); !counted) return counted;
  }
  return {};
}

Result<void> NewTables::copy_changes() {
  const auto parts = live_parts();
  if (!parts) return parts.error();
  for (const auto& [place, names] : *parts) {
    const auto before = copied_.find(place);
    if (made_.contains(place.second) || (before != copied_.end() && before->second == names)) continue;
    if (auto copied = copy(place); !copied) return copied;
  }
  for (const auto& [place, names] : copied_) {
    if (made_.contains(place.second) || parts->contains(place)) continue;
    auto dropped = run(fmt::format("ALTER TABLE {} DROP PARTITION ID '{}'", in_new(place.first), place.second));
    if (!dropped) return dropped;
  }
  return {};
}

Result<void> NewTables::check_schema() {
  const auto now = schema();
  if (!now) return now.error();
  if (*now != schema_) return Error::retry("the schema of the live tables has changed meanwhile");
  return {};
}

std::vector<std::string> NewTables::names() const {
  std::vector<std::string> names = {"events"};
  for (const Rollup& rollup : rollups_) names.push_back(rollup.table);
  return names;
}

Result<std::string> NewTables::schema() {
  const auto hash = client_.table(
      "SELECT cityHash64(arraySort(groupArray((name, create_table_query)))) FROM system.tables "
      "WHERE database = 'marquee'");
  if (!hash) return hash.error();
  return hash->rows.at(0).at(0);
}

Result<std::map<NewTables::Place, std::string>> NewTables::live_parts() {
  const auto rows = client_.table(
      fmt::format("SELECT table, partition_id, arrayStringConcat(arraySort(groupArray(name)), ' ') FROM system.parts "
                  "WHERE database = 'marquee' AND active AND table IN ('{}') GROUP BY table, partition_id "
                  "HAVING sum(rows) > 0",
                  fmt::join(names(), "', '")));
  if (!rows) return rows.error();
  std::map<Place, std::string> parts;
  for (const auto& row : rows->rows) parts[{row[0], row[1]}] = row[2];
  return parts;
}

Result<void> NewTables::copy(const Place& place) {
  return run(fmt::format("ALTER TABLE {} REPLACE PARTITION ID '{}' FROM marquee.{}", in_new(place.first), place.second,
                         place.first));
}

Result<void> NewTables::run(const std::string& sql, const clickhouse::Parameters& parameters) {
  return client_.execute(sql, parameters, heavy());
}

std::string NewTables::in_new(std::string_view table) const { return fmt::format("{}.{}", database_, table); }

}  // namespace marquee::ingest
