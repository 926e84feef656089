#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "answer_rows.h"
#include "marquee/analytics/reports.h"
#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::int64_t kDay = 86'400'000;
/// What heatmap_cells tells apart.
constexpr std::array<std::string_view, 5> kInCells = {"slot_id", "page_id", "position", "device", "day"};

/// Columns of the grid's place, and what must hold for an event to have one.
struct Grid {
  std::string slot, x, y, condition;
};

Grid grid_of(HeatmapMode mode, bool is_rollup) {
  if (mode == HeatmapMode::positions) return {"slot_id", "position", "0", " AND slot_id != ''"};
  if (is_rollup) return {"slot_id", "cell_x", "cell_y", " AND cell_x < 100 AND slot_id != ''"};
  const std::string_view of = mode == HeatmapMode::page ? "page" : "slot";
  return {mode == HeatmapMode::page ? "''" : "slot_id", fmt::format("least(intDiv({}_x, 100), 99)", of),
          fmt::format("least(intDiv({}_y, 100), 99)", of), fmt::format(" AND {0}_x <= 10000 AND {0}_y <= 10000", of)};
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
  const bool is_rollup = is_on_grid(request.scope, kDay) && request.mode != HeatmapMode::page &&
                         std::ranges::all_of(filters, [](const Filter& f) {
                           return std::ranges::find(kInCells, f.dimension) != kInCells.end();
                         });
  HeatmapReport report{is_rollup ? "heatmap_cells" : "events", {}};
  const std::string time = is_rollup ? "toDateTime64(day, 3, 'UTC')" : "event_time";
  clickhouse::Parameters parameters;
  auto filter = where(request.scope, time, parameters);
  const auto conditions = filter_conditions(filters, /*is_rollup=*/false, time, parameters);
  if (!conditions) return conditions.error();
  const auto grid = grid_of(request.mode, is_rollup);
  filter += *conditions + grid.condition + " AND event_type IN ('impression', 'viewable_impression', 'hover', 'click')";
  std::string sums;
  for (const auto* type : {"impression", "viewable_impression", "hover", "click"})
    sums += fmt::format(", sumIf({}, event_type = '{}')", is_rollup ? "count" : "1", type);
  const auto rows = store_.table(fmt::format("SELECT {} AS slot, {} AS x, {} AS y{} FROM marquee.{}{} GROUP BY slot, "
                                             "x, y ORDER BY slot, y, x LIMIT 100000",
                                             grid.slot, grid.x, grid.y, sums, report.source, filter),
                                 parameters);
  if (!rows) return rows.error();
  for (const auto& row : rows->rows)
    report.cells.push_back(
        {row[0], number(row[1]), number(row[2]), number(row[3]), number(row[4]), number(row[5]), number(row[6])});
  return report;
}

}  // namespace marquee::analytics
