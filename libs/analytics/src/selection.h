// Measures by dimensions, from the cheapest source that answers exactly: what the tables of reports are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

struct Selection {
  TableRequest table;
  std::vector<std::string_view> measures;  ///< At least one.
  std::size_t order_by = 0;                ///< Of the measures; most first.
  std::optional<std::size_t> order_per;    ///< The order is that of measures[order_by] / measures[order_per].
  bool only_events = false;                ///< Whatever else could answer.
};

struct SelectedRow {
  std::vector<std::string> keys;
  std::vector<std::int64_t> now, before;  ///< A value of each measure; `before` is empty without comparison.
};

struct Selected {
  TableExtent extent;
  SelectedRow total;  ///< Of everything in the scope and the filters, without keys.
  std::vector<SelectedRow> rows;
};

/// Action::reject names the parameter that makes no sense: site, from, to, by, filter, compare, limit.
[[nodiscard]] Result<Selected> select(clickhouse::Client& store, const Selection& selection);

}  // namespace marquee::analytics
