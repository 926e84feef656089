#include "segment_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "query.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

void collect(const SegmentRule& rule, std::vector<const SegmentCondition*>& conditions) {
  if (rule.kind == SegmentRule::Kind::condition) conditions.push_back(&rule.condition);
  for (const auto& part : rule.parts) collect(part, conditions);
}

/// Whether the rule holds of who has no event that any of its conditions looks for.
bool holds_of_nothing(const SegmentRule& rule) {
  switch (rule.kind) {
    case SegmentRule::Kind::condition:
      return rule.condition.is_fewer;
    case SegmentRule::Kind::all:
      return std::ranges::all_of(rule.parts, holds_of_nothing);
    case SegmentRule::Kind::any:
      return std::ranges::any_of(rule.parts, holds_of_nothing);
    case SegmentRule::Kind::none:
      return std::ranges::none_of(rule.parts, holds_of_nothing);
  }
  return false;
}

/// The rule over truths of its conditions, which `next` gives one after another.
template <class Next>
std::string tree(const SegmentRule& rule, Next& next) {
  if (rule.kind == SegmentRule::Kind::condition) return next(rule.condition);
  std::vector<std::string> parts;
  for (const auto& part : rule.parts) parts.push_back(tree(part, next));
  const bool is_all = rule.kind == SegmentRule::Kind::all;
  return fmt::format("{}({})", rule.kind == SegmentRule::Kind::none ? "NOT " : "",
                     fmt::join(parts, is_all ? " AND " : " OR "));
}

/// From the first begin to the last end, where all have them.
Scope span_of(const std::vector<const SegmentCondition*>& conditions, Scope scope) {
  const auto all_have = [&](auto member) {
    return std::ranges::all_of(conditions, [&](const auto* one) { return (one->*member).has_value(); });
  };
  scope.from_ms.reset();
  scope.to_ms.reset();
  if (all_have(&SegmentCondition::from_ms))
    scope.from_ms = *std::ranges::min(conditions, {}, [](const auto* one) { return *one->from_ms; })->from_ms;
  if (all_have(&SegmentCondition::to_ms))
    scope.to_ms = *std::ranges::max(conditions, {}, [](const auto* one) { return *one->to_ms; })->to_ms;
  return scope;
}

/// Whether an event is one that the condition looks for.
Result<std::string> is_one(const SegmentCondition& condition, const Scope& scope, const std::string& name,
                           clickhouse::Parameters& parameters) {
  std::string text = "1";
  if (!condition.match.types.empty()) {
    parameters[name + "types"] = array_parameter(condition.match.types);
    text = fmt::format("event_type IN {{{}types:Array(String)}}", name);
  }
  const auto bound = [&](const std::optional<std::int64_t>& time_ms, const char* end, const char* compared) {
    if (!time_ms) return;
    parameters[name + end] = std::to_string(*time_ms);
    text += fmt::format(" AND event_time {} fromUnixTimestamp64Milli({{{}{}:Int64}}, 'UTC')", compared, name, end);
  };
  bound(condition.from_ms, "from", ">=");
  bound(condition.to_ms, "to", "<");
  const auto filters = filter_conditions(condition.match.filters, "event_time", scope, parameters, name + "filter");
  if (!filters) return filters.error();
  return "(" + text + *filters + ")";
}

}  // namespace

Result<SegmentQuery> segment_query(const SegmentRule& rule, const Scope& scope) {
  std::vector<const SegmentCondition*> conditions;
  collect(rule, conditions);
  // Where nothing has to have happened, every user of the site is looked at; else only events that count.
  const bool is_of_all = holds_of_nothing(rule);
  Scope everything = scope;
  everything.from_ms.reset();
  everything.to_ms.reset();
  const Scope read = is_of_all ? everything : span_of(conditions, scope);
  UserDimensions users(read, {});
  SegmentQuery query;
  std::vector<std::string> events;
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    users.add(conditions[i]->match.filters);
    const auto one = is_one(*conditions[i], read, fmt::format("condition{}_", i), query.parameters);
    if (!one) return one.error();
    events.push_back(*one);
  }
  std::size_t at = 0;
  auto next = [&](const SegmentCondition& condition) {
    const auto name = fmt::format("condition{}_count", at);
    query.parameters[name] = std::to_string(condition.count);
    return fmt::format("countIf({}) {} {{{}:UInt64}}", events[at++], condition.is_fewer ? "<" : ">=", name);
  };
  const auto holds = tree(rule, next);
  auto filter = where(read, "event_time", query.parameters) + " AND user_key != 0";
  if (!is_of_all) filter += fmt::format(" AND ({})", fmt::join(events, " OR "));
  query.sql = fmt::format("SELECT user_key FROM marquee.events{}{} GROUP BY user_key HAVING {}",
                          users.joins(query.parameters), filter, holds);
  query.data = users.data();
  return query;
}

}  // namespace marquee::analytics
