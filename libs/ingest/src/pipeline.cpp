#include "marquee/ingest/pipeline.h"

#include <fmt/format.h>

#include "marquee/clickhouse/native_block.h"

namespace marquee::ingest {

Result<void> write_pipeline(clickhouse::Client& store, const std::vector<PartitionStatus>& partitions) {
  using clickhouse::NumberColumn;
  clickhouse::NativeBlock block;
  auto& partition = block.add<NumberColumn<std::uint16_t>>("log_partition", "UInt16");
  auto& loader = block.add<clickhouse::StringColumn>("loader", "String");
  auto& time = block.add<NumberColumn<std::int64_t>>("time", "DateTime64(3, 'UTC')");
  auto& lag_seconds = block.add<NumberColumn<double>>("lag_seconds", "Float64");
  auto& events_per_second = block.add<NumberColumn<double>>("events_per_second", "Float64");
  auto& batch_rows = block.add<NumberColumn<std::uint64_t>>("batch_rows", "UInt64");
  auto& events_landed = block.add<NumberColumn<std::uint64_t>>("events_landed", "UInt64");
  auto& repeats_dropped = block.add<NumberColumn<std::uint64_t>>("repeats_dropped", "UInt64");
  auto& dead_letters = block.add<NumberColumn<std::uint64_t>>("dead_letters", "UInt64");
  auto& last_error = block.add<clickhouse::StringColumn>("last_error", "String");
  for (const PartitionStatus& one : partitions) {
    partition.append(static_cast<std::uint16_t>(one.partition));
    loader.append(one.loader);
    time.append(one.time_ms);
    lag_seconds.append(one.lag_seconds);
    events_per_second.append(one.events_per_second);
    batch_rows.append(one.batch_rows);
    events_landed.append(one.events_landed);
    repeats_dropped.append(one.repeats_dropped);
    dead_letters.append(one.dead_letters);
    last_error.append(one.last_error);
  }
  std::string body;
  block.write(body);
  const auto written =
      store.insert(fmt::format("INSERT INTO marquee.pipeline ({})", block.column_names()), "Native", body);
  if (!written) return written.error().error;
  return {};
}

namespace {

clickhouse::QueryOptions within_seconds() { return {.settings = {}, .query_id = {}, .timeout_ms = 5'000}; }

Result<std::vector<PartitionStatus>> read_told(clickhouse::Client& store) {
  const auto rows = store.table(
      "SELECT log_partition, loader, toUnixTimestamp64Milli(time), lag_seconds, events_per_second, batch_rows, "
      "events_landed, repeats_dropped, dead_letters, last_error FROM marquee.pipeline FINAL ORDER BY log_partition",
      {}, within_seconds());
  if (!rows) return rows.error();
  std::vector<PartitionStatus> all;
  for (const auto& row : rows->rows) {
    PartitionStatus& one = all.emplace_back();
    one.partition = static_cast<log::Partition>(std::stoul(row[0]));
    one.loader = row[1];
    one.time_ms = std::stoll(row[2]);
    one.lag_seconds = std::stod(row[3]);
    one.events_per_second = std::stod(row[4]);
    one.batch_rows = std::stoull(row[5]);
    one.events_landed = std::stoull(row[6]);
    one.repeats_dropped = std::stoull(row[7]);
    one.dead_letters = std::stoull(row[8]);
    one.last_error = row[9];
  }
  return all;
}

Result<std::vector<std::uint64_t>> count_dead_letters(clickhouse::Client& store, const std::string& topic) {
  const auto rows = store.table(
      "SELECT log_partition, count() FROM marquee.dead_letter_states WHERE replayed_time IS NULL "
      "AND source_topic = {topic:String} GROUP BY log_partition",
      {{"topic", clickhouse::escape_parameter(topic)}}, within_seconds());
  if (!rows) return rows.error();
  std::vector<std::uint64_t> counts;
  for (const auto& row : rows->rows) {
    const auto p = static_cast<std::size_t>(std::stoul(row[0]));
    if (p >= counts.size()) counts.resize(p + 1);
    counts[p] = std::stoull(row[1]);
  }
  return counts;
}

}  // namespace

PipelineLook look_at_pipeline(clickhouse::Client& store, log::EventLog& log, const std::string& topic) {
  PipelineLook look;
  if (auto standings = log.standings()) look.log = std::move(*standings);
  look.time_ms = SystemClock().now().time_since_epoch().count();
  auto told = read_told(store);
  if (!told) return look;
  if (auto letters = count_dead_letters(store, topic)) {
    look.told = std::move(*told);
    look.dead_letters = std::move(*letters);
  }
  return look;
}

}  // namespace marquee::ingest
