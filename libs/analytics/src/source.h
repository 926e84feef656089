// The tables that reports can be answered from.
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

/// The cheapest table that answers exactly: a rollup that has all the dimensions and measures, and whose grid of times
/// both ends of the scope are on; else "events".
[[nodiscard]] std::string_view cheapest_source(const Need& need);

}  // namespace marquee::analytics
