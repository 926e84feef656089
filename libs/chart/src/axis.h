// Where an axis has its ticks, and what stands there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "marquee/chart/chart.h"

namespace marquee::chart {

struct Tick {
  double at = 0;
  std::string text;
};

/// Round numbers from 0 (or below the least value, where that is negative) to at least `high`; some five steps of 1, 2
/// or 5 times a power of ten.
[[nodiscard]] std::vector<Tick> value_ticks(double low, double high, Unit unit);

/// Begins of minutes, hours, days, months or years in [from, to], UTC; at most `most`.
[[nodiscard]] std::vector<Tick> time_ticks(std::int64_t from_ms, std::int64_t to_ms, std::size_t most);

}  // namespace marquee::chart
