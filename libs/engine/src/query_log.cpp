#include "query_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "marquee/base/json_text.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kMostQueriesWaiting = 2'000;

constexpr std::string_view kQueryTable = R"(CREATE TABLE IF NOT EXISTS system.query_log (
  type Enum8('QueryStart' = 1, 'QueryFinish' = 2, 'ExceptionBeforeStart' = 3, 'ExceptionWhileProcessing' = 4),
  event_time DateTime DEFAULT toDateTime(event_time_microseconds),
  event_date Date DEFAULT toDate(event_time_microseconds),
  event_time_microseconds DateTime64(6),
  query_start_time DateTime DEFAULT toDateTime(query_start_time_microseconds),
  query_start_time_microseconds DateTime64(6),
  query_duration_ms UInt64,
  read_rows UInt64, read_bytes UInt64, written_rows UInt64, written_bytes UInt64, result_rows UInt64,
  result_bytes UInt64, memory_usage UInt64,
  current_database LowCardinality(String), query String, query_kind LowCardinality(String),
  exception_code Int32, exception String,
  is_initial_query UInt8 DEFAULT 1, user LowCardinality(String), query_id String,
  initial_user LowCardinality(String) DEFAULT user, initial_query_id String DEFAULT query_id,
  address String, interface UInt8 DEFAULT 2, http_method UInt8, http_user_agent LowCardinality(String),
  client_name String DEFAULT '', log_comment String, Settings Map(LowCardinality(String), String))
  ENGINE = Memory SETTINGS max_rows_to_keep = 10000, max_bytes_to_keep = 67108864)";

std::int64_t microseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::string settings_of(const QueryRecord& record) {
  std::string out;
  JsonObject object(out);
  for (const auto& [name, value] : record.settings) object.text(name, value);
  object.end();
  return out;
}

std::string row(const QueryRecord& record, std::string_view type, bool has_ended) {
  const std::int64_t begin = microseconds(record.begin);
  const Progress used = has_ended ? record.used : Progress{};
  const auto duration = static_cast<std::int64_t>(used.elapsed_ns / 1000);
  const auto comment = std::ranges::find(record.settings, "log_comment", &Settings::value_type::first);
  std::string out;
  JsonObject object(out);
  const auto number = [&](std::string_view name, std::uint64_t value) { object.raw(name, fmt::format("{}", value)); };
  object.text("type", type);
  object.number("event_time_microseconds", begin + duration);
  object.number("query_start_time_microseconds", begin);
  object.number("query_duration_ms", duration / 1000);
  number("read_rows", used.read_rows);
  number("read_bytes", used.read_bytes);
  number("written_rows", used.written_rows);
  number("written_bytes", used.written_bytes);
  number("result_rows", used.result_rows);
  number("result_bytes", used.result_bytes);
  number("memory_usage", used.memory_usage);
  object.text("current_database", record.database);
  object.text("query", record.text);
  object.text("query_kind", record.kind);
  object.number("exception_code", has_ended ? record.failed.code : 0);
  object.text("exception", has_ended ? std::string_view(record.failed.message) : std::string_view());
  object.text("user", record.user);
  object.text("query_id", record.query_id);
  object.text("address", record.address);
  object.number("http_method", record.is_get ? 1 : 2);
  object.text("http_user_agent", record.user_agent);
  object.text("log_comment", comment == record.settings.end() ? std::string_view() : std::string_view(comment->second));
  object.raw("Settings", settings_of(record));
  object.end();
  return out;
}

}  // namespace

Result<void> QueryLog::create(Pool& pool) {
  auto connection = pool.lend();
  if (!connection) return Error::give_up(connection.error().message);
  if (auto made = (*connection)->query(kQueryTable, "Null"); !made) return Error::give_up(made.error().message);
  return {};
}

void QueryLog::add(QueryRecord record) {
  const bool failed = record.failed.code != 0;
  std::string begin = row(record, "QueryStart", false);
  std::string end = row(record, failed ? "ExceptionWhileProcessing" : "QueryFinish", true);
  const std::scoped_lock lock(mutex_);
  waiting_.push_back(std::move(begin));
  waiting_.push_back(std::move(end));
  while (waiting_.size() > kMostQueriesWaiting) waiting_.pop_front();
}

void QueryLog::flush(Pool& pool) {
  std::deque<std::string> rows;
  {
    const std::scoped_lock lock(mutex_);
    rows.swap(waiting_);
  }
  if (rows.empty()) return;
  std::string data;
  for (const std::string& text : rows) data += text + '\n';
  auto connection = pool.lend();
  // A log that cannot be written is no reason to refuse the statement that asks for it.
  if (connection) static_cast<void>((*connection)->insert("INSERT INTO system.query_log", "JSONEachRow", {}, data));
}

}  // namespace marquee::engine
