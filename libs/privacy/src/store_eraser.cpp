#include "store_eraser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "marquee/clickhouse/row_binary.h"
#include "marquee/ingest/rollup.h"

namespace marquee::privacy {
namespace {

/// A statement may take as long as it takes; of one that changes rows the end is waited for.
clickhouse::QueryOptions unhurried() {
  return {.settings = {{"max_execution_time", "0"},
                       {"mutations_sync", "1"},
                       {"allow_drop_detached", "1"},
                       {"max_bytes_before_external_group_by", "1000000000"}},
          .timeout_ms = 0,
          .replica = 0};
}

/// By which the rows of a table are of before or after. A table without is counted from others.
std::string time_column_of(std::string_view table) {
  if (table == "events") return "received_time";
  if (table == "decisions") return "decision_time";
  return "";
}

std::string rows_of_person(const UserTable& table, std::int64_t until_ms) {
  std::string where = "(site_id, user_key) IN (SELECT site_id, user_key FROM marquee.erasing)";
  if (!table.time_column.empty())
    where += fmt::format(" AND {} <= fromUnixTimestamp64Milli({})", table.time_column, until_ms);
  return where;
}

void append_size(std::string& out, std::size_t size) {
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
}

template <class T>
void append_number(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

Error cut_off() { return Error::retry("the store's answer was cut off"); }

constexpr std::size_t kLettersAtOnce = 1'000;

}  // namespace

Result<void> StoreEraser::run(const std::string& sql) { return store_.execute(sql, {}, unhurried()); }

Result<std::string> StoreEraser::text(const std::string& sql) {
  const auto table = store_.table(sql, {}, unhurried());
  if (!table) return table.error();
  if (table->rows.empty()) return Error::retry("the store gave no answer");
  return table->rows.at(0).at(0);
}

Result<std::uint64_t> StoreEraser::number(const std::string& sql) {
  const auto found = text(sql);
  if (!found) return found.error();
  std::uint64_t value = 0;
  std::from_chars(found->data(), found->data() + found->size(), value);
  return value;
}

Result<std::int64_t> StoreEraser::now_ms() {
  const auto now = number("SELECT toUnixTimestamp64Milli(now64(3))");
  if (!now) return now.error();
  return static_cast<std::int64_t>(*now);
}

Result<void> StoreEraser::set(const Person& person) {
  if (auto emptied = run("TRUNCATE TABLE marquee.erasing"); !emptied) return emptied;
  std::string row;
  append_size(row, person.site_id.size());
  row += person.site_id;
  append_number(row, person.user_key);
  auto inserted = store_.insert("INSERT INTO marquee.erasing (site_id, user_key)", "RowBinary", row);
  if (!inserted) return inserted.error().error;
  return {};
}

Result<std::vector<UserTable>> StoreEraser::tables() {
  const auto rows = store_.table(
      "SELECT name FROM system.tables WHERE database = 'marquee' AND engine LIKE '%MergeTree' AND name IN (SELECT "
      "table "
      "FROM system.columns WHERE database = 'marquee' AND name IN ('site_id', 'user_key') GROUP BY table HAVING "
      "count() = 2) ORDER BY name",
      {}, unhurried());
  if (!rows) return rows.error();
  const auto rollups = ingest::rollups(store_);
  if (!rollups) return rollups.error();
  std::vector<UserTable> all;
  for (const auto& row : rows->rows)
    all.push_back({row[0], time_column_of(row[0]),
                   std::ranges::find(*rollups, row[0], &ingest::Rollup::table) != rollups->end()});
  // Of the events the others are counted: they go first.
  if (const auto events = std::ranges::find(all, "events", &UserTable::name); events != all.end())
    std::rotate(all.begin(), events, events + 1);
  return all;
}

Result<std::vector<std::string>> StoreEraser::places() {
  const auto of_users = tables();
  if (!of_users) return of_users.error();
  const auto rollups = ingest::rollups(store_);
  if (!rollups) return rollups.error();
  std::vector<std::string> names = {"dead_letters", "dead_letter_replays"};
  for (const auto& table : *of_users) names.push_back(table.name);
  for (const auto& rollup : *rollups)
    if (std::ranges::find(names, rollup.table) == names.end()) names.push_back(rollup.table);
  return names;
}

Result<std::uint64_t> StoreEraser::count(const UserTable& table, std::int64_t until_ms) {
  return number(fmt::format("SELECT count() FROM marquee.{} WHERE {}", table.name, rows_of_person(table, until_ms)));
}

Result<bool> StoreEraser::has_events() {
  const auto count = number("SELECT count() FROM marquee.events WHERE " + rows_of_person({"events", ""}, 0));
  if (!count) return count.error();
  return *count > 0;
}

Result<std::vector<std::string>> StoreEraser::days(std::int64_t until_ms) {
  const auto rows = store_.table(fmt::format("SELECT DISTINCT _partition_id FROM marquee.events WHERE {} ORDER BY 1",
                                             rows_of_person({"events", time_column_of("events")}, until_ms)),
                                 {}, unhurried());
  if (!rows) return rows.error();
  std::vector<std::string> days;
  for (const auto& row : rows->rows) days.push_back(row[0]);
  return days;
}

Result<std::uint64_t> StoreEraser::erase(const UserTable& table, std::int64_t until_ms) {
  auto where = rows_of_person(table, until_ms);
  if (table.is_rollup) {
    // Written out, as days of before: what comes of the person meanwhile is of none of them.
    const auto days = store_.table(
        fmt::format(
            "SELECT DISTINCT toString(day) FROM marquee.{0} WHERE {1} AND _partition_id NOT IN (SELECT DISTINCT "
            "_partition_id FROM marquee.events WHERE {1})",
            table.name, where),
        {}, unhurried());
    if (!days) return days.error();
    std::vector<std::string> list;
    for (const auto& row : days->rows) list.push_back(row[0]);
    where += fmt::format(" AND day IN ('{}')", fmt::join(list, "', '"));
    if (list.empty()) return std::uint64_t{0};
  }
  const auto bytes = number(
      fmt::format("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'marquee' AND table = '{0}' AND active "
                  "AND name IN (SELECT DISTINCT _part FROM marquee.{0} WHERE {1})",
                  table.name, where));
  if (!bytes) return bytes.error();
  if (*bytes == 0) return *bytes;
  if (auto erased = run(fmt::format("ALTER TABLE marquee.{} DELETE WHERE {}", table.name, where)); !erased)
    return erased.error();
  const auto left = number(fmt::format("SELECT count() FROM marquee.{} WHERE {}", table.name, where));
  if (!left) return left.error();
  if (*left > 0) return Error::retry(fmt::format("{} still has {} rows of the user", table.name, *left));
  return *bytes;
}

Result<std::uint64_t> StoreEraser::find_letters(const Person& person, const HashUser& hash_user,
                                                std::int64_t until_ms) {
  if (auto emptied = run("TRUNCATE TABLE marquee.erasing_letters"); !emptied) return emptied.error();
  std::string found;
  std::uint64_t count = 0;
  for (std::uint64_t skipped = 0;; skipped += kLettersAtOnce) {
    const auto page = store_.query(
        fmt::format("SELECT source_topic, log_partition, log_offset, bytes_hash, bytes FROM marquee.dead_letters WHERE "
                    "received_time <= fromUnixTimestamp64Milli({}) ORDER BY log_partition, log_offset, source_topic, "
                    "bytes_hash LIMIT {}, {}",
                    until_ms, skipped, kLettersAtOnce),
        {}, {.format = "RowBinary", .timeout_ms = 0, .replica = 0});
    if (!page) return page.error();
    clickhouse::RowBinaryReader reader(*page);
    std::size_t rows = 0;
    for (; !reader.at_end(); ++rows) {
      const auto topic = reader.text();
      const auto partition = reader.number<std::uint16_t>();
      const auto offset = reader.number<std::uint64_t>();
      const auto hash = reader.number<std::uint64_t>();
      const auto bytes = reader.text();
      if (!topic || !partition || !offset || !hash || !bytes) return cut_off();
      if (!is_letter_of(*bytes, person, hash_user)) continue;
      append_size(found, topic->size());
      found += *topic;
      append_number(found, *partition);
      append_number(found, *offset);
      append_number(found, *hash);
      ++count;
    }
    if (rows < kLettersAtOnce) break;
  }
  if (count == 0) return count;
  const auto told = store_.insert(
      "INSERT INTO marquee.erasing_letters (source_topic, log_partition, log_offset, bytes_hash)", "RowBinary", found);
  if (!told) return told.error().error;
  return count;
}

Result<void> StoreEraser::erase_letters() {
  // Replays first: they are found by the letters.
  for (const char* table : {"dead_letter_replays", "dead_letters"}) {
    auto erased = run(fmt::format(
        "ALTER TABLE marquee.{} DELETE WHERE (source_topic, log_partition, log_offset, bytes_hash) IN (SELECT "
        "source_topic, log_partition, log_offset, bytes_hash FROM marquee.erasing_letters)",
        table));
    if (!erased) return erased;
  }
  return {};
}

Result<std::uint64_t> StoreEraser::rollup_bytes(const std::string& day) {
  const auto rollups = ingest::rollups(store_);
  if (!rollups) return rollups.error();
  std::vector<std::string> names;
  for (const auto& rollup : *rollups) names.push_back(rollup.table);
  return number(
      fmt::format("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'marquee' AND active AND "
                  "partition_id = '{}' AND table IN ('{}')",
                  day, fmt::join(names, "', '")));
}

Result<bool> StoreEraser::is_rewound() {
  const auto count = number("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_rewind_')");
  if (!count) return count.error();
  return *count > 0;
}

Result<void> StoreEraser::let_old_parts_go(bool is_soon) {
  const auto names = places();
  if (!names) return names.error();
  const auto changed = store_.table(
      "SELECT name FROM system.tables WHERE database = 'marquee' AND position(engine_full, 'old_parts_lifetime') > 0",
      {}, unhurried());
  if (!changed) return changed.error();
  for (const auto& name : *names) {
    const bool is_changed = std::ranges::find(changed->rows, std::vector{name}) != changed->rows.end();
    if (is_changed == is_soon) continue;
    auto altered = run(is_soon ? fmt::format("ALTER TABLE marquee.{} MODIFY SETTING old_parts_lifetime = 1", name)
                               : fmt::format("ALTER TABLE marquee.{} RESET SETTING old_parts_lifetime", name));
    if (!altered) return altered;
  }
  return {};
}

Result<std::uint64_t> StoreEraser::old_parts(std::int64_t time_ms) {
  const auto names = places();
  if (!names) return names.error();
  // A day that is swapped in leaves parts without rows behind, for which there is no such time.
  return number(
      fmt::format("SELECT count() FROM system.parts WHERE database = 'marquee' AND NOT active AND rows > 0 AND "
                  "table IN ('{}') AND remove_time <= fromUnixTimestamp64Milli({})",
                  fmt::join(*names, "', '"), time_ms));
}

Result<void> StoreEraser::clean_up() {
  const auto names = places();
  if (!names) return names.error();
  for (const auto& name : *names)
    // Of a partition that no table has: whatever is dropped, the table then looks at once for what may go.
    if (auto looked = run(fmt::format("ALTER TABLE marquee.{} DROP PARTITION ID 'none'", name)); !looked) return looked;
  return {};
}

Result<std::uint64_t> StoreEraser::drop_detached() {
  const auto names = places();
  if (!names) return names.error();
  const auto parts =
      store_.table(fmt::format("SELECT table, name FROM system.detached_parts WHERE database = 'marquee' "
                               "AND table IN ('{}')",
                               fmt::join(*names, "', '")),
                   {}, unhurried());
  if (!parts) return parts.error();
  for (const auto& row : parts->rows)
    if (auto dropped = run(fmt::format("ALTER TABLE marquee.{} DROP DETACHED PART '{}'", row[0], row[1])); !dropped)
      return dropped.error();
  return parts->rows.size();
}

}  // namespace marquee::privacy
