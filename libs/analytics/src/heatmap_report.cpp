#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "source.h"

namespace marquee::analytics {
namespace {

constexpr std::int64_t kDay = 86'400'000;
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
    sums.columns += fmt::format(", sumIf({}, event_type = '{}')", source == kCells ? "count" : "1", type);
  sums.condition = fmt::format(" AND event_type IN ('{}')", fmt::join(kTypes, "', '"));
  return sums;
}

std::string time_of(std::string_view source) {
  return source == kCells ? "toDateTime64(day, 3, 'UTC')" : time_column(source);
}

}  // namespace

Result<HeatmapReport> Reports::heatmap(const HeatmapRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.mode == HeatmapMode::cells && request.slot.empty())
    return Error::reject("slot: missing; cells are of one slot");
  if (request.mode == HeatmapMode::page && request.page.empty())
    return Error::reject("page: missing; the grid is of one page");
  auto filters = request.filters;
  if (!request.slot.empty()) filters.push_back({"slot_id", {request.slot}});
  if (!request.page.empty()) filters.push_back({"page_id", {request.page}});
  const auto source = source_of(request, filters);
  HeatmapReport report{std::string(source.name), {}};
  const auto time = time_of(source.table);
  clickhouse::Parameters parameters;
  auto filter = where(request.scope, time, parameters);
  const auto conditions = filter_conditions(filters, time, parameters);
  if (!conditions) return conditions.error();
  const auto grid = grid_of(request.mode, source.table);
  const auto sums = sums_of(source.table);
  filter += *conditions + grid.condition + sums.condition + std::string(source.condition);
  const auto rows = store_->table(source.table, request.scope,
                                  fmt::format("SELECT {} AS slot, {} AS x, {} AS y{} FROM marquee.{}{} GROUP BY slot, "
                                              "x, y ORDER BY slot, y, x LIMIT 100000",
                                              grid.slot, grid.x, grid.y, sums.columns, source.table, filter),
                                  parameters);
  if (!rows) return rows.error();
  for (const auto& row : rows->rows)
    report.cells.push_back(
        {row[0], number(row[1]), number(row[2]), number(row[3]), number(row[4]), number(row[5]), number(row[6])});
  return report;
}

}  // namespace marquee::analytics
