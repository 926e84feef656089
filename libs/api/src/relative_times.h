// The times that a report is asked for: two ends, or a span that ends now.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "marquee/base/result.h"

namespace marquee::api {

/// In milliseconds.
inline constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kDay = 24 * 60 * kMinute;

/// As parameters have them; empty: not given.
struct TimesAsked {
  std::string from, to;
  std::string last;  ///< "15m", "24h", "7d", "4w"; in place of both.
};
struct TimesMeant {
  std::optional<std::int64_t> from_ms;  ///< Inclusive.
  std::optional<std::int64_t> to_ms;    ///< Exclusive.
};

/// `last` is so many whole minutes, hours, days or weeks (UTC, from Monday on), of which the current one is the last:
/// so the answer comes from rollups, and is the same until something lands.
/// Action::reject names the parameter that is wrong.
[[nodiscard]] Result<TimesMeant> range_of(const TimesAsked& times, std::chrono::system_clock::time_point now);

}  // namespace marquee::api
