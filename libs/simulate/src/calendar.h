// When students are about: hours of the day, week-ends, exam seasons; in local time (UTC+05:30, no summer time).
#pragma once

#include <array>
#include <cstdint>

namespace marquee::simulate {

/// Not thread safe (it remembers the day it was last asked about).
class Calendar {
 public:
  explicit Calendar(bool has_rhythm) : has_rhythm_(has_rhythm) {}

  /// How busy a moment is, in 1/kBusiest of the busiest moment of the year.
  [[nodiscard]] std::uint32_t activity(std::int64_t time_ms);
  [[nodiscard]] bool is_exam_season(std::int64_t time_ms);
  /// Mean of activity over an ordinary week.
  [[nodiscard]] double mean_activity() const;

  static constexpr std::uint32_t kBusiest = 100 * 100 * 160 * 60;

 private:
  void go_to(std::int64_t day);

  bool has_rhythm_;
  std::int64_t day_ = -1;  ///< Local, since 1970.
  std::uint32_t weight_of_day_ = 0;
  bool is_exam_season_ = false;
};

}  // namespace marquee::simulate
