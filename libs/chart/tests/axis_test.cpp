#include "axis.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>

namespace marquee::chart {
namespace {

using namespace std::chrono;

std::string texts(const std::vector<Tick>& ticks) {
  std::string text;
  for (const auto& tick : ticks) text += (text.empty() ? "" : " | ") + tick.text;
  return text;
}

std::int64_t ms(sys_time<milliseconds> time) { return time.time_since_epoch().count(); }

TEST(Numbers, are_told_with_three_digits_and_their_unit) {
  EXPECT_EQ(number_text(0, Unit::number), "0");
  EXPECT_EQ(number_text(1234567, Unit::number), "1,234,567");
  EXPECT_EQ(number_text(-1234, Unit::number), "-1,234");
  EXPECT_EQ(number_text(2.5, Unit::number), "2.5");
  EXPECT_EQ(number_text(0.034567, Unit::share), "3.46 %");
  EXPECT_EQ(number_text(0.00012, Unit::share), "0.012 %");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN(), Unit::share), "–");
}

TEST(ValueTicks, are_round_and_reach_over_the_largest_value) {
  EXPECT_EQ(texts(value_ticks(0, 937, Unit::number)), "0 | 200 | 400 | 600 | 800 | 1,000");
  EXPECT_EQ(texts(value_ticks(0, 0.0123, Unit::share)), "0 % | 0.5 % | 1 % | 1.5 %");
  EXPECT_EQ(texts(value_ticks(-3, 7, Unit::number)), "-4 | -2 | 0 | 2 | 4 | 6 | 8");
  EXPECT_EQ(value_ticks(0, 0, Unit::number).front().at, 0);
}

RC_GTEST_PROP(ValueTicks, hold_every_value_and_are_few, ()) {
  const auto number = [] {
    return *rc::gen::inRange(-1'000'000, 1'000'000) * std::pow(10.0, *rc::gen::inRange(-9, 9));
  };
  const double a = number(), b = number(), low = std::min(a, b), high = std::max(a, b);
  RC_PRE(low < high);
  const auto ticks = value_ticks(low, high, Unit::number);
  RC_ASSERT(ticks.size() >= 2U);
  RC_ASSERT(ticks.size() <= 13U);
  // But for what no eye sees: a billionth of the picture.
  RC_ASSERT(ticks.front().at <= std::min(low, 0.0) + 1e-8 * (high - low));
  RC_ASSERT(ticks.back().at >= std::max(high, 0.0) * (1 - 1e-9));
}

TEST(TimeTicks, are_begins_of_what_they_name) {
  const sys_time<milliseconds> day = sys_days{2026y / November / 25};
  EXPECT_EQ(texts(time_ticks(ms(day), ms(day + 24h), 12)),
            "Nov 25 | 03:00 | 06:00 | 09:00 | 12:00 | 15:00 | 18:00 | 21:00 | Nov 26");
  EXPECT_EQ(texts(time_ticks(ms(day + 5min), ms(day + 50min), 12)),
            "00:05 | 00:10 | 00:15 | 00:20 | 00:25 | 00:30 | 00:35 | 00:40 | 00:45 | 00:50");
  EXPECT_EQ(texts(time_ticks(ms(day), ms(day + days(9)), 12)),
            "Nov 25 | Nov 26 | Nov 27 | Nov 28 | Nov 29 | Nov 30 | Dec 1 | Dec 2 | Dec 3 | Dec 4");
  EXPECT_EQ(texts(time_ticks(ms(day), ms(day + days(120)), 12)), "Dec | 2027 | Feb | Mar");
}

RC_GTEST_PROP(TimeTicks, lie_within_and_are_no_more_than_asked_for, ()) {
  const auto from = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000),
             length = *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000);
  const auto ticks = time_ticks(from, from + length, 12);
  RC_ASSERT(ticks.size() <= 12U);
  for (const auto& tick : ticks)
    RC_ASSERT(tick.at >= static_cast<double>(from) && tick.at <= static_cast<double>(from + length));
}

}  // namespace
}  // namespace marquee::chart
