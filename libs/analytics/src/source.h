// What reports can be answered from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// What a report reads.
struct Need {
  Scope scope;                          ///< All of it: with the period before, where that is compared.
  std::vector<std::string> dimensions;  ///< Of its keys and filters.
  std::vector<std::string_view> measures;
};

struct Source {
  std::string_view name;       ///< As answers say it.
  std::string_view table;      ///< Without database.
  std::string_view condition;  ///< " AND ...", what its rows have in the table; empty where they are all of it.
  [[nodiscard]] bool is_rollup() const { return table != "events"; }
};
constexpr Source kEvents = {"events", "events", ""};

/// The cheapest that answers exactly: a rollup that has all the dimensions and measures, and whose grid of times both
/// ends of the scope are on; else the events.
[[nodiscard]] Source cheapest_source(const Need& need);

/// How the store best reads it.
[[nodiscard]] clickhouse::Settings settings_of(const Source& source);

/// " AND ...": of its table, what belongs to the source and is delivery.
[[nodiscard]] std::string only_delivery(const Source& source);

}  // namespace marquee::analytics
