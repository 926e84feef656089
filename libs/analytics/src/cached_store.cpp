#include "cached_store.h"

#include <fmt/format.h>

#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostBytes = 64U << 20;
constexpr std::size_t kMostBytesOfOne = 4U << 20;

std::size_t size_of(const clickhouse::Table& table) {
  std::size_t bytes = 0;
  for (const auto& row : table.rows) {
    for (const auto& cell : row) bytes += sizeof(cell) + (cell.size() > 15 ? cell.capacity() : 0);
  }
  return bytes;
}

/// Parts in front of their lengths, so that no two questions have the same key.
std::string key_of(const std::string& version, const std::string& query, const clickhouse::Parameters& parameters) {
  std::string key = fmt::format("{}:{}{}:{}", version.size(), version, query.size(), query);
  for (const auto& [name, value] : parameters) key += fmt::format("{}:{}{}:{}", name.size(), name, value.size(), value);
  return key;
}

}  // namespace

/// A part never changes; what is written, merged, replaced or exchanged makes others.
Result<std::string> data_version(clickhouse::Client& store, std::string_view table, const Scope& scope) {
  const auto rows = store.table(
      "SELECT count(), groupBitXor(cityHash64(name, modification_time, rows, bytes_on_disk)) FROM system.parts WHERE "
      "database = {database:String} AND table = {table:String} AND active AND partition_id >= {first:String} AND "
      "partition_id <= {last:String}",
      {{"database", store.endpoint().database},
       {"table", std::string(table)},
       {"first", scope.from_ms ? partition_of(*scope.from_ms) : "00000000"},
       {"last", scope.to_ms ? partition_of(*scope.to_ms - 1) : "99999999"}});
  if (!rows) return rows.error();
  return fmt::format("{} {} {}", table, rows->rows.at(0).at(0), rows->rows.at(0).at(1));
}

Result<clickhouse::Table> CachedStore::table(std::string_view source, const Scope& read, const std::string& query,
                                             const clickhouse::Parameters& parameters,
                                             const clickhouse::QueryOptions& options) {
  // One that can be ended by its name is its asker's own.
  if (!can_remember_ || read.is_fresh || !options.query_id.empty()) return store_.table(query, parameters, options);
  // Read before the answer: what lands in between makes the answer newer than its version, never older.
  const auto data = data_version(store_, source, read);
  if (!data) return data.error();
  const auto key = key_of(*data, query, parameters);
  std::promise<Answer> promise;
  {
    std::unique_lock lock(mutex_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      const auto answer = found->second->answer;
      lock.unlock();
      return *answer.get();
    }
    entries_.push_front({key, promise.get_future().share(), 0});
    by_key_[key] = entries_.begin();
  }
  const auto answer = std::make_shared<const Result<clickhouse::Table>>(store_.table(query, parameters, options));
  promise.set_value(answer);
  settle(key, answer);
  return *answer;
}

void CachedStore::settle(const std::string& key, const Answer& answer) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto bytes = *answer ? size_of(**answer) + 2 * key.size() : kMostBytesOfOne + 1;
  if (bytes > kMostBytesOfOne) return forget(found->second);
  found->second->bytes = bytes;
  bytes_ += bytes;
  while (bytes_ > kMostBytes && entries_.back().bytes != 0) forget(std::prev(entries_.end()));
}

void CachedStore::forget(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace marquee::analytics
