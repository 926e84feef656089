#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "answer_rows.h"
#include "marquee/analytics/live.h"
#include "measures.h"

namespace marquee::analytics {
namespace {

std::string counts(bool is_rollup, std::string_view condition) {
  const auto sum = [&](std::string_view measure) { return measure_expression(measure, is_rollup, condition); };
  return fmt::format("{}, {}, {}, {}", sum("impressions"), sum("viewable_impressions"), sum("clicks"),
                     sum("conversions"));
}

LiveRow row_of(const std::vector<std::string>& row) {
  return {row[0],
          row[1],
          static_cast<std::int64_t>(number(row[2])),
          {number(row[3]), number(row[4]), number(row[5]), number(row[6])}};
}

}  // namespace

Result<LandedRows> landed_by_second(clickhouse::Client& store, std::uint32_t partition, std::uint64_t from,
                                    std::int64_t since_s) {
  // Every event is looked at, so that `next` goes on where no delivery lands.
  const auto landed = store.table(
      fmt::format("SELECT site_id, campaign_id, greatest(toUnixTimestamp(event_time), {{since:Int64}} - 1) AS at, {}, "
                  "max(log_offset) FROM marquee.events WHERE log_partition = {{partition:UInt16}} AND log_offset >= "
                  "{{from:UInt64}} GROUP BY site_id, campaign_id, at",
                  counts(/*is_rollup=*/false, "NOT is_bot")),
      {{"partition", std::to_string(partition)}, {"from", std::to_string(from)}, {"since", std::to_string(since_s)}});
  if (!landed) return landed.error();
  LandedRows result{{}, from};
  for (const auto& row : landed->rows) {
    result.next = std::max(result.next, number(row[7]) + 1);
    LiveRow one = row_of(row);
    if (one.time_s >= since_s && !one.campaign.empty() && one.count != LiveCount()) result.rows.push_back(one);
  }
  return result;
}

Result<std::vector<LiveRow>> live_rows(clickhouse::Client& store, const std::string& site, LiveUnit unit,
                                       const std::set<std::int64_t>& times_s) {
  std::vector<LiveRow> rows;
  if (times_s.empty()) return rows;
  const bool is_day = unit == LiveUnit::day;
  const auto counted = store.table(
      fmt::format("SELECT site_id, campaign_id, toUnixTimestamp({}) AS at, {} FROM marquee.{} WHERE site_id = "
                  "{{site:String}}{} AND time >= toDateTime({{from:Int64}}) AND time < toDateTime({{to:Int64}}) AND "
                  "campaign_id != '' AND NOT is_bot GROUP BY site_id, campaign_id, at HAVING at IN ({})",
                  is_day ? "toStartOfDay(time)" : "time", counts(/*is_rollup=*/true, ""),
                  is_day ? "delivery_sums" : "campaign_minute", is_day ? " AND grouping = 'campaign_totals'" : "",
                  fmt::join(times_s, ", ")),
      {{"site", site},
       {"from", std::to_string(*times_s.begin())},
       {"to", std::to_string(*times_s.rbegin() + length_of(unit))}});
  if (!counted) return counted.error();
  for (const auto& row : counted->rows) rows.push_back(row_of(row));
  return rows;
}

}  // namespace marquee::analytics
