#include "calendar.h"

#include "spans.h"

#include <chrono>

namespace marquee::simulate {
namespace {

constexpr std::int64_t kOffsetMs = 330 * kMinuteMs;

// Of the busiest hour, in percent. In the exam season the evening is long and the night short.
constexpr std::array<std::uint32_t, 24> kTerm = {22, 12, 6,  3,  2,  4,  10, 22, 45, 70, 82, 85,
                                                 74, 66, 72, 76, 70, 62, 60, 68, 80, 86, 70, 42};
constexpr std::array<std::uint32_t, 24> kExams = {60, 40, 22, 10, 5,  8,  20, 40, 62,  80,  90, 92,
                                                  84, 78, 84, 88, 86, 82, 84, 94, 100, 100, 92, 78};
constexpr std::array<std::uint32_t, 7> kWeek = {70, 100, 100, 98, 96, 88, 62};  // From Sunday.
constexpr std::uint32_t kTermLevel = 100;
constexpr std::uint32_t kExamLevel = 160;

}  // namespace

void Calendar::go_to(std::int64_t day) {
  if (day == day_) return;
  day_ = day;
  const std::chrono::sys_days date{std::chrono::days(day)};
  const std::chrono::year_month_day ymd(date);
  const auto month = static_cast<unsigned>(ymd.month());
  const auto at = month * 100 + static_cast<unsigned>(ymd.day());
  is_exam_season_ = (at >= 420 && at <= 515) || (at >= 1120 && at <= 1215);
  weight_of_day_ = kWeek[std::chrono::weekday(date).c_encoding()] * (is_exam_season_ ? kExamLevel : kTermLevel);
}

std::uint32_t Calendar::activity(std::int64_t time_ms) {
  if (!has_rhythm_) return kBusiest;
  const auto local = time_ms + kOffsetMs;
  go_to(local / kDayMs);
  const auto minute_of_day = static_cast<std::uint32_t>(local % kDayMs / kMinuteMs);
  const auto hour = minute_of_day / 60;
  const auto minute = minute_of_day % 60;
  const auto& hours = is_exam_season_ ? kExams : kTerm;
  return (hours[hour] * (60 - minute) + hours[(hour + 1) % 24] * minute) * weight_of_day_;
}

bool Calendar::is_exam_season(std::int64_t time_ms) {
  go_to((time_ms + kOffsetMs) / kDayMs);
  return is_exam_season_;
}

double Calendar::mean_activity() const {
  if (!has_rhythm_) return kBusiest;
  std::uint64_t hours = 0;
  std::uint64_t days = 0;
  for (const auto hour : kTerm) hours += hour;
  for (const auto day : kWeek) days += day;
  return static_cast<double>(hours * 60 * days * kTermLevel) / (24 * 7);
}

}  // namespace marquee::simulate
