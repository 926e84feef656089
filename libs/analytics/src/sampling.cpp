// Selections from a share of the users. The errors come from random groups of users: K. M. Wolter, Introduction to
// Variance Estimation, 2nd edition, chapter 2.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "plan.h"
#include "selection.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kGroups = SampledMeasure::kGroups;
constexpr std::size_t kWithoutUser = 255;  ///< The part of events without user.

std::string estimated(std::string_view column) {
  return fmt::format("sum({} * if(part = {}, 1, {{weight:Float64}}))", column, kWithoutUser);
}

/// A row's measures are arrays that have an entry for each part that is there.
Result<std::string> query_of(const Plan& plan, const Selection& selection, clickhouse::Parameters& parameters) {
  const auto conditions = plan.conditions(parameters);
  if (!conditions) return conditions.error();
  const auto columns = plan.columns(parameters);
  if (!columns) return columns.error();
  plan.bind_extent(parameters);
  const auto keys = plan.keys();
  const auto grouped = fmt::format(
      "SELECT {}, if(user_key = 0, {}, user_key % {}) AS part, {} AS is_total FROM marquee.{}{} "
      "AND user_key <= {{last_key:UInt64}} GROUP BY {}",
      *columns, kWithoutUser, kGroups, plan.total_flag(), plan.source().table, *conditions,
      keys.empty() ? "part" : fmt::format("GROUPING SETS (({}, part), (part))", keys));
  std::vector<std::string> arrays, is_there;
  for (const auto& value : plan.values()) {
    arrays.push_back(fmt::format("groupArray({}) AS all_{}", value, value));
    is_there.push_back(fmt::format("max(abs({})) != 0", value));
  }
  auto order = estimated(fmt::format("now{}", selection.order_by));
  if (selection.order_per) order += " / " + estimated(fmt::format("now{}", *selection.order_per));
  const auto comma = keys.empty() ? "" : keys + ", ";
  std::vector<std::string> names;
  for (const auto& value : plan.values()) names.push_back("all_" + value);
  return fmt::format(
      "SELECT {0}is_total, hidden, parts, {1} FROM (SELECT {0}is_total, groupArray(part) AS parts, {2}, {3} AS rank, "
      "is_total OR {4} AS is_there, is_total OR {5} >= {{least:UInt64}} AS is_enough, "
      "countIf(is_there AND NOT is_enough) OVER () AS hidden FROM ({6}) GROUP BY {0}is_total) "
      "WHERE is_there AND is_enough ORDER BY is_total DESC, if(isFinite(rank), rank, -1) DESC{7} LIMIT {{most:UInt64}}",
      comma, fmt::join(names, ", "), fmt::join(arrays, ", "), order, fmt::join(is_there, " OR "), estimated("shown"),
      grouped, keys.empty() ? "" : ", " + keys);
}

/// "[1,-2]".
std::vector<std::int64_t> numbers(std::string_view text) {
  std::vector<std::int64_t> values;
  for (const char* at = text.data() + 1; at < text.data() + text.size() - 1;) {
    std::int64_t value = 0;
    at = std::from_chars(at, text.data() + text.size(), value).ptr + 1;
    values.push_back(value);
  }
  return values;
}

SampledMeasure measure_of(const std::vector<std::int64_t>& parts, const std::vector<std::int64_t>& values) {
  SampledMeasure measure;
  for (std::size_t i = 0; i < parts.size() && i < values.size(); ++i) {
    const auto part = static_cast<std::size_t>(parts[i]);
    (part == kWithoutUser ? measure.without_user : measure.by_group[part % kGroups]) += values[i];
  }
  return measure;
}

}  // namespace

Result<Sampled> select_sample(CachedStore& store, const Selection& selection, double fraction) {
  if (auto checked = Plan::check(selection.table); !checked) return checked.error();
  if (!(fraction > 0 && fraction <= 1)) return Error::reject("sample: expected a share above 0, at most 1");
  Selection of_events = selection;
  of_events.only_events = true;
  const Plan plan(of_events);
  clickhouse::Parameters parameters;
  // Keys are hashes, so those up to some key are a share of the users at random. Key 0 is nobody's.
  const auto last_key =
      fraction == 1 ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(std::ldexp(fraction, 64));
  Sampled sampled;
  parameters["last_key"] = std::to_string(last_key);
  parameters["weight"] = fmt::format("{}", 1 / fraction);
  const auto query = query_of(plan, of_events, parameters);
  if (!query) return query.error();
  const auto table = store.table(plan.source().table, plan.read(), *query, parameters);
  if (!table) return table.error();
  sampled.total.now.resize(selection.measures.size());
  if (selection.table.compares_previous) sampled.total.before.resize(selection.measures.size());
  const auto read = [&](SampledRow& row, const std::vector<std::string>& cells, std::size_t at) {
    const auto parts = numbers(cells[at++]);
    for (std::size_t i = 0; i < selection.measures.size(); ++i) {
      row.now.push_back(measure_of(parts, numbers(cells[at++])));
      if (selection.table.compares_previous) row.before.push_back(measure_of(parts, numbers(cells[at++])));
    }
  };
  read_answer(*table, plan, selection.table, read, sampled);
  return sampled;
}

}  // namespace marquee::analytics
