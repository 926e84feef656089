// Selections from a share of the users.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "plan.h"
#include "selection.h"

namespace marquee::analytics {
namespace {

/// A row's measures are arrays that have an entry for each part that is there.
Result<std::string> sampled_query(const Plan& plan, const Selection& selection, const Share& share,
                                  clickhouse::Parameters& parameters) {
  const auto conditions = plan.conditions(parameters);
  if (!conditions) return conditions.error();
  const auto columns = plan.columns(parameters);
  if (!columns) return columns.error();
  plan.bind_extent(parameters);
  const auto keys = plan.keys();
  const auto grouped = fmt::format("{}SELECT {}, {} AS part, {} AS is_total FROM {}{}{}{}", plan.with(), *columns,
                                   part_of_event(share), plan.total_flag(), plan.from(parameters), *conditions,
                                   events_of(share, plan.read(), parameters), plan.grouping("part"));
  const auto estimated = [&](std::string_view column) { return estimated_sum(column, share); };
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

}  // namespace

Result<Sampled> select_sample(CachedStore& store, const Selection& selection, double fraction) {
  if (auto checked = Plan::check(selection.table); !checked) return checked.error();
  if (auto checked = check_fraction(fraction); !checked) return checked.error();
  Selection of_events = selection;
  of_events.only_events = true;
  const Plan plan(of_events);
  const auto share = share_of(store, plan.read(), fraction);
  if (!share) return share.error();
  clickhouse::Parameters parameters;
  const auto query = sampled_query(plan, of_events, *share, parameters);
  if (!query) return query.error();
  const auto table = store.table(plan.source().table, plan.data(), *query, parameters);
  if (!table) return table.error();
  Sampled sampled;
  sampled.share = *share;
  sampled.total.now.resize(selection.measures.size());
  if (selection.table.compares_previous) sampled.total.before.resize(selection.measures.size());
  const auto read = [&](SampledRow& row, const std::vector<std::string>& cells, std::size_t at) {
    const auto& parts = cells[at++];
    for (std::size_t i = 0; i < selection.measures.size(); ++i) {
      row.now.push_back(measure_of(parts, cells[at++]));
      if (selection.table.compares_previous) row.before.push_back(measure_of(parts, cells[at++]));
    }
  };
  read_answer(*table, plan, selection.table, read, sampled);
  return sampled;
}

}  // namespace marquee::analytics
