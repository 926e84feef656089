#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "marquee/base/config.h"
#include "marquee/event/timestamp.h"
#include "marquee/ingest/rewind.h"
#include "offsets_sql.h"

namespace marquee::ingest {
namespace {

bool consists_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "0:4711,3:12"
std::optional<std::map<log::Partition, log::Offset>> parse_offsets(std::string_view text) {
  std::map<log::Partition, log::Offset> offsets;
  if (text.ends_with(',')) return std::nullopt;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto partition = number<log::Partition>(one.substr(0, colon));
    const auto offset = number<log::Offset>(one.substr(colon + 1));
    if (!partition || !offset || !offsets.emplace(*partition, *offset).second) return std::nullopt;
    text.remove_prefix(std::min(one.size() + 1, text.size()));
  }
  return offsets;
}

std::string text_of(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", std::chrono::floor<std::chrono::seconds>(time));
}

/// Where one partition begins.
Result<log::Offset> begin_of(log::EventLog& log, log::Partition partition, const RewindFrom& from, log::Offset landed) {
  std::optional<log::Offset> wanted = from.offset;
  if (const auto found = from.offsets.find(partition); found != from.offsets.end()) wanted = found->second;
  if (!from.offsets.empty() && !wanted) return landed;
  if (from.time) {
    const auto found = log.offset_at(partition, *from.time);
    if (!found) return found.error();
    wanted = *found;
  }
  const log::Offset oldest = log.begin(partition);
  if (!wanted) wanted = oldest;
  if (*wanted < oldest) {
    return Error::reject(
        fmt::format("the log no longer holds offset {} of partition {}: it begins at {} (--from start)", *wanted,
                    partition, oldest));
  }
  if (*wanted > std::max(log.end(partition), landed)) {
    return Error::reject(
        fmt::format("partition {} ends at offset {}: there is no {}", partition, log.end(partition), *wanted));
  }
  return std::min(*wanted, landed);
}

Result<void> check_one_server(clickhouse::Client& store) {
  const auto engine = store.table("SELECT engine FROM system.tables WHERE database = 'marquee' AND name = 'events'");
  if (!engine) return engine.error();
  if (!engine->rows.empty() && engine->rows[0][0].ends_with("MergeTree") &&
      !engine->rows[0][0].starts_with("Replicated"))
    return {};
  return Error::reject(
      "history is read again into the tables of one server, and these are a cluster's (store.cluster): there, "
      "`marquee rebuild` counts rollups again");
}

/// Refuses where the events table has rows from `time` on that the log has let go.
Result<void> check_kept(clickhouse::Client& store, const Offsets& oldest, WallTime time) {
  auto parameters = from_parameter(oldest);
  parameters["time"] = std::to_string(time.time_since_epoch().count());
  const auto gone = store.table(
      fmt::format("SELECT log_partition, count() FROM marquee.events WHERE received_time >= "
                  "fromUnixTimestamp64Milli({{time:Int64}}) AND log_partition < length({{from:Array(UInt64)}}) "
                  "AND NOT {} GROUP BY 1 ORDER BY 1 LIMIT 1",
                  kFrom),
      parameters);
  if (!gone) return gone.error();
  if (gone->rows.empty()) return {};
  return Error::reject(
      fmt::format("the log no longer holds everything since {}: of partition {} it has let go {} events that came "
                  "since (--from start "
                  "is the oldest that it keeps)",
                  text_of(time), gone->rows[0][0], gone->rows[0][1]));
}

}  // namespace

std::uint64_t RewindPlan::records() const {
  std::uint64_t sum = 0;
  for (const RewindRange& one : partitions) sum += one.range.size();
  return sum;
}

Result<RewindFrom> parse_rewind_from(std::string_view text, WallTime now) {
  RewindFrom from;
  if (text == "start") return from;
  if (consists_of(text, "0123456789")) {
    from.offset = number<log::Offset>(text);
    if (from.offset) return from;
  } else if (consists_of(text, "0123456789:,")) {
    if (auto offsets = parse_offsets(text)) {
      from.offsets = std::move(*offsets);
      return from;
    }
  } else if (const auto ago = config::parse_duration(text)) {
    from.time = now - Millis(*ago);
    return from;
  } else if (const auto time = event::parse_timestamp(std::string(text) + (text.size() == 10 ? "T00:00:00Z" : ""))) {
    from.time = WallTime(Millis(*time));
    return from;
  }
  return Error::reject(fmt::format(
      "\"{}\" is no place to begin at: write a time (2026-11-01T00:00:00Z), how long ago (2h, 7d), an offset "
      "(4711), offsets by partition (0:4711,3:12) or start",
      text));
}

Result<RewindPlan> plan_rewind(log::EventLog& log, clickhouse::Client& store, const RewindFrom& from) {
  for (const auto& [partition, offset] : from.offsets) {
    if (partition >= log.partitions())
      return Error::reject(fmt::format("there is no partition {}: the log has {}", partition, log.partitions()));
  }
  RewindPlan plan;
  Offsets begins;
  Offsets oldest;
  for (log::Partition p = 0; p < log.partitions(); ++p) {
    const auto progress = log.progress(p);
    if (!progress) return progress.error();
    const auto begin = begin_of(log, p, from, progress->next);
    if (!begin) return begin.error();
    begins.push_back(*begin);
    oldest.push_back(std::min(log.begin(p), *begin));
    plan.partitions.push_back({p, {*begin, progress->next}, oldest.back(), 0});
  }
  if (auto alone = check_one_server(store); !alone) return alone.error();
  if (from.time) {
    if (auto kept = check_kept(store, oldest, *from.time); !kept) return kept.error();
  }
  const auto rows =
      store.table(fmt::format("SELECT if({}, log_partition, 65535), count() FROM marquee.events GROUP BY 1", kFrom),
                  from_parameter(begins));
  if (!rows) return rows.error();
  for (const auto& row : rows->rows) {
    const auto p = std::stoul(row[0]);
    (p < plan.partitions.size() ? plan.partitions[p].rows_there : plan.rows_before) = std::stoull(row[1]);
  }
  return plan;
}

}  // namespace marquee::ingest
