#include <fmt/format.h>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "sample.h"
#include "spans.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::int64_t kWeek = 7 * kDay;
constexpr std::int64_t kFirstMonday = 4 * kDay;  // 1970-01-05
constexpr std::int64_t kMostIntervals = 400;

Result<std::int64_t> interval_ms(const RetentionRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (auto known = check_event_types(request.start, "start"); !known) return known.error();
  if (auto known = check_event_types(request.back, "back"); !known) return known.error();
  if (request.interval != "day" && request.interval != "week")
    return Error::reject(fmt::format("interval: \"{}\" is none of day, week", request.interval.substr(0, 32)));
  const bool is_day = request.interval == "day";
  const auto length = is_day ? kDay : kWeek, first = is_day ? 0 : kFirstMonday;
  for (const auto& [end, name] : {std::pair{request.scope.from_ms, "from"}, std::pair{request.scope.to_ms, "to"}}) {
    if (!end) return Error::reject(fmt::format("{}: missing; retention needs a range", name));
    if ((*end - first) % length != 0)
      return Error::reject(fmt::format("{}: expected the begin of a {}", name, is_day ? "day" : "week (a Monday)"));
  }
  if ((*request.scope.to_ms - *request.scope.from_ms) / length > kMostIntervals)
    return Error::reject(fmt::format("to: at most {} intervals after from", kMostIntervals));
  return length;
}

/// Whether an event counts, as a condition.
std::string is_one_of(const std::vector<std::string>& types, const std::string& name,
                      clickhouse::Parameters& parameters) {
  if (types.empty()) return "1";
  parameters[name] = array_parameter(types);
  return fmt::format("toString(event_type) IN {{{}:Array(String)}}", name);
}

struct RetentionQuery {
  std::string source;
  StoreQuery query;
  std::int64_t length_ms = 0;
};

/// Rows: of which interval the cohort is; how many later, or -1 for the cohort itself; parts, and the users of each.
Result<RetentionQuery> retention_query(const RetentionRequest& request, const std::optional<double>& fraction) {
  const auto length = interval_ms(request);
  if (!length) return length.error();
  clickhouse::Parameters parameters;
  // Any event of a user makes a row of that user's day.
  const bool is_by_day = request.start.empty() && request.back.empty() && request.filters.empty();
  const std::string source = is_by_day ? "user_days" : "events";
  const std::string time = is_by_day ? "toDateTime64(day, 3, 'UTC')" : "event_time";
  auto filter = where(request.scope, time, parameters);
  filter += fraction ? keyed_users_of(*fraction, parameters) : " AND user_key != 0";
  const auto filters = filter_conditions(request.filters, time, request.scope, parameters);
  if (!filters) return filters.error();
  filter += *filters;
  UserDimensions users(request.scope, {});
  users.add(request.filters);
  const auto joins = users.joins(parameters);
  parameters["begin"] = std::to_string(*request.scope.from_ms);
  parameters["length"] = std::to_string(*length);
  auto sql = fmt::format(
      "SELECT first, passed, groupArray(part), groupArray(users) FROM (SELECT first, passed, {6} AS part, count() AS "
      "users FROM (SELECT user_key, minIf(interval, is_start) AS first, groupUniqArrayIf(interval, is_back) AS "
      "intervals FROM (SELECT user_key, intDiv(toUnixTimestamp64Milli({0}) - {{begin:Int64}}, {{length:Int64}}) AS "
      "interval, {1} AS is_start, {2} AS is_back FROM marquee.{3}{5}{4}) GROUP BY user_key HAVING countIf(is_start) > "
      "0) ARRAY JOIN arrayPushBack(arrayFilter(i -> i >= 0, arrayMap(i -> i - first, intervals)), -1) AS passed GROUP "
      "BY first, passed, part) GROUP BY first, passed ORDER BY first, passed",
      time, is_one_of(request.start, "start", parameters), is_one_of(request.back, "back", parameters), source, filter,
      joins, part_of_person("user_key", fraction));
  return RetentionQuery{source, {std::move(sql), std::move(parameters), users.data()}, *length};
}

}  // namespace

Result<RetentionReport> Reports::retention(const RetentionRequest& request, std::optional<double> fraction) {
  if (fraction)
    if (auto checked = check_fraction(*fraction); !checked) return checked.error();
  const auto asked = retention_query(request, fraction);
  if (!asked) return asked.error();
  const auto& query = asked->query;
  const auto rows =
      store_->table(asked->source, query.data, query.sql, query.parameters, {.query_id = request.query_id});
  if (!rows) return rows.error();
  const auto from = *request.scope.from_ms, length = asked->length_ms;
  const auto intervals = static_cast<std::uint64_t>((*request.scope.to_ms - from) / length);
  RetentionReport report{asked->source, {}, fraction};
  for (const auto& cells : rows->rows) {
    const auto first = number(cells[0]);
    const auto users = people_count(measure_of(cells[2], cells[3]), fraction);
    if (cells[1] == "-1") {  // The cohort itself, which comes before what it did.
      report.cohorts.push_back({from + static_cast<std::int64_t>(first) * length, users.value,
                                std::vector<std::uint64_t>(intervals - first), users.bounds,
                                std::vector<MetricValue>(fraction ? intervals - first : 0, MetricValue{0, 0, 0})});
      continue;
    }
    auto& cohort = report.cohorts.back();
    cohort.back.at(number(cells[1])) = users.value;
    if (fraction) cohort.back_bounds.at(number(cells[1])) = *users.bounds;
  }
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const RetentionRequest& request) {
  const auto asked = retention_query(request, std::nullopt);
  if (!asked) return asked.error();
  if (asked->source != "events") return std::uint64_t{0};
  return rows_to_read(store_->store(), asked->query.sql, asked->query.parameters);
}

}  // namespace marquee::analytics
