#include "loader_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "marquee/clickhouse/native_block.h"
#include "marquee/clickhouse/row_binary.h"

namespace marquee::ingest {
namespace {

/// A batch may hold any number of days, and must go in as one block.
clickhouse::QueryOptions insert_options(std::string query_id) {
  clickhouse::QueryOptions options;
  options.query_id = std::move(query_id);
  // marquee-store cannot give the engine a query id, so what runs is known by its comment.
  options.settings = {{"log_comment", options.query_id},
                      {"max_partitions_per_insert_block", "0"},
                      {"type_json_skip_duplicated_paths", "1"},
                      {"async_insert", "0"},
                      // The views' GROUP BY has merged the block's rows already; the engine need not look for more.
                      {"optimize_on_insert", "0"}};
  return options;
}

/// Reads rows of (log_offset, site_id, session_id, seq, external_id).
Result<std::vector<Row>> parse_rows(std::string_view body) {
  clickhouse::RowBinaryReader reader(body);
  std::vector<Row> rows;
  while (!reader.at_end()) {
    const auto offset = reader.number<std::uint64_t>();
    const auto site = reader.text();
    const auto session = reader.number<std::uint64_t>();
    const auto seq = reader.number<std::uint32_t>();
    const auto external = reader.text();
    if (!offset || !site || !session || !seq || !external) return Error::retry("the store's answer was cut off");
    rows.push_back({*offset, event::identity(*site, *session, *seq, *external)});
  }
  return rows;
}

}  // namespace

LoaderStore::Inserted LoaderStore::insert(const std::vector<const LoadBatch*>& batches, const std::string& body) {
  // The id names the partitions, so that settled() finds it by any of them.
  std::string id = "load-";
  for (const LoadBatch* batch : batches) id += fmt::format("p{}.", batch->partition());
  id += fmt::format("-{}-{}", batches.front()->range().begin, batches.front()->range().end);
  return client_.insert(fmt::format("INSERT INTO marquee.events_in ({})", batches.front()->columns()), "Native", body,
                        insert_options(id));
}

LoaderStore::Inserted LoaderStore::insert_events_only(log::Partition partition, log::Range range,
                                                      const std::string& columns, const std::string& body) {
  const auto id = fmt::format("repair-p{}.-{}-{}", partition, range.begin, range.end);
  return client_.insert(fmt::format("INSERT INTO marquee.events_repair ({})", columns), "Native", body,
                        insert_options(id));
}

LoaderStore::Inserted LoaderStore::insert_dead_letters(log::Partition partition,
                                                       const std::vector<DeadLetter>& letters) {
  clickhouse::NativeBlock block;
  auto& partitions = block.add<clickhouse::NumberColumn<std::uint16_t>>("log_partition", "UInt16");
  auto& offsets = block.add<clickhouse::NumberColumn<std::uint64_t>>("log_offset", "UInt64");
  auto& reasons = block.add<clickhouse::StringColumn>("reason", "String");
  auto& bytes = block.add<clickhouse::StringColumn>("bytes", "String");
  auto& times = block.add<clickhouse::NumberColumn<std::int64_t>>("received_time", "DateTime64(3, 'UTC')");
  const auto now = SystemClock().now().time_since_epoch().count();
  for (const DeadLetter& letter : letters) {
    partitions.append(static_cast<std::uint16_t>(partition));
    offsets.append(letter.offset);
    reasons.append(letter.reason);
    bytes.append(letter.bytes);
    times.append(now);
  }
  std::string body;
  block.write(body);
  return client_.insert(fmt::format("INSERT INTO marquee.dead_letters ({})", block.column_names()), "Native", body,
                        insert_options({}));
}

Result<void> LoaderStore::settled(log::Partition partition) {
  auto table = client_.table(
      "SELECT query_id FROM system.processes WHERE (startsWith(Settings['log_comment'], 'load-') "
      "OR startsWith(Settings['log_comment'], 'repair-')) AND position(Settings['log_comment'], {partition:String}) > "
      "0 "
      "LIMIT 1",
      {{"partition", fmt::format("p{}.", partition)}});
  if (!table) return table.error();
  if (table->rows.empty()) return {};
  return Error::retry(fmt::format("insert {} still runs in the store", table->rows[0][0]));
}

Result<std::vector<Row>> LoaderStore::landed(log::Partition partition, log::Range range) {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = 0;
  auto body = client_.query(
      "SELECT log_offset, site_id, session_id, seq, external_id FROM marquee.events WHERE log_partition = {p:UInt16} "
      "AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64} ORDER BY log_offset",
      {{"p", std::to_string(partition)}, {"begin", std::to_string(range.begin)}, {"end", std::to_string(range.end)}},
      options);
  if (!body) return body.error();
  return parse_rows(*body);
}

Result<void> LoaderStore::fill_window(log::Partition partition, log::Offset end, std::size_t capacity,
                                      IdentityWindow& window) {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = 0;
  std::vector<Row> newest_first;
  // Backwards in steps, so that a partition without repeats, the common case, reads little more than it keeps.
  std::uint64_t step = std::clamp<std::uint64_t>(capacity, 1'000, 500'000);
  while (end > 0 && newest_first.size() < capacity) {
    const log::Offset begin = end > step ? end - step : 0;
    auto body = client_.query(
        "SELECT log_offset, site_id, session_id, seq, external_id FROM marquee.events "
        "WHERE log_partition = {p:UInt16} AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64} "
        "AND (seq != 0 OR external_id != '') ORDER BY log_offset DESC LIMIT {limit:UInt64}",
        {{"p", std::to_string(partition)},
         {"begin", std::to_string(begin)},
         {"end", std::to_string(end)},
         {"limit", std::to_string(capacity - newest_first.size())}},
        options);
    if (!body) return body.error();
    auto rows = parse_rows(*body);
    if (!rows) return rows.error();
    newest_first.insert(newest_first.end(), rows->begin(), rows->end());
    if (rows->size() < step / 2) step *= 4;
    end = begin;
  }
  window.clear();
  for (auto row = newest_first.rbegin(); row != newest_first.rend(); ++row) window.insert(row->identity);
  return {};
}

}  // namespace marquee::ingest
