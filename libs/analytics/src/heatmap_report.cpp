#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "sample.h"
#include "source.h"
#include "spans.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::string_view kCells = "heatmap_cells";
/// What heatmap_cells tells apart.
constexpr std::array<std::string_view, 5> kInCells = {"slot_id", "page_id", "position", "device", "day"};

constexpr std::array<std::string_view, 4> kTypes = {"impression", "viewable_impression", "hover", "click"};

/// Columns of the grid's place, and what must hold for an event to have one.
struct Grid {
  std::string slot, x, y, condition;
};

Grid grid_of(HeatmapMode mode, std::string_view source) {
  if (mode == HeatmapMode::positions) return {"slot_id", "position", "0", " AND slot_id != ''"};
  if (source == kCells) return {"slot_id", "cell_x", "cell_y", " AND cell_x < 100 AND slot_id != ''"};
  const std::string_view of = mode == HeatmapMode::page ? "page" : "slot";
  return {mode == HeatmapMode::page ? "''" : "slot_id", fmt::format("least(intDiv({}_x, 100), 99)", of),
          fmt::format("least(intDiv({}_y, 100), 99)", of), fmt::format(" AND {0}_x <= 10000 AND {0}_y <= 10000", of)};
}

Source source_of(const HeatmapRequest& request, const std::vector<Filter>& filters) {
  if (request.mode == HeatmapMode::positions) {
    Need need{request.scope, {"slot_id", "position"}, {"impressions", "viewable_impressions", "hovers", "clicks"}};
    for (const auto& filter : filters) need.dimensions.push_back(filter.dimension);
    if (const auto source = cheapest_source(need); source.is_rollup()) return source;
  }
  const bool is_in_cells = is_on_grid(request.scope, kDay) && request.mode != HeatmapMode::page &&
                           std::ranges::all_of(filters, [](const Filter& f) {
                             return std::ranges::find(kInCells, f.dimension) != kInCells.end();
                           });
  return is_in_cells ? Source{kCells, kCells, ""} : kEvents;
}

/// Impressions, viewable impressions, hovers and clicks; and what leaves out all other events.
struct Sums {
  std::string columns, condition;
};

Sums sums_of(std::string_view source) {
  if (source != kCells && source != "events")
    return {", sum(impressions), sum(viewable_impressions), sum(hovers), sum(clicks)",
            " AND impressions + viewable_impressions + hovers + clicks > 0"};
  Sums sums;
  for (const auto type : kTypes)
    sums.columns += fmt::format(", sumIf({}, event_type = '{}') AS {}s", source == kCells ? "count" : "1", type, type);
  sums.condition = fmt::format(" AND event_type IN ('{}')", fmt::join(kTypes, "', '"));
  return sums;
}

std::string time_of(std::string_view source) {
  return source == kCells ? "toDateTime64(day, 3, 'UTC')" : time_column(source);
}

/// What is read of where, but for how it is grouped.
struct Query {
  Source source;
  Grid grid;
  std::string sums, joins, conditions;
  Scope data;  ///< What the answer depends on.
  clickhouse::Parameters parameters = {};

  /// "SELECT slot, x, y, sums ..., more FROM ... WHERE ... GROUP BY slot, x, y, keys"
  [[nodiscard]] std::string sql(const std::string& more, const std::string& keys) const {
    return fmt::format("SELECT {} AS slot, {} AS x, {} AS y{}{} FROM marquee.{}{}{} GROUP BY slot, x, y{}", grid.slot,
                       grid.x, grid.y, sums, more, source.table, joins, conditions, keys);
  }
};
/// Of cells; more than a page has.
constexpr std::string_view kInOrder = " ORDER BY slot, y, x LIMIT 100000";

Result<Query> heatmap_query(const HeatmapRequest& request, bool only_events) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.mode == HeatmapMode::cells && request.slot.empty())
    return Error::reject("slot: missing; cells are of one slot");
  if (request.mode == HeatmapMode::page && request.page.empty())
    return Error::reject("page: missing; the grid is of one page");
  auto filters = request.filters;
  if (!request.slot.empty()) filters.push_back({"slot_id", {request.slot}});
  if (!request.page.empty()) filters.push_back({"page_id", {request.page}});
  const auto source = only_events ? kEvents : source_of(request, filters);
  const auto time = time_of(source.table);
  const auto sums = sums_of(source.table);
  UserDimensions users(request.scope, {});
  users.add(filters);
  Query query{source, grid_of(request.mode, source.table), sums.columns, {}, {}, users.data()};
  query.joins = users.joins(query.parameters);
  query.conditions = where(request.scope, time, query.parameters);
  const auto conditions = filter_conditions(filters, time, request.scope, query.parameters);
  if (!conditions) return conditions.error();
  query.conditions += *conditions + query.grid.condition + sums.condition + std::string(source.condition);
  return query;
}

std::uint64_t rounded(const MetricValue& value) { return static_cast<std::uint64_t>(std::llround(*value.value)); }

/// Of a row of arrays: the parts, and the four sums in each of them.
HeatCell estimated_cell(const std::vector<std::string>& row, const Share& share) {
  std::array<SampledMeasure, kTypes.size()> sums;
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = measure_of(row[3], row[4 + i]);
  const auto& [shown, seen, hovered, clicked] = sums;
  const auto of = [&](const SampledMeasure& sum, const SampledMeasure* divisor = nullptr) {
    return estimate(sum, divisor, share);
  };
  const HeatBounds bounds = {of(shown), of(seen), of(hovered), of(clicked), of(clicked, &shown), of(seen, &shown)};
  return {row[0],
          number(row[1]),
          number(row[2]),
          rounded(bounds.impressions),
          rounded(bounds.viewable_impressions),
          rounded(bounds.hovers),
          rounded(bounds.clicks),
          bounds};
}

}  // namespace

Result<HeatmapReport> Reports::heatmap(const HeatmapRequest& request) {
  const auto query = heatmap_query(request, /*only_events=*/false);
  if (!query) return query.error();
  const auto rows =
      store_->table(query->source.table, query->data, query->sql("", "") + std::string(kInOrder), query->parameters,
                    {.settings = settings_of(query->source), .query_id = request.query_id});
  if (!rows) return rows.error();
  HeatmapReport report{std::string(query->source.name), {}};
  for (const auto& row : rows->rows)
    report.cells.push_back(
        {row[0], number(row[1]), number(row[2]), number(row[3]), number(row[4]), number(row[5]), number(row[6])});
  return report;
}

Result<HeatmapReport> Reports::sampled_heatmap(const HeatmapRequest& request, double fraction) {
  if (auto checked = check_fraction(fraction); !checked) return checked.error();
  auto query = heatmap_query(request, /*only_events=*/true);
  if (!query) return query.error();
  const auto share = share_of(*store_, request.scope, fraction);
  if (!share) return share.error();
  query->conditions += events_of(*share, request.scope, query->parameters);
  const auto by_part = query->sql(fmt::format(", {} AS part", part_of_event(*share)), ", part");
  const auto rows = store_->table(
      "events", query->data,
      fmt::format("SELECT slot, x, y, groupArray(part), groupArray(impressions), groupArray(viewable_impressions), "
                  "groupArray(hovers), groupArray(clicks) FROM ({}) GROUP BY slot, x, y{}",
                  by_part, kInOrder),
      query->parameters);
  if (!rows) return rows.error();
  HeatmapReport report{std::string(query->source.name), {}, fraction};
  for (const auto& row : rows->rows) report.cells.push_back(estimated_cell(row, *share));
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const HeatmapRequest& request) {
  const auto query = heatmap_query(request, /*only_events=*/false);
  if (!query) return query.error();
  if (query->source.table != kEvents.table) return std::uint64_t{0};
  return rows_to_read(store_->store(), query->sql("", ""), query->parameters);
}

}  // namespace marquee::analytics
