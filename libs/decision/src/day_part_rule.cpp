#include "day_part_rule.h"

#include <date/tz.h>

#include <chrono>

#include "spans.h"

namespace marquee::decision {
namespace {

using Moment = date::sys_time<std::chrono::milliseconds>;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// The first moment of a local day, given in days since 1970: midnight, or where the clock skips it, what follows.
std::int64_t begin_of(const date::time_zone& zone, std::int64_t day) {
  const auto midnight = date::local_days(date::days(day));
  const auto info = zone.get_info(midnight);
  if (info.result == date::local_info::nonexistent)
    return std::chrono::milliseconds(info.first.end.time_since_epoch()).count();
  return std::chrono::milliseconds(midnight.time_since_epoch() - info.first.offset).count();
}

}  // namespace

std::int64_t offset_of(const date::time_zone& zone, std::int64_t time_ms) {
  const auto info = zone.get_info(Moment(std::chrono::milliseconds(time_ms)));
  return std::chrono::milliseconds(info.offset).count();
}

bool is_within(const DayPart& part, const date::time_zone& zone, std::int64_t time_ms) {
  const std::int64_t local = time_ms + offset_of(zone, time_ms);
  const std::int64_t day = floor_divide(local, kDay);
  const std::int64_t minute = (local - day * kDay) / kMinute;
  const auto has_day = [&](std::int64_t one) {
    constexpr std::int64_t kThursday = 3;  // 1970-01-01, of a week that begins with Monday.
    const auto weekday = ((one + kThursday) % 7 + 7) % 7;
    return (part.days >> weekday & 1) != 0;
  };
  if (part.from_minute <= part.to_minute) return has_day(day) && minute >= part.from_minute && minute < part.to_minute;
  return (minute >= part.from_minute && has_day(day)) || (minute < part.to_minute && has_day(day - 1));
}

Day day_of(const date::time_zone& zone, std::int64_t time_ms) {
  const std::int64_t day = floor_divide(time_ms + offset_of(zone, time_ms), kDay);
  return {begin_of(zone, day), begin_of(zone, day + 1)};
}

}  // namespace marquee::decision
