#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "measures.h"
#include "query.h"
#include "source.h"
#include "user_dimensions.h"

namespace marquee::analytics {

Result<CampaignsReport> Reports::campaigns(const CampaignsRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  std::string start;
  if (request.interval == "minute") {
    start = "toStartOfMinute";
  } else if (request.interval == "hour") {
    start = "toStartOfHour";
  } else if (request.interval == "day") {
    start = "toStartOfDay";
  } else {
    return Error::reject(fmt::format("interval: \"{}\" is none of minute, hour, day", request.interval.substr(0, 32)));
  }
  Need need{request.scope, {"campaign_id", request.interval}, {"impressions", "viewable_impressions", "clicks"}};
  for (const auto& filter : request.filters) need.dimensions.push_back(filter.dimension);
  const auto source = cheapest_source(need);
  clickhouse::Parameters parameters;
  const auto time = time_column(source.table);
  const auto filters = filter_conditions(request.filters, time, request.scope, parameters);
  if (!filters) return filters.error();
  UserDimensions users(request.scope, {});
  users.add(request.filters);
  const auto sum = [&](std::string_view measure) { return measure_expression(measure, source.is_rollup(), ""); };
  const auto rows = store_->table(
      source.table, users.data(),
      fmt::format(
          "SELECT campaign_id, toUnixTimestamp({}({})) AS at, {} AS shown, {} AS seen, {} AS clicked FROM "
          "marquee.{}{}{}{}{} GROUP BY campaign_id, at HAVING shown + seen + clicked > 0 ORDER BY campaign_id, at "
          "LIMIT 200000",
          start, time, sum("impressions"), sum("viewable_impressions"), sum("clicks"), source.table,
          users.joins(parameters), where(request.scope, time, parameters), only_delivery(source), *filters),
      parameters, {.settings = settings_of(source)});
  if (!rows) return rows.error();
  CampaignsReport report{std::string(source.name), {}, {}};
  for (const auto& row : rows->rows) {
    if (report.campaigns.empty() || report.campaigns.back().id != row[0]) report.campaigns.push_back({row[0], {}, {}});
    auto& series = report.campaigns.back();
    series.points.push_back({static_cast<std::int64_t>(number(row[1])) * 1000, rate_at(row, 2)});
    add(series.total, series.points.back().rate);
    add(report.total, series.points.back().rate);
  }
  std::ranges::sort(report.campaigns, [](const CampaignSeries& a, const CampaignSeries& b) {
    return std::tie(b.total.impressions, a.id) < std::tie(a.total.impressions, b.id);
  });
  return report;
}

}  // namespace marquee::analytics
