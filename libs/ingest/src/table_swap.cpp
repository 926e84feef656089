#include "table_swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "loader_store.h"
#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

constexpr std::string_view kComment = "rewind ";
constexpr std::string_view kDecision = "events";  ///< Moved last.

/// Of the rewind that made the table; 0 where none did.
std::uint64_t number_of(std::string_view comment) {
  std::uint64_t number = 0;
  if (comment.starts_with(kComment))
    std::from_chars(comment.data() + kComment.size(), comment.data() + comment.size(), number);
  return number;
}

/// The tables of a database that hold rows, with the number of the rewind that made each.
Result<std::map<std::string, std::uint64_t>> tables_of(clickhouse::Client& store, const std::string& database) {
  const auto rows = store.table(
      "SELECT name, comment FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'",
      {{"database", database}}, {.replica = 0});
  if (!rows) return rows.error();
  std::map<std::string, std::uint64_t> tables;
  for (const auto& row : rows->rows) tables[row[0]] = number_of(row[1]);
  return tables;
}

Result<void> move(clickhouse::Client& store, const std::string& table, const std::string& from, const std::string& to) {
  return store.execute(fmt::format("RENAME TABLE {}.{} TO {}.{}", from, table, to, table));
}

/// Exchanges what is not exchanged yet.
Result<void> finish(clickhouse::Client& store, const std::string& database) {
  const auto ours = tables_of(store, database);
  if (!ours) return ours.error();
  const auto live = tables_of(store, "marquee");
  if (!live) return live.error();
  for (const auto& [table, number] : *ours) {
    const auto other = live->find(table);
    if (other == live->end() || other->second >= number) continue;
    auto exchanged = store.execute(fmt::format("EXCHANGE TABLES marquee.{} AND {}.{}", table, database, table));
    if (!exchanged) return exchanged;
  }
  return LoaderStore(store).shut_out_all();
}

}  // namespace

std::string rewind_comment(std::uint64_t number) { return fmt::format("{}{}", kComment, number); }

Result<void> swap_in(clickhouse::Client& store, RebuildLock& lock, const std::string& from,
                     std::vector<std::string> tables) {
  lock.leave(true);
  std::ranges::partition(tables, [](const std::string& table) { return table != kDecision; });
  for (const std::string& table : tables) {
    if (auto moved = move(store, table, from, lock.database()); !moved) return moved;
  }
  if (auto finished = finish(store, lock.database()); !finished) return finished;
  // Dropping much takes long, and is not for the time in which inserts wait.
  for (const std::string& table : tables) {
    if (auto moved = move(store, table, lock.database(), from); !moved) return moved;
  }
  lock.leave(false);
  return {};
}

Result<void> inherit_swap(clickhouse::Client& store, const std::vector<std::string>& left, const std::string& own) {
  std::vector<std::pair<std::string, std::string>> found;  // Table, database.
  bool is_decided = false;
  for (const std::string& database : left) {
    const auto tables = tables_of(store, database);
    if (!tables) return tables.error();
    for (const auto& [table, number] : *tables) {
      found.emplace_back(table, database);
      is_decided = is_decided || table == kDecision;
    }
  }
  if (!is_decided) return {};
  for (const auto& [table, database] : found) {
    if (auto moved = move(store, table, database, own); !moved) return moved;
  }
  logging::info("rewind.swap_finished_for_another", {{"database", own}});
  return finish(store, own);
}

Result<bool> is_swapped_in(clickhouse::Client& store, std::uint64_t number) {
  const auto live = tables_of(store, "marquee");
  if (!live) return live.error();
  const auto events = live->find(std::string(kDecision));
  return events != live->end() && events->second == number;
}

}  // namespace marquee::ingest
