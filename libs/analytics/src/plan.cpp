#include "plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "measures.h"
#include "query.h"

namespace marquee::analytics {
namespace {

/// Where the period before ends, in a comparison.
constexpr std::string_view kBegin = "fromUnixTimestamp64Milli({begin:Int64}, 'UTC')";

/// With the period before, where it is compared.
Scope scope_of(const TableRequest& table) {
  Scope scope = table.scope;
  if (table.compares_previous) *scope.from_ms -= *table.scope.to_ms - *table.scope.from_ms;
  return scope;
}

}  // namespace

Result<void> Plan::check(const TableRequest& table) {
  if (auto checked = analytics::check(table.scope); !checked) return checked;
  if (table.by.size() > 3) return Error::reject("by: expected at most three dimensions");
  if (table.limit < 1 || table.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  if (table.compares_previous && (!table.scope.from_ms || !table.scope.to_ms))
    return Error::reject("compare: the previous period needs from and to");
  return {};
}

Plan::Plan(const Selection& selection)
    : selection_(selection), read_(scope_of(selection.table)), users_(read_, selection.table.by) {
  users_.add(selection.table.filters);
  Need need{read_, selection.table.by, selection.measures};
  for (const auto& filter : selection.table.filters) need.dimensions.push_back(filter.dimension);
  if (!selection.only_events) source_ = cheapest_source(need);
}

Result<std::string> Plan::conditions(clickhouse::Parameters& parameters) const {
  auto text = where(read_, time_column(source_.table), parameters);
  text += only_delivery(source_);
  const auto filters = filter_conditions(selection_.table.filters, time_column(source_.table), read_, parameters);
  if (!filters) return filters.error();
  return text + *filters + users_.conditions();
}

std::string Plan::from(clickhouse::Parameters& parameters) const {
  return fmt::format("marquee.{}{}", source_.table, users_.joins(parameters));
}

std::string Plan::with() const {
  if (!users_.is_by_segment()) return "";
  return fmt::format("WITH arrayJoin(arrayPushFront(arrayMap(s -> (0, s), {}), (1, ''))) AS membership ",
                     UserDimensions::segments_of_row());
}

std::string Plan::total_flag() const {
  if (users_.is_by_segment()) return "membership.1";
  return selection_.table.by.empty() ? "1" : "grouping(key0)";
}

std::string Plan::grouping(const std::string& also) const {
  const auto comma = also.empty() ? "" : ", ";
  if (users_.is_by_segment()) return fmt::format(" GROUP BY {}, is_total{}{}", keys(), comma, also);
  if (!selection_.table.by.empty())
    return fmt::format(" GROUP BY GROUPING SETS (({}{}{}), ({}))", keys(), comma, also, also);
  return also.empty() ? "" : " GROUP BY " + also;
}

/// Whose keys are times, and which are compared, are told by the time that they have one period later.
std::string Plan::key_time() const {
  const auto time = time_column(source_.table);
  if (!selection_.table.compares_previous) return time;
  return fmt::format("if({0} >= {1}, {0}, {0} + toIntervalMillisecond({{length:Int64}}))", time, kBegin);
}

Result<std::string> Plan::columns(clickhouse::Parameters& parameters) const {
  std::string text;
  for (std::size_t i = 0; i < selection_.table.by.size(); ++i) {
    if (selection_.table.by[i] == kSegment) {
      text += fmt::format("membership.2 AS key{}, ", i);
      continue;
    }
    const auto key = dimension_expression(selection_.table.by[i], key_time());
    if (!key) return Error::reject("by: " + key.error().message);
    const auto form = users_.is_by_segment() ? "if(membership.1, '', {}) AS key{}, " : "{} AS key{}, ";
    text += fmt::format(fmt::runtime(form), *key, i);
  }
  std::string now, before;
  if (selection_.table.compares_previous) {
    parameters["begin"] = std::to_string(*selection_.table.scope.from_ms);
    parameters["length"] = std::to_string(length_ms());
    now = fmt::format("{} >= {}", time_column(source_.table), kBegin);
    before = fmt::format("{} < {}", time_column(source_.table), kBegin);
  }
  for (std::size_t i = 0; i < selection_.measures.size(); ++i) {
    const auto sum = [&](std::string_view name, const std::string& when) {
      return fmt::format("toInt64({}) AS {}{}, ", measure_expression(selection_.measures[i], source_.is_rollup(), when),
                         name, i);
    };
    text += sum("now", now);
    if (!before.empty()) text += sum("before", before);
  }
  return text + fmt::format("toInt64({}) AS shown", measure_expression("impressions", source_.is_rollup(), now));
}

std::string Plan::keys() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < selection_.table.by.size(); ++i) names.push_back(fmt::format("key{}", i));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<std::string> Plan::values() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < selection_.measures.size(); ++i) {
    names.push_back(fmt::format("now{}", i));
    if (selection_.table.compares_previous) names.push_back(fmt::format("before{}", i));
  }
  return names;
}

void Plan::bind_extent(clickhouse::Parameters& parameters) const {
  parameters["least"] = std::to_string(selection_.table.min_impressions);
  parameters["most"] = std::to_string(selection_.table.limit + 2);
}

}  // namespace marquee::analytics
