#include "rewind_lock.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "loader_store.h"
#include "marquee/base/logging.h"
#include "marquee/ingest/rewind.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {
namespace {

constexpr const char* kNotes = "days";  ///< Table of the days that were noted.

/// Days that were noted in a database that was left.
Result<std::vector<std::string>> noted_days(clickhouse::Client& store, const std::string& database) {
  const auto is_there =
      store.table("SELECT count() FROM system.tables WHERE database = {database:String} AND name = {notes:String}",
                  {{"database", database}, {"notes", kNotes}});
  if (!is_there) return is_there.error();
  std::vector<std::string> days;
  if (is_there->rows.at(0).at(0) == "0") return days;
  auto noted = store.table(fmt::format("SELECT DISTINCT day FROM {}.{}", database, kNotes));
  if (!noted) return noted.error();
  for (auto& row : noted->rows) days.push_back(std::move(row[0]));
  return days;
}

Result<void> mend(clickhouse::Client& store, const std::vector<std::string>& left) {
  for (const std::string& database : left) {
    const auto days = noted_days(store, database);
    if (!days) return days.error();
    if (days->empty()) continue;
    if (auto rebuilt = rebuild_days(store, *days); !rebuilt) return rebuilt.error();
    if (auto told = LoaderStore(store).shut_out_all(); !told) return told;
    logging::info("rewind.finished_for_another", {{"database", database}, {"days", days->size()}});
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<StoreLock>> take_rewind_lock(clickhouse::Client& store) {
  return StoreLock::take(store, kRewindLock,
                         [&](const std::vector<std::string>& left, const StoreLock&) { return mend(store, left); });
}

Result<void> note_days(clickhouse::Client& store, const StoreLock& lock, const std::set<Day>& days) {
  const std::string table = fmt::format("{}.{}", lock.database(), kNotes);
  auto made =
      store.execute(fmt::format("CREATE TABLE IF NOT EXISTS {} (day String) ENGINE = MergeTree ORDER BY day", table));
  if (!made) return made;
  return store.execute(fmt::format("INSERT INTO {} VALUES ('{}')", table, fmt::join(partition_ids(days), "'), ('")));
}

Result<void> clear_left(clickhouse::Client& store) {
  const auto rebuild = StoreLock::is_left(store, kRebuildLock);
  if (!rebuild) return rebuild.error();
  if (*rebuild) {
    if (auto lock = RebuildLock::take(store); !lock) return lock.error();
  }
  const auto rewind = StoreLock::is_left(store, kRewindLock);
  if (!rewind) return rewind.error();
  if (*rewind) {
    if (auto lock = take_rewind_lock(store); !lock) return lock.error();
  }
  return {};
}

}  // namespace marquee::ingest
