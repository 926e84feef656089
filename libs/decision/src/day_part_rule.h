// Whether a moment is within a DayPart.
#pragma once

#include <cstdint>

#include "marquee/decision/campaign.h"

namespace date {
class time_zone;
}

namespace marquee::decision {

/// Milliseconds to add to UTC in `zone` at that moment.
[[nodiscard]] std::int64_t offset_of(const date::time_zone& zone, std::int64_t time_ms);

/// By the zone's own clock, across its changes to and from summer time: an hour that the clock skips is in no part, one
/// that it shows twice is in twice. A part over midnight belongs to the day on which it begins.
[[nodiscard]] bool is_within(const DayPart& part, const date::time_zone& zone, std::int64_t time_ms);

/// The local day of a moment: [begin, end).
struct Day {
  std::int64_t begin_ms = 0, end_ms = 0;
};
[[nodiscard]] Day day_of(const date::time_zone& zone, std::int64_t time_ms);

}  // namespace marquee::decision
