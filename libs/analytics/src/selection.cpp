#include "selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "measures.h"
#include "query.h"

namespace marquee::analytics {
namespace {

/// Where the period before ends, in a comparison.
constexpr std::string_view kBegin = "fromUnixTimestamp64Milli({begin:Int64}, 'UTC')";

Result<void> check(const TableRequest& table) {
  if (auto checked = check(table.scope); !checked) return checked;
  if (table.by.size() > 3) return Error::reject("by: expected at most three dimensions");
  if (table.limit < 1 || table.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  if (table.compares_previous && (!table.scope.from_ms || !table.scope.to_ms))
    return Error::reject("compare: the previous period needs from and to");
  return {};
}

/// The source, and what the parts of the query are over it.
class Plan {
 public:
  explicit Plan(const Selection& selection) : selection_(selection), read_(selection.table.scope) {
    if (selection.table.compares_previous) read_.from_ms = *selection.table.scope.from_ms - length_ms();
    const bool can_rollup =
        !selection.only_events && std::ranges::all_of(selection.table.by, is_in_rollup) &&
        std::ranges::all_of(selection.table.filters, [](const Filter& f) { return is_in_rollup(f.dimension); }) &&
        std::ranges::all_of(selection.measures, is_measure_in_rollup);
    source_ = can_rollup ? cheapest_campaign_source(read_) : "events";
    is_rollup_ = source_ != "events";
  }

  [[nodiscard]] const std::string& source() const { return source_; }

  Result<std::string> query(clickhouse::Parameters& parameters) const {
    auto filter = where(read_, time_column(source_), parameters);
    if (!is_rollup_) filter += only_ad_events();
    const auto filters = filter_conditions(selection_.table.filters, is_rollup_, time_column(source_), parameters);
    if (!filters) return filters.error();
    filter += *filters;
    auto columns = group_columns(parameters);
    if (!columns) return columns.error();
    parameters["least"] = std::to_string(selection_.table.min_impressions);
    parameters["most"] =
        std::to_string(selection_.table.limit + 2);  // The total, and one more that tells whether there are more.
    return outer(fmt::format("SELECT {}, {} AS is_total FROM marquee.{}{}{}", *columns, total_flag(), source_, filter,
                             grouping()));
  }

 private:
  [[nodiscard]] std::int64_t length_ms() const {
    return *selection_.table.scope.to_ms - *selection_.table.scope.from_ms;
  }

  /// Whose keys are times, and which are compared, are told by the time that they have one period later.
  [[nodiscard]] std::string key_time() const {
    const auto time = time_column(source_);
    if (!selection_.table.compares_previous) return time;
    return fmt::format("if({0} >= {1}, {0}, {0} + toIntervalMillisecond({{length:Int64}}))", time, kBegin);
  }

  Result<std::string> group_columns(clickhouse::Parameters& parameters) const {
    std::string columns;
    for (std::size_t i = 0; i < selection_.table.by.size(); ++i) {
      const auto key = dimension_expression(selection_.table.by[i], is_rollup_, key_time());
      if (!key) return Error::reject("by: " + key.error().message);
      columns += fmt::format("{} AS key{}, ", *key, i);
    }
    std::string now, before;
    if (selection_.table.compares_previous) {
      parameters["begin"] = std::to_string(*selection_.table.scope.from_ms);
      parameters["length"] = std::to_string(length_ms());
      now = fmt::format("{} >= {}", time_column(source_), kBegin);
      before = fmt::format("{} < {}", time_column(source_), kBegin);
    }
    for (std::size_t i = 0; i < selection_.measures.size(); ++i) {
      columns += fmt::format("{}toInt64({}) AS now{}", i == 0 ? "" : ", ",
                             measure_expression(selection_.measures[i], is_rollup_, now), i);
      if (!before.empty())
        columns +=
            fmt::format(", toInt64({}) AS before{}", measure_expression(selection_.measures[i], is_rollup_, before), i);
    }
    return columns + fmt::format(", toInt64({}) AS shown", measure_expression("impressions", is_rollup_, now));
  }

  [[nodiscard]] std::string keys() const {
    std::string text;
    for (std::size_t i = 0; i < selection_.table.by.size(); ++i) text += fmt::format("{}key{}", i == 0 ? "" : ", ", i);
    return text;
  }
  [[nodiscard]] std::string total_flag() const { return selection_.table.by.empty() ? "1" : "grouping(key0)"; }
  [[nodiscard]] std::string grouping() const {
    return selection_.table.by.empty() ? "" : fmt::format(" GROUP BY GROUPING SETS (({}), ())", keys());
  }

  /// Keeps the rows with something in them and enough impressions, the total first and then most first.
  [[nodiscard]] std::string outer(const std::string& grouped) const {
    std::string values, any;
    for (std::size_t i = 0; i < selection_.measures.size(); ++i) {
      values += fmt::format(", now{}", i);
      any += fmt::format("{}now{} != 0", i == 0 ? "" : " OR ", i);
      if (!selection_.table.compares_previous) continue;
      values += fmt::format(", before{}", i);
      any += fmt::format(" OR before{} != 0", i);
    }
    const auto order = selection_.order_per ? fmt::format("if(now{1} = 0, -1, now{0} / now{1})", selection_.order_by,
                                                          *selection_.order_per)
                                            : fmt::format("now{}", selection_.order_by);
    const auto key_columns = selection_.table.by.empty() ? std::string() : keys() + ", ";
    return fmt::format(
        "SELECT {0}is_total, hidden{1} FROM (SELECT *, is_total OR {2} AS is_there, is_total OR shown >= "
        "{{least:UInt64}} AS "
        "is_enough, countIf(is_there AND NOT is_enough) OVER () AS hidden FROM ({3})) WHERE is_there AND is_enough "
        "ORDER BY "
        "is_total DESC, {4} DESC{5} LIMIT {{most:UInt64}}",
        key_columns, values, any, grouped, order, selection_.table.by.empty() ? "" : ", " + keys());
  }

  const Selection& selection_;
  Scope read_;  ///< With the period before, where it is compared.
  std::string source_;
  bool is_rollup_ = false;
};

std::int64_t whole(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

SelectedRow read_row(const std::vector<std::string>& cells, std::size_t keys, const Selection& selection) {
  SelectedRow row;
  row.keys.assign(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(keys));
  std::size_t at = keys + 2;  // behind is_total and hidden
  for (std::size_t i = 0; i < selection.measures.size(); ++i) {
    row.now.push_back(whole(cells[at++]));
    if (selection.table.compares_previous) row.before.push_back(whole(cells[at++]));
  }
  return row;
}

}  // namespace

Result<Selected> select(clickhouse::Client& store, const Selection& selection) {
  if (auto checked = check(selection.table); !checked) return checked.error();
  const Plan plan(selection);
  clickhouse::Parameters parameters;
  const auto query = plan.query(parameters);
  if (!query) return query.error();
  const auto table = store.table(*query, parameters);
  if (!table) return table.error();
  Selected selected;
  selected.extent.source = plan.source();
  selected.total.now.resize(selection.measures.size());  // Of no events there is no total.
  if (selection.table.compares_previous) selected.total.before.resize(selection.measures.size());
  const auto keys = selection.table.by.size();
  for (const auto& cells : table->rows) {
    selected.extent.hidden_rows = static_cast<std::uint64_t>(whole(cells[keys + 1]));
    auto row = read_row(cells, keys, selection);
    if (cells[keys] == "0") {
      selected.rows.push_back(std::move(row));
    } else {
      row.keys.clear();
      selected.total = std::move(row);
    }
  }
  selected.extent.is_cut = selected.rows.size() > selection.table.limit;
  if (selected.extent.is_cut) selected.rows.resize(selection.table.limit);
  return selected;
}

}  // namespace marquee::analytics
