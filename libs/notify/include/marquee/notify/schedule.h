// When something is due: every so often, or at a local time of day in a time zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::notify {

/// Daily and weekly times are local ones. Where the clock is set forward over one, so that the day does not have it, it
/// is due at the moment that the clock is set forward; where it is set back and the day has it twice, at the first of
/// both. So each day has exactly one due time. Minutes and hours are counted in UTC and do not see such changes, but
/// `minute` of the hour is that of the zone (Asia/Kolkata is half an hour off).
struct Schedule {
  enum class Every { minutes, hour, day, week };

  Every every = Every::day;
  unsigned minutes = 0;      ///< Of Every::minutes: 1 to 1440, counted from midnight UTC of 1970-01-01.
  unsigned minute = 0;       ///< Of hour, day and week.
  unsigned hour = 0;         ///< Of day and week.
  unsigned weekday = 1;      ///< Of week: ISO 8601, Monday is 1, Sunday 7.
  std::string zone = "UTC";  ///< Of hour, day and week: IANA's name.
};

/// {"every":"minutes","minutes":15}, {"every":"hour","minute":5,"zone":"UTC"}, {"every":"day","at":"08:00","zone":
/// "Asia/Kolkata"}, {"every":"week","on":"monday","at":"08:00","zone":"Europe/Berlin"}. Action::reject, "schedule:
/// ...".
[[nodiscard]] Result<Schedule> read_schedule(const std::string& json);
/// As read_schedule takes it, everything written out.
[[nodiscard]] std::string write_schedule(const Schedule& schedule);

/// The first due time after `after`. The schedule must be one that read_schedule gives.
[[nodiscard]] WallTime next_due(const Schedule& schedule, WallTime after);
/// The last due time at or before `at`, if there is one after `after`: what is left of several that were missed.
[[nodiscard]] std::optional<WallTime> last_due(const Schedule& schedule, WallTime after, WallTime at);

}  // namespace marquee::notify
