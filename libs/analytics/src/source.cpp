#include "source.h"

#include <algorithm>
#include <array>

#include "marquee/analytics/model.h"
#include "measures.h"
#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

/// A rollup of sql/0008_coarse_rollups.sql. Besides its dimensions each has those of time that are no finer than it.
struct Rollup {
  std::string_view table;
  std::int64_t grain_ms = 0;
  std::array<std::string_view, 6> dimensions;
};
/// The fewest rows first.
constexpr std::array kRollups = {
    Rollup{"campaign_totals", kHour, {"campaign_id", "policy"}},
    Rollup{"ad_days", kDay, {"campaign_id", "ad_id", "slot_id", "position", "policy"}},
    Rollup{"cohort_days", kDay, {"college_id", "program", "year_of_study", "city", "device"}},
    Rollup{"college_days", kDay, {"college_id", "campaign_id", "ad_id", "policy"}},
    Rollup{"campaign_hour", kHour, {"campaign_id", "ad_id", "slot_id", "position", "college_id", "policy"}},
    Rollup{"campaign_minute", kMinute, {"campaign_id", "ad_id", "slot_id", "position", "college_id", "policy"}},
};

bool has(const Rollup& rollup, const std::string& name) {
  const auto dimension = std::ranges::find(dimensions(), name, &Dimension::name);
  if (dimension == dimensions().end()) return false;
  if (dimension->grain_ms != 0) return rollup.grain_ms <= dimension->grain_ms;
  return std::ranges::find(rollup.dimensions, name) != rollup.dimensions.end();
}

}  // namespace

std::string_view cheapest_source(const Need& need) {
  if (!std::ranges::all_of(need.measures, is_measure_in_rollup)) return "events";
  for (const auto& rollup : kRollups) {
    const auto is_there = [&](const std::string& name) { return has(rollup, name); };
    if (is_on_grid(need.scope, rollup.grain_ms) && std::ranges::all_of(need.dimensions, is_there)) return rollup.table;
  }
  return "events";
}

}  // namespace marquee::analytics
