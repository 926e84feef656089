#include "marquee/analytics/reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "marquee/analytics/statistics.h"
#include "query.h"

namespace marquee::analytics {
namespace {

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> real(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data() || value != value) return std::nullopt;
  return value;
}

Rate rate_at(const std::vector<std::string>& row, std::size_t at) {
  return make_rate(number(row[at]), number(row[at + 1]), number(row[at + 2]));
}

void add(Rate& total, const Rate& part) {
  total = make_rate(total.impressions + part.impressions, total.viewable_impressions + part.viewable_impressions,
                    total.clicks + part.clicks);
}

std::string time_column(const std::string& source) { return source == "events" ? "event_time" : "time"; }

Result<void> check(const Scope& scope) {
  if (scope.site.empty()) return Error::reject("site: missing");
  if (scope.from_ms && scope.to_ms && *scope.from_ms >= *scope.to_ms) return Error::reject("to: must be after from");
  return {};
}

constexpr std::string_view kTypes[] = {"page_view",  "page_leave", "impression", "viewable_impression", "hover",
                                       "click",      "scroll",     "search",     "course_view",         "course_click",
                                       "conversion", "exposure",   "custom"};

Result<void> check(const FunnelRequest& request) {
  if (request.steps.size() < 2 || request.steps.size() > 8)
    return Error::reject(fmt::format("steps: expected two to eight event types, got {}", request.steps.size()));
  for (const auto& step : request.steps)
    if (std::ranges::find(kTypes, step) == std::end(kTypes))
      return Error::reject(
          fmt::format("steps: \"{}\" is no event type; there are {}", step.substr(0, 64), fmt::join(kTypes, ", ")));
  if (request.window_seconds < 1 || request.window_seconds > 2'592'000)
    return Error::reject("window_seconds: expected 1 to 2592000 (30 days)");
  return check(request.scope);
}

}  // namespace

Rate make_rate(std::uint64_t impressions, std::uint64_t viewable_impressions, std::uint64_t clicks) {
  const auto [low, high] = wilson(clicks, impressions);
  return {impressions, viewable_impressions,
          clicks,      impressions == 0 ? 0 : static_cast<double>(clicks) / static_cast<double>(impressions),
          low,         high};
}

Result<CtrReport> Reports::ctr(const CtrRequest& request) {
  const bool is_in_rollups = std::ranges::all_of(request.by, is_in_rollup);
  return ctr_from(request, is_in_rollups ? cheapest_campaign_source(request.scope) : "events");
}

Result<CtrReport> Reports::ctr_from_events(const CtrRequest& request) { return ctr_from(request, "events"); }

Result<CtrReport> Reports::ctr_from(const CtrRequest& request, const std::string& source) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.by.empty() || request.by.size() > 3) return Error::reject("by: expected one to three dimensions");
  if (request.limit < 1 || request.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  const bool is_rollup = source != "events";
  clickhouse::Parameters parameters;
  std::string keys, groups;
  for (std::size_t i = 0; i < request.by.size(); ++i) {
    const auto expression = dimension_expression(request.by[i], is_rollup, i, parameters);
    if (!expression) return expression.error();
    keys += fmt::format("{} AS key{}, ", *expression, i);
    groups += fmt::format("{}key{}", i == 0 ? "" : ", ", i);
  }
  const auto filter = where(request.scope, time_column(source), parameters);
  CtrReport report{source, {}, {}};
  const auto total =
      store_.table(fmt::format("SELECT {} FROM marquee.{}{}", rate_columns(is_rollup), source, filter), parameters);
  if (!total) return total.error();
  report.total = rate_at(total->rows.at(0), 0);
  parameters["least"] = std::to_string(std::max<std::uint64_t>(request.min_impressions, 0));
  parameters["most"] = std::to_string(request.limit);
  const auto rows = store_.table(
      fmt::format("SELECT {}{} FROM marquee.{}{} GROUP BY {} HAVING shown + clicked > 0 AND shown >= {{least:UInt64}} "
                  "ORDER BY shown DESC, {} LIMIT {{most:UInt64}}",
                  keys, rate_columns(is_rollup), source, filter, groups, groups),
      parameters);
  if (!rows) return rows.error();
  for (const auto& row : rows->rows)
    report.rows.push_back(
        {{row.begin(), row.begin() + static_cast<std::ptrdiff_t>(request.by.size())}, rate_at(row, request.by.size())});
  return report;
}

Result<HeatmapReport> Reports::heatmap(const HeatmapRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.is_cells && request.slot.empty()) return Error::reject("slot: missing; cells are of one slot");
  clickhouse::Parameters parameters;
  constexpr std::int64_t kDay = 86'400'000;
  const auto& scope = request.scope;
  const bool is_by_day = (!scope.from_ms || *scope.from_ms % kDay == 0) && (!scope.to_ms || *scope.to_ms % kDay == 0);
  HeatmapReport report{is_by_day ? "heatmap_cells" : "events", {}};
  const std::string_view x = request.is_cells ? (is_by_day ? "cell_x" : "least(intDiv(slot_x, 100), 99)") : "position";
  const std::string_view y = request.is_cells ? (is_by_day ? "cell_y" : "least(intDiv(slot_y, 100), 99)") : "0";
  const std::string_view weight = is_by_day ? "count" : "1";
  auto filter = where(scope, is_by_day ? "toDateTime64(day, 3, 'UTC')" : "event_time", parameters);
  filter += " AND slot_id != '' AND event_type IN ('impression', 'hover', 'click')";
  if (request.is_cells) {
    parameters["slot"] = request.slot;
    filter += " AND slot_id = {slot:String}";
    filter += is_by_day ? " AND cell_x < 100" : " AND slot_x <= 10000 AND slot_y <= 10000";
  }
  const auto rows = store_.table(
      fmt::format(
          "SELECT slot_id, {} AS x, {} AS y, sumIf({}, event_type = 'impression'), sumIf({}, event_type = 'hover'), "
          "sumIf({}, event_type = 'click') FROM marquee.{}{} GROUP BY slot_id, x, y ORDER BY slot_id, y, x LIMIT "
          "100000",
          x, y, weight, weight, weight, report.source, filter),
      parameters);
  if (!rows) return rows.error();
  for (const auto& row : rows->rows)
    report.cells.push_back({row[0], number(row[1]), number(row[2]), number(row[3]), number(row[4]), number(row[5])});
  return report;
}

Result<FunnelReport> Reports::funnel(const FunnelRequest& request) {
  if (auto checked = check(request); !checked) return checked.error();
  clickhouse::Parameters parameters;
  std::string conditions, types, times;
  const auto steps = request.steps.size();
  for (std::size_t i = 0; i < steps; ++i) {
    parameters[fmt::format("step{}", i)] = request.steps[i];
    conditions += fmt::format("{}event_type = {{step{}:String}}", i == 0 ? "" : ", ", i);
    types += fmt::format("{}{{step{}:String}}", i == 0 ? "" : ", ", i);
  }
  parameters["window"] = std::to_string(request.window_seconds * 1000);
  const auto filter = where(request.scope, "event_time", parameters);
  // strict means that other events break the chain, so they must be seen.
  const auto only_steps = request.is_strict ? std::string() : fmt::format(" AND event_type IN ({})", types);
  // Anonymous users (no key) are told apart by session.
  const auto by_user = fmt::format(
      "SELECT if(user_key != 0, user_key, session_id) AS who, "
      "windowFunnel({{window:UInt64}}{})(toUInt64(toUnixTimestamp64Milli(event_time)), {}) AS level, "
      "arraySort(groupArray((toUnixTimestamp64Milli(event_time), toString(event_type)))) AS happened FROM "
      "marquee.events{}{} GROUP BY who HAVING level > 0",
      request.is_strict ? ", 'strict_order'" : "", conditions, filter, only_steps);
  for (std::size_t i = 0; i < steps; ++i) times += fmt::format("{}{{step{}:String}}", i == 0 ? "[" : ", ", i);
  times += "]";
  // First completion: each step's time is that of the first such event after the step before, from the earliest start.
  const auto query = fmt::format(
      "WITH {0} AS names SELECT {1} FROM (SELECT level, arrayFold((chain, name) -> arrayPushBack(chain, "
      "if(empty(chain), arrayFirst(e -> e.2 = name, happened).1, arrayFirst(e -> e.2 = name AND e.1 > chain[-1], "
      "happened).1)), "
      "names, emptyArrayInt64()) AS chain FROM ({2}))",
      times,
      [&] {
        std::string columns;
        for (std::size_t i = 0; i < steps; ++i) {
          columns += fmt::format("{}countIf(level >= {})", i == 0 ? "" : ", ", i + 1);
          columns += i == 0 ? ", nan"
                            : fmt::format(", medianIf(chain[{}] - chain[{}], level >= {} AND chain[{}] > chain[{}])",
                                          i + 1, i, i + 1, i + 1, i);
        }
        return columns +
               fmt::format(", medianIf(chain[{0}] - chain[1], level >= {0} AND chain[{0}] > chain[1])", steps);
      }(),
      by_user);
  const auto rows = store_.table(query, parameters);
  if (!rows) return rows.error();
  FunnelReport report;
  const auto& row = rows->rows.at(0);
  for (std::size_t i = 0; i < steps; ++i)
    report.steps.push_back({request.steps[i], number(row[2 * i]), real(row[2 * i + 1])});
  report.median_ms_total = real(row[2 * steps]);
  return report;
}

Result<CampaignsReport> Reports::campaigns(const CampaignsRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  std::string start;
  auto source = cheapest_campaign_source(request.scope);
  if (request.interval == "minute") {
    start = "toStartOfMinute";
    if (source == "campaign_hour") source = "campaign_minute";
  } else if (request.interval == "hour") {
    start = "toStartOfHour";
  } else if (request.interval == "day") {
    start = "toStartOfDay";
  } else {
    return Error::reject(fmt::format("interval: \"{}\" is none of minute, hour, day", request.interval.substr(0, 32)));
  }
  clickhouse::Parameters parameters;
  const auto rows = store_.table(
      fmt::format("SELECT campaign_id, toUnixTimestamp({}({})) AS at, {} FROM marquee.{}{} GROUP BY campaign_id, at "
                  "HAVING shown + seen + clicked > 0 ORDER BY campaign_id, at LIMIT 200000",
                  start, time_column(source), rate_columns(source != "events"), source,
                  where(request.scope, time_column(source), parameters)),
      parameters);
  if (!rows) return rows.error();
  CampaignsReport report{source, {}, {}};
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

Result<std::map<std::string, SiteSummary>> Reports::sites() {
  const auto rows = store_.table(
      "SELECT site_id, count(), toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)) FROM "
      "marquee.events GROUP BY site_id");
  if (!rows) return rows.error();
  std::map<std::string, SiteSummary> result;
  for (const auto& row : rows->rows)
    result[row[0]] = {number(row[1]), static_cast<std::int64_t>(number(row[2])),
                      static_cast<std::int64_t>(number(row[3]))};
  return result;
}

}  // namespace marquee::analytics
