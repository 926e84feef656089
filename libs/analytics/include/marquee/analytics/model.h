// The semantic layer: what can be counted (metrics) and by what (dimensions), each defined once, here.
#pragma once

#include <cstdint>
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

/// What the text of a dimension's values is of.
enum class KeyType {
  text,
  number,  ///< Whole, without sign.
  day,     ///< 2026-01-31
  time,    ///< 2026-01-31T08:00:00Z
};

struct Dimension {
  std::string_view name;
  std::string_view expression;  ///< SQL over the events and the rollups that have it, {0} being the time there; empty:
                                ///< the column of that name.
  std::string_view description;
  std::int64_t grain_ms = 0;  ///< Of what is told from the time alone: how fine it tells it. Else 0.
  KeyType keys = KeyType::text;
};

[[nodiscard]] std::span<const Metric> metrics();
/// Those with names of their own; besides them there is props.<path> for any path in an event's props, and
/// arm.<experiment> for the arm of an experiment that the user was exposed to (src/user_dimensions.h).
[[nodiscard]] std::span<const Dimension> dimensions();

}  // namespace marquee::analytics
