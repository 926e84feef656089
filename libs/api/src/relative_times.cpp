#include "relative_times.h"

#include <charconv>
#include <string_view>
#include <tuple>

#include "answers.h"

namespace marquee::api {
namespace {

constexpr std::int64_t kFirstMonday = 4 * kDay;  ///< 1970-01-05.
constexpr std::int64_t kMostDays = 3660;

struct Unit {
  char name;
  std::int64_t length_ms;
  std::int64_t begin_ms;  ///< Of one of them.
};
constexpr Unit kUnits[] = {{'m', kMinute, 0}, {'h', 60 * kMinute, 0}, {'d', kDay, 0}, {'w', 7 * kDay, kFirstMonday}};

Result<TimesMeant> range_of_last(std::string_view text, std::int64_t now_ms) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  for (const auto& unit : kUnits) {
    if (error != std::errc() || end + 1 != text.data() + text.size() || *end != unit.name) continue;
    if (count < 1 || count > kMostDays * kDay / unit.length_ms) break;
    const auto to = unit.begin_ms + ((now_ms - unit.begin_ms) / unit.length_ms + 1) * unit.length_ms;
    return TimesMeant{to - count * unit.length_ms, to};
  }
  return Error::reject("last: expected a span like 15m, 24h, 7d or 4w, of at most ten years");
}

}  // namespace

Result<TimesMeant> range_of(const TimesAsked& times, std::chrono::system_clock::time_point now) {
  if (!times.last.empty()) {
    if (!times.from.empty() || !times.to.empty()) return Error::reject("last: stands in the place of from and to");
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    return range_of_last(times.last, now_ms);
  }
  TimesMeant range;
  for (const auto& [name, text, time] :
       {std::tuple("from", &times.from, &range.from_ms), std::tuple("to", &times.to, &range.to_ms)}) {
    if (text->empty()) continue;
    const auto read = time_of(*text, name);
    if (!read) return read.error();
    *time = *read;
  }
  return range;
}

}  // namespace marquee::api
