#include "query.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "marquee/analytics/model.h"
#include "spans.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostFilters = 20;
constexpr std::size_t kMostValues = 1000;
constexpr std::string_view kEventTypes[] = {
    "page_view", "page_leave",  "impression",   "viewable_impression", "hover",    "click", "scroll",
    "search",    "course_view", "course_click", "conversion",          "exposure", "custom"};

const Dimension* find(std::string_view name) {
  const auto all = dimensions();
  const auto it = std::ranges::find(all, name, &Dimension::name);
  return it == all.end() ? nullptr : &*it;
}

/// " AND ..." over the events.
std::string of_days(const Scope& scope, clickhouse::Parameters& parameters) {
  std::string text;
  if (scope.from_ms) {
    parameters["from_day"] = partition_of(*scope.from_ms);
    text += " AND _partition_id >= {from_day:String}";
  }
  if (scope.to_ms) {
    parameters["to_day"] = partition_of(*scope.to_ms);
    text += " AND _partition_id < {to_day:String}";
  }
  return text;
}

/// ".`a`.`b`" for "a.b".
std::string quoted_path(std::string_view path) {
  std::string text = ".`";
  for (const char c : path) {
    if (c == '.') {
      text += "`.`";
      continue;
    }
    if (c == '`' || c == '\\') text += '\\';
    text += c;
  }
  return text + '`';
}

}  // namespace

std::string partition_of(std::int64_t time_ms) {
  const std::chrono::sys_time time{std::chrono::milliseconds(time_ms)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return fmt::format("{:04}{:02}{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

bool is_on_grid(const Scope& scope, std::int64_t grain_ms) {
  return (!scope.from_ms || *scope.from_ms % grain_ms == 0) && (!scope.to_ms || *scope.to_ms % grain_ms == 0);
}

std::string props_expression(std::string_view path) {
  return fmt::format("ifNull(toString(props{}), '')", quoted_path(path));
}

Result<std::string> dimension_expression(std::string_view name, std::string_view time) {
  if (name == kSegment) return Error::reject("segment: an event may be in several; it is none of one event here");
  if (is_arm(name)) return arm_expression(name);
  if (const auto* dimension = find(name)) {
    std::string text(dimension->expression);
    if (text.empty()) text = name;
    if (const auto at = text.find("{0}"); at != std::string::npos) text.replace(at, 3, time);
    return text;
  }
  if (name.starts_with("props.") && name.size() > 6) return props_expression(name.substr(6));
  std::vector<std::string_view> names;
  for (const auto& dimension : dimensions()) names.push_back(dimension.name);
  return Error::reject(fmt::format("\"{}\" is no dimension; there are {}, props.<name> and arm.<experiment>",
                                   name.substr(0, 100), fmt::join(names, ", ")));
}

std::string array_parameter(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const auto& value : values) {
    text += text.size() == 1 ? "'" : ",'";
    for (const char c : value) {
      if (c == '\'' || c == '\\') text += '\\';
      text += c;
    }
    text += '\'';
  }
  return text + "]";
}

Result<std::string> filter_conditions(const std::vector<Filter>& filters, std::string_view time, const Scope& scope,
                                      clickhouse::Parameters& parameters, std::string_view name) {
  if (filters.size() > kMostFilters) return Error::reject(fmt::format("filter: at most {} are taken", kMostFilters));
  std::string text;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const auto& filter = filters[i];
    if (filter.values.empty() || filter.values.size() > kMostValues)
      return Error::reject(
          fmt::format("filter: {}: expected 1 to {} values", filter.dimension.substr(0, 100), kMostValues));
    if (filter.dimension == kSegment) {
      const auto condition = segment_condition(filter, scope, parameters, fmt::format("{}{}", name, i));
      if (!condition) return condition.error();
      text += *condition;
      continue;
    }
    const auto column = dimension_expression(filter.dimension, time);
    if (!column) return Error::reject("filter: " + column.error().message);
    parameters[fmt::format("{}{}", name, i)] = array_parameter(filter.values);
    text += fmt::format(" AND {} {}IN {{{}{}:Array(String)}}", *column, filter.is_negated ? "NOT " : "", name, i);
  }
  return text;
}

Result<void> check_event_types(const std::vector<std::string>& types, std::string_view parameter) {
  for (const auto& type : types)
    if (std::ranges::find(kEventTypes, type) == std::end(kEventTypes))
      return Error::reject(fmt::format("{}: \"{}\" is no event type; there are {}", parameter, type.substr(0, 64),
                                       fmt::join(kEventTypes, ", ")));
  return {};
}

std::string time_column(std::string_view source) { return source == "events" ? "event_time" : "time"; }

Result<void> check(const Scope& scope) {
  if (scope.site.empty()) return Error::reject("site: missing");
  if (scope.from_ms && scope.to_ms && *scope.from_ms >= *scope.to_ms) return Error::reject("to: must be after from");
  return {};
}

std::string where(const Scope& scope, std::string_view time_column, clickhouse::Parameters& parameters) {
  parameters["site"] = scope.site;
  std::string text = " WHERE site_id = {site:String} AND NOT is_bot";
  // Whole days of events are whole partitions: no time need be read, which takes longer than all else of many reports.
  if (time_column == "event_time" && is_on_grid(scope, kDay)) return text + of_days(scope, parameters);
  if (scope.from_ms) {
    parameters["from"] = std::to_string(*scope.from_ms);
    text += fmt::format(" AND {} >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')", time_column);
  }
  if (scope.to_ms) {
    parameters["to"] = std::to_string(*scope.to_ms);
    text += fmt::format(" AND {} < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC')", time_column);
  }
  return text;
}

}  // namespace marquee::analytics
