#include "selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "plan.h"

namespace marquee::analytics {
namespace {

/// Keeps the rows with something in them and enough impressions, the total first and then most first.
std::string outer(const Plan& plan, const Selection& selection, const std::string& grouped) {
  const auto order = selection.order_per
                         ? fmt::format("if(now{1} = 0, -1, now{0} / now{1})", selection.order_by, *selection.order_per)
                         : fmt::format("now{}", selection.order_by);
  const auto keys = plan.keys();
  const auto values = plan.values();
  return fmt::format(
      "SELECT {0}is_total, hidden, {1} FROM (SELECT *, is_total OR {2} != 0 AS is_there, is_total OR shown >= "
      "{{least:UInt64}} AS is_enough, countIf(is_there AND NOT is_enough) OVER () AS hidden FROM ({3})) "
      "WHERE is_there AND is_enough ORDER BY is_total DESC, {4} DESC{5} LIMIT {{most:UInt64}}",
      keys.empty() ? "" : keys + ", ", fmt::join(values, ", "), fmt::join(values, " != 0 OR "), grouped, order,
      keys.empty() ? "" : ", " + keys);
}

Result<std::string> selected_query(const Plan& plan, const Selection& selection, clickhouse::Parameters& parameters) {
  const auto conditions = plan.conditions(parameters);
  if (!conditions) return conditions.error();
  const auto columns = plan.columns(parameters);
  if (!columns) return columns.error();
  plan.bind_extent(parameters);
  return outer(plan, selection,
               fmt::format("{}SELECT {}, {} AS is_total FROM {}{}{}", plan.with(), *columns, plan.total_flag(),
                           plan.from(parameters), *conditions, plan.grouping()));
}

std::int64_t whole(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Result<Selected> select(CachedStore& store, const Selection& selection) {
  if (auto checked = Plan::check(selection.table); !checked) return checked.error();
  const Plan plan(selection);
  clickhouse::Parameters parameters;
  const auto query = selected_query(plan, selection, parameters);
  if (!query) return query.error();
  const auto table = store.table(plan.source().table, plan.data(), *query, parameters,
                                 {.settings = settings_of(plan.source()), .query_id = selection.table.query_id});
  if (!table) return table.error();
  Selected selected;
  selected.total.now.resize(selection.measures.size());  // Of no events there is no total.
  if (selection.table.compares_previous) selected.total.before.resize(selection.measures.size());
  const auto read = [&](SelectedRow& row, const std::vector<std::string>& cells, std::size_t at) {
    for (std::size_t i = 0; i < selection.measures.size(); ++i) {
      row.now.push_back(whole(cells[at++]));
      if (selection.table.compares_previous) row.before.push_back(whole(cells[at++]));
    }
  };
  read_answer(*table, plan, selection.table, read, selected);
  return selected;
}

Result<std::uint64_t> events_to_read(clickhouse::Client& store, const Selection& selection) {
  if (auto checked = Plan::check(selection.table); !checked) return checked.error();
  const Plan plan(selection);
  if (plan.source().is_rollup()) return std::uint64_t{0};
  clickhouse::Parameters parameters;
  const auto query = selected_query(plan, selection, parameters);
  if (!query) return query.error();
  return rows_to_read(store, *query, parameters);
}

}  // namespace marquee::analytics
