#include "plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "measures.h"
#include "query.h"

namespace marquee::analytics {
namespace {

/// Where the period before ends, in a comparison.
constexpr std::string_view kBegin = "fromUnixTimestamp64Milli({begin:Int64}, 'UTC')";

}  // namespace

Result<void> Plan::check(const TableRequest& table) {
  if (auto checked = analytics::check(table.scope); !checked) return checked;
  if (table.by.size() > 3) return Error::reject("by: expected at most three dimensions");
  if (table.limit < 1 || table.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  if (table.compares_previous && (!table.scope.from_ms || !table.scope.to_ms))
    return Error::reject("compare: the previous period needs from and to");
  return {};
}

Plan::Plan(const Selection& selection) : selection_(selection), read_(selection.table.scope) {
  if (selection.table.compares_previous) read_.from_ms = *selection.table.scope.from_ms - length_ms();
  Need need{read_, selection.table.by, selection.measures};
  for (const auto& filter : selection.table.filters) need.dimensions.push_back(filter.dimension);
  if (!selection.only_events) source_ = cheapest_source(need);
}

Result<std::string> Plan::conditions(clickhouse::Parameters& parameters) const {
  auto text = where(read_, time_column(source_.table), parameters);
  text += only_delivery(source_);
  const auto filters = filter_conditions(selection_.table.filters, time_column(source_.table), parameters);
  if (!filters) return filters.error();
  return text + *filters;
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
    const auto key = dimension_expression(selection_.table.by[i], key_time());
    if (!key) return Error::reject("by: " + key.error().message);
    text += fmt::format("{} AS key{}, ", *key, i);
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
