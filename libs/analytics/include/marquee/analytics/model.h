// The semantic layer: what can be counted (metrics) and by what (dimensions), each defined once, here.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace marquee::analytics {

enum class MetricUnit {
  count,
  money,       ///< In the currency of the site.
  ms,          ///< Milliseconds.
  proportion,  ///< Of trials, in [0, 1] but for events whose counterpart lies outside the range: has an interval.
  ratio,
};
[[nodiscard]] std::string_view name_of(MetricUnit unit);

/// numerator / denominator * scale, or numerator * scale where there is no denominator. Both are measures: sums over
/// events, which the rollups keep where they can.
struct Metric {
  std::string_view name;
  MetricUnit unit = MetricUnit::count;
  std::string_view numerator;
  std::string_view denominator;
  double scale = 1;
  std::string_view description;
};

struct Dimension {
  std::string_view name;
  std::string_view over_events;  ///< SQL over the events table, {0} being its time; empty: the column of that name.
  std::string_view over_rollup;  ///< The same over the campaign rollups; empty: they do not have it.
  std::string_view description;
};

[[nodiscard]] std::span<const Metric> metrics();
/// Those with names of their own; besides them there is props.<path> for any path in an event's props.
[[nodiscard]] std::span<const Dimension> dimensions();

}  // namespace marquee::analytics
