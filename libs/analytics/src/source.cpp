#include "source.h"

#include <algorithm>
#include <array>

#include "marquee/analytics/model.h"
#include "measures.h"
#include "query.h"
#include "spans.h"

namespace marquee::analytics {
namespace {

/// Besides its dimensions each has those of time that are no finer than it.
struct Rollup {
  Source source;
  std::int64_t grain_ms = 0;
  bool has_money = false;  ///< Spend and revenue.
  std::array<std::string_view, 6> dimensions;
};
/// The fewest rows first.
constexpr std::array kRollups = {
    Rollup{{"campaign_totals", "delivery_sums", " AND grouping = 'campaign_totals'"},
           kHour,
           true,
           {"campaign_id", "policy"}},
    Rollup{{"ad_days", "delivery_sums", " AND grouping = 'ad_days'"},
           kDay,
           true,
           {"campaign_id", "ad_id", "slot_id", "position", "policy"}},
    Rollup{{"cohort_days", "delivery_sums", " AND grouping = 'cohort_days'"},
           kDay,
           true,
           {"college_id", "program", "year_of_study", "city", "device"}},
    Rollup{{"college_days", "delivery_sums", " AND grouping = 'college_days'"},
           kDay,
           true,
           {"college_id", "campaign_id", "ad_id", "policy"}},
    Rollup{{"campaign_hour", "campaign_hour", ""},
           kHour,
           false,
           {"campaign_id", "ad_id", "slot_id", "position", "college_id", "policy"}},
    Rollup{{"campaign_minute", "campaign_minute", ""},
           kMinute,
           false,
           {"campaign_id", "ad_id", "slot_id", "position", "college_id", "policy"}},
};

bool has(const Rollup& rollup, const std::string& name) {
  const auto dimension = std::ranges::find(dimensions(), name, &Dimension::name);
  if (dimension == dimensions().end()) return false;
  if (dimension->grain_ms != 0) return rollup.grain_ms <= dimension->grain_ms;
  return std::ranges::find(rollup.dimensions, name) != rollup.dimensions.end();
}

}  // namespace

Source cheapest_source(const Need& need) {
  const auto is_money = [](std::string_view measure) { return measure == "spend_e4" || measure == "revenue_e4"; };
  if (!std::ranges::all_of(need.measures, is_measure_in_rollup)) return kEvents;
  const bool needs_money = std::ranges::any_of(need.measures, is_money);
  for (const auto& rollup : kRollups) {
    const auto is_there = [&](const std::string& name) { return has(rollup, name); };
    if (needs_money && !rollup.has_money) continue;
    if (is_on_grid(need.scope, rollup.grain_ms) && std::ranges::all_of(need.dimensions, is_there)) return rollup.source;
  }
  return kEvents;
}

clickhouse::Settings settings_of(const Source& source) {
  // Of a day there are few rows, and most of them are wanted: reading them in two steps costs more than it saves.
  if (source.table == "delivery_sums") return {{"optimize_move_to_prewhere", "0"}};
  return {};
}

std::string only_delivery(const Source& source) {
  return source.is_rollup() ? std::string(source.condition) : only_ad_events();
}

}  // namespace marquee::analytics
