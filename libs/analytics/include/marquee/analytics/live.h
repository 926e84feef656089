// What campaigns deliver just now, by second, minute or day.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::analytics {

enum class LiveUnit { second, minute, day };
/// In seconds.
[[nodiscard]] constexpr std::int64_t length_of(LiveUnit unit) {
  return unit == LiveUnit::second ? 1 : unit == LiveUnit::minute ? 60 : 86'400;
}
/// How many of them are told: a minute of seconds, an hour of minutes, thirty days.
[[nodiscard]] constexpr std::int64_t window_of(LiveUnit unit) { return unit == LiveUnit::day ? 30 : 60; }

/// Bots are left out, as of every report.
struct LiveCount {
  std::uint64_t impressions = 0, viewable_impressions = 0, clicks = 0, conversions = 0;
  bool operator==(const LiveCount&) const = default;
};
struct LiveRow {
  std::string site, campaign;
  std::int64_t time_s = 0;  ///< Begin of the unit, seconds since the Unix epoch.
  LiveCount count;
};

struct LandedRows {
  std::vector<LiveRow> rows;  ///< By second, of every site.
  std::uint64_t next = 0;     ///< Offset after the last event that was looked at.
};
/// Delivery that has landed of one partition of the log from the offset `from` on, of events of `since_s` and later.
[[nodiscard]] Result<LandedRows> landed_by_second(clickhouse::Client& store, std::uint32_t partition,
                                                  std::uint64_t from, std::int64_t since_s);

/// What a site's campaigns deliver in these units, from the rollups. `unit`: minute or day.
[[nodiscard]] Result<std::vector<LiveRow>> live_rows(clickhouse::Client& store, const std::string& site, LiveUnit unit,
                                                     const std::set<std::int64_t>& times_s);

}  // namespace marquee::analytics
